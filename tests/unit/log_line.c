/*
 * What a log line says: fields, masking, escaping, cutting. Every JSON line is read back by jansson.
 */
#include <context.h>
#include <log.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static FILE *file;
static char text[16384];

static int open_log(void **state)
{
    (void)state;
    file = tmpfile();
    log_open(fileno(file), LOG_JSON, EDGE_LOG_DEBUG);
    log_set_source("worker 3");
    return 0;
}

static int close_log(void **state)
{
    (void)state;
    fclose(file);
    return 0;
}

/* What was logged since the last call. */
static const char *logged(void)
{
    log_flush();
    ssize_t length = pread(fileno(file), text, sizeof(text) - 1, 0);
    assert_true(length >= 0);
    text[length] = '\0';
    assert_int_equal(ftruncate(fileno(file), 0), 0);
    assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
    return text;
}

static json_t *logged_json(void)
{
    json_error_t error;
    json_t *line = json_loads(logged(), 0, &error);
    if (line == NULL)
        fail_msg("%s in: %s", error.text, text);
    return line;
}

static const char *member(const json_t *line, const char *key)
{
    return json_string_value(json_object_get(line, key));
}

static edge_ctx *invocation(void)
{
    static edge_ctx ctx;
    ctx = (edge_ctx){ .name = "computePulse", .generation = "0123456789abcdef" };
    strcpy(ctx.request_id, "req-1");
    ctx.identity.user = "user_1";
    ctx.request.method = "POST";
    ctx.request.path = "/functions/v1/computePulse";
    return &ctx;
}

static void says_who_and_where(void **state)
{
    (void)state;
    edge_log(invocation(), EDGE_LOG_WARN, "context_read_failed", { "table", edge_text("goals") },
        { "rows", edge_int(-12) });
    json_t *line = logged_json();

    assert_int_equal(strlen(member(line, "ts")), strlen("2026-03-10T12:00:00.000Z"));
    assert_string_equal(member(line, "level"), "warn");
    assert_string_equal(member(line, "source"), "worker 3");
    assert_string_equal(member(line, "event"), "context_read_failed");
    assert_string_equal(member(line, "requestId"), "req-1");
    assert_string_equal(member(line, "function"), "computePulse");
    assert_string_equal(member(line, "generation"), "0123456789abcdef");
    assert_string_equal(member(line, "user"), "user_1");
    assert_string_equal(member(line, "table"), "goals");
    assert_int_equal(json_integer_value(json_object_get(line, "rows")), -12);
    json_decref(line);
}

static void writes_every_type(void **state)
{
    (void)state;
    const char *const items[] = { "a", NULL, "b\"c" };
    json_t *value = json_pack(
        "{s:[i,f,b,n], s:s, s:s, s:i}", "list", 1, 0.1, 1, "apiKey", "k", "name", "n", "promptTokens", 7);
    edge_log(NULL, EDGE_LOG_INFO, "types", { "null", edge_null() }, { "text", edge_text(NULL) },
        { "least", edge_int(INT64_MIN) }, { "third", edge_number(1.0 / 3) }, { "nan", edge_number(0.0 / 0.0) },
        { "yes", edge_bool(true) }, { "json", edge_json(value) }, { "bytes", edge_bytes("secret", 6) },
        { "time", edge_time(1773144000123456) }, { "before", edge_time(-1000) },
        { "texts", edge_texts(items, 3) });
    json_decref(value);
    assert_non_null(
        strstr(logged(), "\"null\":null,\"text\":null,\"least\":-9223372036854775808,"
                         "\"third\":0.3333333333333333,\"nan\":null,\"yes\":true,"
                         "\"json\":{\"list\":[1,0.1,true,null],\"apiKey\":\"***\",\"name\":\"n\","
                         "\"promptTokens\":7},\"bytes\":\"<6 bytes>\","
                         "\"time\":\"2026-03-10T12:00:00.123Z\","
                         "\"before\":\"1969-12-31T23:59:59.999Z\",\"texts\":[\"a\",null,\"b\\\"c\"]}\n"));
}

static void masks_secrets(void **state)
{
    (void)state;
    static const char *const keys[] = { "access_token", "clientSecret", "PASSWORD", "Authorization", "api_key",
        "apiKey", "cookie", "credentials", "code_verifier", "code", "inviteCode" };
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        edge_log(NULL, EDGE_LOG_INFO, "masks", { keys[i], edge_text("open sesame") });
        json_t *line = logged_json();
        assert_string_equal(member(line, keys[i]), "***");
        json_decref(line);
    }

    edge_log(NULL, EDGE_LOG_INFO, "masks", { "pinCode", edge_int(1234) }, { "promptTokens", edge_int(9) },
        { "hasToken", edge_bool(true) }, { "codec", edge_text("opus") });
    assert_non_null(
        strstr(logged(), "\"pinCode\":\"***\",\"promptTokens\":9,\"hasToken\":true,\"codec\":\"opus\""));
}

