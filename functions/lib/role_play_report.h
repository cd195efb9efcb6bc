/*
 * The evaluation of a training call (spec events.md, analyzeRolePlaySession): what the model is asked, and what
 * its answer becomes.
 */
#ifndef LIB_ROLE_PLAY_REPORT_H
#define LIB_ROLE_PLAY_REPORT_H

#include <edge/edge.h>

/* What the call was about; never NULL. */
struct role_play_scenario {
    const char *name, *persona;
    int64_t threshold;
    const char *const *criteria;
    size_t criteria_count;
};

struct role_play_report {
    int64_t score; /* 0..100 */
    const char *result;
    const char *summary; /* NULL: none */
    json_t *strengths, *improvements, *metrics;
};

/* What a result is; NULL-terminated. */
extern const char *const role_play_results[];

/* Members of a report's metrics. */
extern const edge_field role_play_metrics_fields[];

/* The transcript as text, a line an entry, its last 60,000 characters; NULL when it is blank. */
const char *role_play_transcript(edge_ctx *ctx, const json_t *transcript);

/* The messages that ask for an evaluation. */
EDGE_RETURNS_NONNULL json_t *role_play_question(
    edge_ctx *ctx, const struct role_play_scenario *scenario, const char *transcript);

/* The model's JSON, also with words around it; NULL when there is none with a numeric overall_score. */
json_t *role_play_verdict(edge_ctx *ctx, const char *content);

/* The report that a verdict becomes. */
struct role_play_report role_play_report_of(const struct role_play_scenario *scenario, const json_t *verdict);

#endif
