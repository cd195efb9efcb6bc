/*
 * Input tables: each type's boundaries, paths of nested fields, fallbacks, aliases; and JSON as JavaScript
 * writes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <context.h>

#include <edge/function.h>
#include <edge/json.h>

#include <stdlib.h>
#include <string.h>

static const char *const colours[] = { "red", "green", NULL };
static const char *const other_names[] = { "message", "prompt", NULL };
static const char *const name_pattern[] = { "[a-z][a-z0-9_]{0,3}|x\\.y", NULL };
static const edge_field item_fields[] = {
    { "price", EDGE_NUMBER, .min = 0, .max = 100, .required = true },
    { "on", EDGE_DATE },
    { 0 },
};
static const edge_field item = { "", EDGE_OBJECT, .fields = item_fields };
static const edge_field count = { "", EDGE_INT, .min = 0, .max = 9 };
static const edge_field table[] = {
    { "userPrompt", EDGE_TEXT, .min = 1, .max = 5, .aliases = other_names },
    { "days", EDGE_INT, .min = 1, .max = 90, .fallback = "30" },
    { "id", EDGE_UUID },
    { "mail", EDGE_EMAIL },
    { "url", EDGE_URL },
    { "at", EDGE_DATETIME },
    { "on", EDGE_DATE },
    { "colour", EDGE_ENUM, .values = colours, .fallback = "red" },
    { "flag", EDGE_BOOL, .fallback = "true" },
    { "items", EDGE_ARRAY, .min = 0, .max = 3, .items = &item },
    { "any", EDGE_JSON, .min = 0, .max = 20 },
    { "needed", EDGE_TEXT, .min = 1, .max = 10 },
    { "lead", EDGE_ID, .min = 1, .max = 0x1p63 },
    { "day", EDGE_DAY },
    { "clock", EDGE_CLOCK },
    { "name", EDGE_PATTERN, .values = name_pattern },
    { "counts", EDGE_MAP, .min = 0, .max = 2, .items = &count },
    { 0 },
};
static const char *const clearable[] = { "on", NULL };
static const edge_function trimming = { .trims = true, .null_fields = clearable };
static const edge_field strict[] = { { "needed", EDGE_TEXT, .required = true }, { 0 } };

static struct {
    const edge_function *function;
    const edge_field *fields;
    const char *body;
    char out[512], code[32], field[64];
} run;

static void on_main(edge_ctx *ctx)
{
    json_t *body = edge_json_parse(ctx, run.body, strlen(run.body));
    if (body == NULL)
        edge_fail(ctx, 400, "invalid_json", "No JSON");
    ctx->function = run.function;
    body = context_validate(ctx, run.fields, body);
    strncpy(run.out, edge_json_dump(ctx, body, NULL), sizeof run.out - 1);
}

static void on_finished(edge_ctx *ctx)
{
    if (ctx->failure == NULL)
        return;
    strncpy(run.code, ctx->failure->code, sizeof run.code - 1);
    if (ctx->failure->said.field != NULL)
        strncpy(run.field, ctx->failure->said.field, sizeof run.field - 1);
}

static void validate_as(const edge_function *function, const edge_field *fields, const char *body)
{
    static const struct context_ops ops = { .main = on_main, .finished = on_finished };
    memset(&run, 0, sizeof run);
    run.function = function;
    run.fields = fields;
    run.body = body;
    edge_ctx *ctx = context_create(&(const struct context_setup){ .ops = &ops, .memory_bytes = 1 << 20 });
    context_run(ctx);
}

static void validate(const edge_field *fields, const char *body)
{
    validate_as(NULL, fields, body);
}

static void refuses(const char *body, const char *field)
{
    validate(table, body);
    if (strcmp(run.code, "invalid_input") != 0)
        print_error("%s: code \"%s\", out %s\n", body, run.code, run.out);
    assert_string_equal(run.code, "invalid_input");
    assert_string_equal(run.field, field);
}

static void takes(const char *body)
{
    validate(table, body);
    if (run.code[0] != '\0')
        print_error("%s: %s %s\n", body, run.code, run.field);
    assert_string_equal(run.code, "");
}

static void types_and_limits(void **state)
{
    (void)state;
    takes("{\"userPrompt\":\"  \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f!  \"}");
    refuses("{\"userPrompt\":\"123456\"}", "userPrompt");
    refuses("{\"userPrompt\":1}", "userPrompt");
    refuses("{\"userPrompt\":\"a\\u0000b\"}", "userPrompt");
    takes("{\"days\":90.0}");
    refuses("{\"days\":91}", "days");
    refuses("{\"days\":1.5}", "days");
    refuses("{\"days\":\"5\"}", "days");
    refuses("{\"days\":0}", "days");
    takes("{\"id\":\"3FB36B92-6d0e-4bac-992d-00818cf81ca0\"}");
    assert_non_null(strstr(run.out, "3fb36b92-6d0e"));
    refuses("{\"id\":\"3fb36b92-6d0e-4bac-992d-00818cf81ca\"}", "id");
    refuses("{\"id\":\"3fb36b92x6d0e-4bac-992d-00818cf81ca0\"}", "id");
    takes("{\"mail\":\"a.b+c@example.co\"}");
    refuses("{\"mail\":\"a@b@c\"}", "mail");
    refuses("{\"mail\":\"a@-b.c\"}", "mail");
    refuses("{\"mail\":\"a@b..c\"}", "mail");
    takes("{\"url\":\"https://example.com/a?b#c\"}");
    refuses("{\"url\":\"ftp://example.com\"}", "url");
    refuses("{\"url\":\"https://\"}", "url");
    refuses("{\"url\":\"https://a b\"}", "url");
    takes("{\"at\":\"2026-03-10T12:00:00.123+01:00\"}");
    takes("{\"at\":\"2026-03-10 12:00\"}");
    refuses("{\"at\":\"2026-02-30T12:00:00Z\"}", "at");
    refuses("{\"at\":\"2026-03-10T24:00:00Z\"}", "at");
    refuses("{\"at\":\"2026-03-10T12:00:00.Z\"}", "at");
    takes("{\"on\":\"2028-02-29\"}");
    refuses("{\"on\":\"2027-02-29\"}", "on");
    refuses("{\"colour\":\"blue\"}", "colour");
    refuses("{\"flag\":1}", "flag");
    refuses("{\"any\":[1,2,3,4,5,6,7,8,9,10,11,12]}", "any");
}

static void maps(void **state)
{
    (void)state;
    takes("{\"counts\":{\"a\":1,\"b\":2.0}}");
    assert_non_null(strstr(run.out, "\"b\":2}"));
    takes("{\"counts\":{}}");
    refuses("{\"counts\":[]}", "counts");
    refuses("{\"counts\":{\"a\":1,\"b\":10}}", "counts.b");
    refuses("{\"counts\":{\"a\":1,\"b\":2,\"c\":3}}", "counts");
    refuses("{\"counts\":{\"a\":\"1\"}}", "counts.a");
}

static void ids_of_other_systems(void **state)
{
    (void)state;
    takes("{\"lead\":9223372036854775807}");
    assert_non_null(strstr(run.out, "\"lead\":9223372036854775807"));
    takes("{\"lead\":\"0009223372036854775807\"}");
    assert_non_null(strstr(run.out, "\"lead\":9223372036854775807"));
    takes("{\"lead\":10.0}");
    assert_non_null(strstr(run.out, "\"lead\":10"));
    refuses("{\"lead\":\"9223372036854775808\"}", "lead");
    refuses("{\"lead\":\"10000000000000000000\"}", "lead");
    refuses("{\"lead\":0}", "lead");
    refuses("{\"lead\":\"0\"}", "lead");
    refuses("{\"lead\":-1}", "lead");
    refuses("{\"lead\":1.5}", "lead");
    refuses("{\"lead\":1e300}", "lead");
    refuses("{\"lead\":\"12a\"}", "lead");
    refuses("{\"lead\":\"-1\"}", "lead");
    refuses("{\"lead\":true}", "lead");
    refuses("{\"lead\":[]}", "lead");
}

static void trimmed_as_the_function_wants(void **state)
{
    (void)state;
    validate_as(
        &trimming, table, "{\"needed\":\" \\u00a0a b\\n\",\"colour\":\" green \",\"on\":\"2026-01-02 \"}");
    assert_string_equal(run.code, "");
    assert_non_null(strstr(run.out, "\"needed\":\"a b\""));
    assert_non_null(strstr(run.out, "\"colour\":\"green\""));
    assert_non_null(strstr(run.out, "\"on\":\"2026-01-02\""));
    validate_as(&trimming, table, "{\"needed\":\"  \",\"colour\":\" \"}");
    assert_string_equal(run.code, "");
    assert_null(strstr(run.out, "needed"));
    assert_non_null(strstr(run.out, "\"colour\":\"red\""));
    validate_as(&trimming, strict, "{\"needed\":\" \\t\"}");
    assert_string_equal(run.field, "needed");
    takes("{\"needed\":\" a \"}");
    assert_non_null(strstr(run.out, "\" a \""));
}

static void null_that_says_something(void **state)
{
    (void)state;
    validate_as(&trimming, table, "{\"on\":null,\"id\":null}");
    assert_string_equal(run.code, "");
    assert_non_null(strstr(run.out, "\"on\":null"));
    assert_null(strstr(run.out, "\"id\""));
    validate_as(&trimming, table, "{\"items\":[{\"price\":1,\"on\":null}]}");
    assert_null(strstr(run.out, "\"on\""));
    takes("{\"on\":null}");
    assert_null(strstr(run.out, "\"on\""));
}

static void days_clocks_and_patterns(void **state)
{
    (void)state;
    takes("{\"day\":\"1900-01-01\"}");
    takes("{\"day\":\"2026-03-10T23:59:59-08:00\"}");
    assert_non_null(strstr(run.out, "\"day\":\"2026-03-10\""));
    refuses("{\"day\":\"1899-12-31\"}", "day");
    refuses("{\"day\":\"2201-01-01\"}", "day");
    refuses("{\"day\":\"2026-02-30\"}", "day");
    refuses("{\"day\":\"2026-03-10 soon\"}", "day");
    takes("{\"clock\":\"09:30\"}");
    assert_non_null(strstr(run.out, "\"clock\":\"09:30:00\""));
    takes("{\"clock\":\"23:59:59\"}");
    refuses("{\"clock\":\"24:00\"}", "clock");
    refuses("{\"clock\":\"9:30\"}", "clock");
    refuses("{\"clock\":\"09:60\"}", "clock");
    refuses("{\"clock\":\"09:30:60\"}", "clock");
    refuses("{\"clock\":\"09:30:00Z\"}", "clock");
    takes("{\"name\":\"a_1z\"}");
    takes("{\"name\":\"x.y\"}");
    refuses("{\"name\":\"a_1zz\"}", "name");
    refuses("{\"name\":\"ax.y\"}", "name");
    refuses("{\"name\":\"a\\n\"}", "name");
    refuses("{\"name\":7}", "name");
}

static void on_parameters(edge_ctx *ctx)
{
    json_t *body = edge_json_parse(ctx, run.body, strlen(run.body));
    edge_input_check(ctx, "params", item_fields, json_object_get(body, "params"));
    edge_input_check(ctx, "", strict, body);
    strncpy(run.out, edge_json_dump(ctx, body, NULL), sizeof run.out - 1);
}

static void check_later(const char *body)
{
    static const struct context_ops ops = { .main = on_parameters, .finished = on_finished };
    memset(&run, 0, sizeof run);
    run.body = body;
    edge_ctx *ctx = context_create(&(const struct context_setup){ .ops = &ops, .memory_bytes = 1 << 20 });
    context_run(ctx);
}

static void objects_checked_later(void **state)
{
    (void)state;
    check_later("{\"params\":{\"price\":101},\"needed\":\"a\"}");
    assert_string_equal(run.code, "invalid_input");
    assert_string_equal(run.field, "params.price");
    check_later("{\"params\":{\"price\":1}}");
    assert_string_equal(run.field, "needed");
    check_later("{\"params\":{\"price\":1,\"on\":null},\"needed\":\"a\"}");
    assert_string_equal(run.code, "");
    assert_string_equal(run.out, "{\"params\":{\"price\":1},\"needed\":\"a\"}");
}

static void addresses_outside_of_tables(void **state)
{
    (void)state;
    static const char *const good[] = { "a@b", "a.b+c@d-e.example", "o'neil@x.example" };
    static const char *const bad[] = { "", "a", "a@", "@b", "a@b@c", "a@-b.c", "a@b..c", "a b@c", " a@b" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(edge_is_email(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(edge_is_email(bad[i]));
}

static void paths_of_nested_fields(void **state)
{
    (void)state;
    takes("{\"items\":[{\"price\":1},{\"price\":100,\"on\":\"2026-01-01\"}]}");
    refuses("{\"items\":[{\"price\":1},{\"price\":101}]}", "items[1].price");
    refuses("{\"items\":[{\"price\":1},{}]}", "items[1].price");
    refuses("{\"items\":[{\"price\":1},3]}", "items[1]");
    refuses("{\"items\":[{},{},{},{}]}", "items");
    refuses("{\"items\":{}}", "items");
}

static void first_bad_field_in_the_tables_order(void **state)
{
    (void)state;
    refuses("{\"colour\":\"blue\",\"days\":0}", "days");
}

/* Replaces one field's value and refuses another's; nested members are the table's alone. */
static json_t *own_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    if (strcmp(field->name, "any") == 0)
        return json_copy(json_object_get(in, "days"));
    if (strcmp(field->name, "on") == 0)
        return json_string("checked");
    if (strcmp(field->name, "url") == 0)
        edge_fail_with(ctx, 400, "invalid_input", .message = "url must be ours", .field = "url");
    return value;
}