static void escapes_what_could_harm(void **state)
{
    (void)state;
    edge_log(NULL, EDGE_LOG_INFO, "escapes", { "line", edge_text("a\nb\r\t\\\"\x01\x1b[31m\x7f") },
        { "c1", edge_text("\xC2\x9B"
                          "31m") },
        { "fine", edge_text("é€😀") }, { "k\"ey", edge_text("v") },
        { "broken", edge_text("\xFF \xC0\xAF \xED\xA0\x80 \xE2\x82 \xF4\x90\x80\x80") });
    const char *line = logged();
    assert_non_null(strstr(line, "\"line\":\"a\\nb\\r\\t\\\\\\\"\\u0001\\u001b[31m\\u007f\""));
    assert_non_null(strstr(line, "\"c1\":\"\\u009b31m\""));
    assert_non_null(strstr(line, "\"fine\":\"é€😀\",\"k\\\"ey\":\"v\""));
    assert_non_null(strstr(line, "\"broken\":\"� �� ��� �� ����\""));
    assert_int_equal(strchr(line, '\n') - line, (long)strlen(line) - 1);
}

static void cuts_values_and_lines(void **state)
{
    (void)state;
    static char letters[5001], controls[5001], accents[5002];
    memset(letters, 'x', 5000);
    memset(controls, '\x01', 5000);
    for (int i = 0; i < 5000; i += 2)
        memcpy(accents + i, "é", 2);

    edge_log(NULL, EDGE_LOG_INFO, "cuts", { "letters", edge_text(letters) });
    json_t *line = logged_json();
    assert_in_range(json_string_length(json_object_get(line, "letters")), 2030, 2048);
    assert_true(strstr(member(line, "letters"), "x…") != NULL);
    json_decref(line);

    edge_log(NULL, EDGE_LOG_INFO, "cuts", { "accents", edge_text(accents) },
        { "controls", edge_text(controls) }, { "more", edge_text(letters) },
        { "last", edge_text("no room for it") }, { "n", edge_int(1) });
    assert_true(strlen(logged()) <= 4096);
    line = json_loads(text, 0, NULL);
    assert_non_null(line);
    assert_true(json_is_true(json_object_get(line, "cut")) || json_object_get(line, "last") != NULL);
    json_decref(line);
}

static void levels_are_kept(void **state)
{
    (void)state;
    log_open(fileno(file), LOG_JSON, EDGE_LOG_WARN);
    edge_log(NULL, EDGE_LOG_INFO, "quiet");
    edge_log(NULL, EDGE_LOG_ERROR, "loud");
    json_t *line = logged_json();
    assert_string_equal(member(line, "event"), "loud");
    json_decref(line);
}

static void invocations_are_accounted(void **state)
{
    (void)state;
    edge_ctx *ctx = invocation();
    struct failure failure = { .status = 502, .code = "provider_error", .detail = "HTTP 500 from \"openai\"" };
    ctx->failure = &failure;
    ctx->usage = (struct usage){ .cpu_ns = 41999,
        .db_us = 1,
        .http_us = 2,
        .query_count = 3,
        .fetch_count = 4,
        .bytes_in = 5,
        .bytes_out = 6 };
    ctx->started_us = clock_us() - 12345;
    log_invocation(ctx, 502);
    json_t *line = logged_json();
    double ms = json_number_value(json_object_get(line, "durationMs"));
    assert_true(ms >= 12.345 && ms < 1000);
    assert_string_equal(member(line, "level"), "error");
    json_decref(line);
    assert_non_null(
        strstr(text, "\"event\":\"invocation\",\"requestId\":\"req-1\",\"function\":\"computePulse\""));
    assert_non_null(strstr(text, ",\"cpuUs\":41,\"dbUs\":1,\"providerUs\":2,\"queries\":3,\"fetches\":4,"
                                 "\"bytesIn\":5,\"bytesOut\":6,\"memoryBytes\":0,\"code\":\"provider_error\","
                                 "\"detail\":\"HTTP 500 from \\\"openai\\\"\"}"));
}

static void readable_on_request(void **state)
{
    (void)state;
    log_open(fileno(file), LOG_TEXT, EDGE_LOG_DEBUG);
    edge_log(
        invocation(), EDGE_LOG_INFO, "mail_sent", { "to", edge_text("a b\n") }, { "id", edge_text("m-1") });
    assert_string_equal(strchr(logged(), ' '),
        " INFO  worker 3 mail_sent requestId=req-1 function=computePulse user=user_1 to=\"a b\\n\" id=m-1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_who_and_where, open_log, close_log),
        cmocka_unit_test_setup_teardown(writes_every_type, open_log, close_log),
        cmocka_unit_test_setup_teardown(masks_secrets, open_log, close_log),
        cmocka_unit_test_setup_teardown(escapes_what_could_harm, open_log, close_log),
        cmocka_unit_test_setup_teardown(cuts_values_and_lines, open_log, close_log),
        cmocka_unit_test_setup_teardown(levels_are_kept, open_log, close_log),
        cmocka_unit_test_setup_teardown(invocations_are_accounted, open_log, close_log),
        cmocka_unit_test_setup_teardown(readable_on_request, open_log, close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
