/*
 * What an input table costs: parsing a body against parsing and validating it.
 */
#include "harness.h"
#include "measure.h"

#include <edge/json.h>

#include <string.h>

static const char *const statuses[] = { "active", "completed", "paused", NULL };
static const edge_field action_fields[] = {
    { "title", EDGE_TEXT, .min = 1, .max = 200, .required = true },
    { "due", EDGE_DATE },
    { "minutes", EDGE_INT, .min = 0, .max = 600, .fallback = "30" },
    { 0 },
};
static const edge_field action = { "action", EDGE_OBJECT, .fields = action_fields };

/* What a function of the product takes: text, numbers, an id, a choice, a list of objects. */
static const edge_field typical[] = {
    { "goalId", EDGE_UUID, .required = true },
    { "title", EDGE_TEXT, .min = 1, .max = 200, .required = true },
    { "note", EDGE_TEXT, .max = 2000, .fallback = "" },
    { "status", EDGE_ENUM, .values = statuses, .fallback = "active" },
    { "days", EDGE_INT, .min = 1, .max = 90, .fallback = "30" },
    { "weight", EDGE_NUMBER, .min = 0, .max = 1 },
    { "email", EDGE_EMAIL },
    { "at", EDGE_DATETIME },
    { "actions", EDGE_ARRAY, .min = 0, .max = 20, .items = &action },
    { 0 },
};

static const char body[] =
    "{\"goalId\":\"0b9d1e2c-6c5f-4f6e-9a57-2d1f3f6f7a10\",\"title\":\"Ten listings by June\","
    "\"status\":\"active\",\"days\":60,\"weight\":0.4,\"email\":\"kim@example.com\","
    "\"at\":\"2026-03-10T12:00:00Z\",\"actions\":[{\"title\":\"Call five owners\",\"due\":\"2026-03-11\"},"
    "{\"title\":\"Write to Ann\",\"minutes\":15},{\"title\":\"Visit Elm Street\",\"due\":\"2026-03-12\"}]}";

static json_t *volatile keep;

static void parse(edge_ctx *ctx, void *arg)
{
    (void)arg;
    keep = edge_json_parse(ctx, body, sizeof body - 1);
}

static void parse_and_validate(edge_ctx *ctx, void *arg)
{
    (void)arg;
    keep = context_validate(ctx, typical, edge_json_parse(ctx, body, sizeof body - 1));
}

static void nothing(edge_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
}

static void repeat(void (*work)(edge_ctx *ctx, void *arg), size_t count)
{
    for (size_t i = 0; i < count; i++)
        harness_run(work, NULL);
}

static void parsing(size_t count)
{
    repeat(parse, count);
}

static void validating(size_t count)
{
    repeat(parse_and_validate, count);
}

static void empty(size_t count)
{
    repeat(nothing, count);
}

int main(void)
{
    harness_start();
    struct bench rows[] = {
        { "an invocation that parses it", parsing, 100000, 0 },
        { "the same, and an input table of 9 fields and 3 objects", validating, 100000, 0 },
        { "an invocation that does nothing", empty, 100000, 0 },
    };
    BENCH_TABLE("a body of 400 bytes", rows);
    return 0;
}
