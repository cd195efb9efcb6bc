/*
 * What the three engines (computePulse, computeGane, computeMoro) share: who may ask for a score, how a
 * snapshot of it is kept, and the answer. The formulas are each function's own.
 */
#ifndef LIB_ENGINE_H
#define LIB_ENGINE_H

#include <edge/edge.h>

#include "lib/insight.h"

struct engine {
    const char *function;
    const char *keep_sql;
};

extern const struct engine engine_pulse, engine_gane, engine_moro;

/* userId and persist, the input of all three. */
extern const edge_field engine_input[];

/* Answer of an engine, as engine_answer makes it. */
extern const edge_field engine_output[];

/*
 * Members of buildGraphContext's answer, and of what is kept of it, without what each of the two has to say of
 * its age; always: an answer without a context does not occur.
 */
#define ENGINE_CONTEXT_MEMBERS(always)                                                                         \
    { "timestamp", EDGE_DATETIME, .required = (always), .help = "When it was built" },                         \
        { "userId", EDGE_TEXT, .required = (always), .help = "Whose it is" },                                  \
        { "scores", EDGE_OBJECT, .fields = engine_scores, .required = (always), .help = "Out of 100" },        \
        { "forecast", EDGE_OBJECT, .fields = engine_forecast, .required = (always), .help = "Out of 100" },    \
        { "insights", EDGE_OBJECT, .fields = insight_output, .required = (always), .help = "Coaching" },       \
        { "metrics", EDGE_OBJECT, .fields = engine_metrics, .required = (always),                              \
            .help = "The figures behind each score, by name" },                                                \
        { "bands", EDGE_OBJECT, .fields = engine_bands, .required = (always), .help = "What scores mean" },    \
    {                                                                                                          \
        "warnings", EDGE_ARRAY, .items = &engine_warning, .required = (always), .help = "What went wrong"      \
    }

extern const edge_field engine_scores[], engine_forecast[], engine_metrics[], engine_bands[], engine_warning;

/* One instant for every window of a call, in JavaScript's precision: whole milliseconds, in microseconds. */
int64_t engine_now(edge_ctx *ctx);

/* Ends the invocation with 404 "user_not_found" when the acting user's profile is not among the rows. */
void engine_require_profile(edge_ctx *ctx, const edge_rows *profiles);

/* A number of the metrics, rounded as JavaScript does. */
void engine_metric(json_t *metrics, const char *name, double value);

/*
 * Keeps the snapshot unless the caller said persist: false, and makes the answer of it. One round trip, as the
 * service: users may read snapshots but not make them, so a score cannot be forged.
 */
json_t *engine_answer(
    edge_ctx *ctx, json_t *in, const struct engine *engine, double score, json_t *metrics, int64_t now);

#endif
