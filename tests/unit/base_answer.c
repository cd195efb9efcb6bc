/*
 * Answers against output tables: what fits, and the words for each difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <context.h>

#include <edge/function.h>
#include <edge/json.h>

#include <string.h>

static const char *const colours[] = { "red", "green", NULL };
static const edge_field item_fields[] = { { "price", EDGE_NUMBER, .required = true }, { 0 } };
static const edge_field item = { "", EDGE_OBJECT, .fields = item_fields };
static const edge_field count = { "", EDGE_INT };
static const edge_field table[] = {
    { "score", EDGE_INT, 0, 100, .required = true },
    { "text", EDGE_TEXT, .required = true },
    { "band", EDGE_ENUM, .values = colours },
    { "items", EDGE_ARRAY, .items = &item },
    { "counts", EDGE_MAP, .items = &count },
    { "day", EDGE_DATE },
    { 0 },
};

static struct {
    const edge_field *table;
    const char *answer;
    char out[256];
} run;

static void on_main(edge_ctx *ctx)
{
    json_t *answer = edge_json_parse(ctx, run.answer, strlen(run.answer));
    const char *wrong = context_answer_mismatch(ctx, run.table, answer);
    strncpy(run.out, wrong != NULL ? wrong : "fits", sizeof run.out - 1);
}

static void on_finished(edge_ctx *ctx)
{
    assert_null(ctx->failure);
}

static void differs(const char *answer, const char *how)
{
    static const struct context_ops ops = { .main = on_main, .finished = on_finished };
    run.answer = answer;
    context_run(context_create(&(const struct context_setup){ .ops = &ops, .memory_bytes = 1 << 20 }));
    assert_string_equal(run.out, how);
}

static void answers_against_their_table(void **state)
{
    (void)state;
    run.table = table;
    differs("{\"score\":1,\"text\":\"\"}", "fits");
    differs("{\"score\":1.0,\"text\":\"a\",\"band\":null,\"day\":\"2026-01-02\",\"counts\":{\"x\":1},"
            "\"items\":[{\"price\":1.5}]}",
        "fits");
    differs("[]", "The answer is no object");
    differs("{\"text\":\"\"}", "score is missing");
    differs("{\"score\":null,\"text\":\"\"}", "score is missing");
    differs("{\"score\":1.5,\"text\":\"\"}", "score is no whole number");
    differs("{\"score\":101,\"text\":\"\"}", "score is out of its range");
    differs("{\"score\":\"1\",\"text\":\"\"}", "score is no number");
    differs("{\"score\":1,\"text\":2}", "text is no string");
    differs("{\"score\":1,\"text\":\"\",\"band\":\"blue\"}", "band is none of its values: \"blue\"");
    differs("{\"score\":1,\"text\":\"\",\"day\":\"2026-02-30\"}", "day is no date");
    differs("{\"score\":1,\"text\":\"\",\"items\":[{\"price\":1},{}]}", "items[1].price is missing");
    differs("{\"score\":1,\"text\":\"\",\"items\":{}}", "items is no array");
    differs("{\"score\":1,\"text\":\"\",\"counts\":{\"a\":[]}}", "counts.a is no number");
    differs("{\"score\":1,\"text\":\"\",\"more\":1}", "more is not in the output table");
}

static const edge_field open_table[] = {
    { "text", EDGE_TEXT, .required = true },
    { "*", EDGE_INT },
    { 0 },
};

static void members_of_any_name(void **state)
{
    (void)state;
    run.table = open_table;
    differs("{\"text\":\"\",\"a\":1,\"b\":2}", "fits");
    differs("{\"a\":1}", "text is missing");
    differs("{\"text\":\"\",\"a\":\"\"}", "a is no number");
}

int main(void)
{
    arena_attach_jansson();
    fiber_system_start(ev_default_loop(0), 256 * 1024);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_against_their_table),
        cmocka_unit_test(members_of_any_name),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fiber_system_stop();
    return failed;
}