static void the_functions_own_check(void **state)
{
    (void)state;
    static const edge_function checking = { .check = own_check };
    validate_as(&checking, table, "{\"on\":\"2026-01-01\",\"items\":[{\"price\":1,\"on\":\"2026-01-02\"}]}");
    assert_string_equal(run.code, "");
    assert_non_null(strstr(run.out, "\"on\":\"checked\",\"items\":[{\"price\":1,\"on\":\"2026-01-02\"}]"));
    validate_as(&checking, table, "{\"url\":\"https://a.example\",\"colour\":\"blue\"}");
    assert_string_equal(run.field, "url");
    validate_as(&checking, table, "{\"any\":1}");
    assert_non_null(strstr(run.out, "\"any\":30"));
    validate_as(&checking, table, "{\"url\":\"https://a.example\",\"days\":0}");
    assert_string_equal(run.field, "days");
}

static void absent_fields(void **state)
{
    (void)state;
    takes("{\"needed\":null,\"id\":\"\",\"extra\":[1]}");
    assert_string_equal(run.out, "{\"extra\":[1],\"days\":30,\"colour\":\"red\",\"flag\":true}");
    takes("{\"prompt\":\"b\",\"message\":\"a\"}");
    assert_non_null(strstr(run.out, "\"userPrompt\":\"a\""));
    validate(strict, "{}");
    assert_string_equal(run.field, "needed");
    validate(strict, "{\"needed\":\" \"}");
    assert_string_equal(run.field, "needed");
}

static void json_is_what_javascript_writes(void **state)
{
    (void)state;
    static const edge_field none[] = { { 0 } };
    static const char *const pairs[][2] = {
        { "[63.0,33.3,0.1,-0.0,1e21,1.5e-7]", "[63,33.3,0.1,0,1e+21,1.5e-07]" },
        { "[57.49999999999999,0.30000000000000004]", "[57.49999999999999,0.30000000000000004]" },
        { "[9007199254740993,-1,true,null]", "[9007199254740993,-1,true,null]" },
        { "[\"\\u0001\\n\\\"\\\\/\xc3\xa4\"]", "[\"\\u0001\\n\\\"\\\\/\xc3\xa4\"]" },
        { "[]", "[]" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        validate(none, pairs[i][0]);
        assert_string_equal(run.out, pairs[i][1]);
    }
}

static void deep_nesting_is_no_json(void **state)
{
    (void)state;
    char text[5000];
    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    text[4000] = '\0';
    validate(strict, text);
    assert_string_equal(run.code, "invalid_json");
}

int main(void)
{
    arena_attach_jansson();
    fiber_system_start(ev_default_loop(0), 256 * 1024);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_limits),
        cmocka_unit_test(maps),
        cmocka_unit_test(ids_of_other_systems),
        cmocka_unit_test(trimmed_as_the_function_wants),
        cmocka_unit_test(null_that_says_something),
        cmocka_unit_test(days_clocks_and_patterns),
        cmocka_unit_test(objects_checked_later),
        cmocka_unit_test(addresses_outside_of_tables),
        cmocka_unit_test(paths_of_nested_fields),
        cmocka_unit_test(first_bad_field_in_the_tables_order),
        cmocka_unit_test(the_functions_own_check),
        cmocka_unit_test(absent_fields),
        cmocka_unit_test(json_is_what_javascript_writes),
        cmocka_unit_test(deep_nesting_is_no_json),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fiber_system_stop();
    return failed;
}
