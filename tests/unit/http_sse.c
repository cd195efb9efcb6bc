/*
 * The event-stream parser, fed every sample whole, a byte at a time, and cut at every pair of positions: what
 * it gives must not depend on how the bytes arrived.
 */
#include <http/sse.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    TEXT_MAX = 4096
};

/* Appends each event as [type|data|id]. */
static int feed(struct sse_parser *parser, const char *bytes, size_t length, char *out)
{
    while (length > 0) {
        size_t used = 0;
        /* A copy of the exact size lets AddressSanitizer see a read past the piece. */
        char *piece = malloc(length);
        memcpy(piece, bytes, length);
        int rc = sse_feed(parser, piece, length, &used);
        free(piece);
        assert_true(used > 0 || rc < 0);
        assert_true(used <= length);
        if (rc < 0)
            return rc;
        const edge_event *event = &parser->event;
        size_t at = strlen(out);
        if (rc == 1)
            snprintf(out + at, TEXT_MAX - at, "[%s|%s|%s]", event->event, event->data, event->id);
        else
            assert_int_equal(used, length);
        bytes += used;
        length -= used;
    }
    return 0;
}

static void check_cut(const char *stream, size_t length, const char *expected, size_t first, size_t second)
{
    char out[TEXT_MAX] = "";
    struct sse_parser parser;
    sse_init(&parser, 1024);
    assert_int_equal(feed(&parser, stream, first, out), 0);
    assert_int_equal(feed(&parser, stream + first, second - first, out), 0);
    sse_rest(&parser); /* a wait between two pieces loses nothing */
    assert_int_equal(feed(&parser, stream + second, length - second, out), 0);
    assert_string_equal(out, expected);
    sse_free(&parser);
}

static void check_bytes(const char *stream, size_t length, const char *expected)
{
    for (size_t first = 0; first <= length; first++)
        for (size_t second = first; second <= length; second++)
            check_cut(stream, length, expected, first, second);

    char out[TEXT_MAX] = "";
    struct sse_parser parser;
    sse_init(&parser, 1024);
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(feed(&parser, stream + i, 1, out), 0);
        sse_rest(&parser);
    }
    assert_string_equal(out, expected);
    sse_free(&parser);
}

static void check(const char *stream, const char *expected)
{
    check_bytes(stream, strlen(stream), expected);
}

static void test_line_ends(void **state)
{
    (void)state;
    check("data: a\n\ndata: b\n\n", "[message|a|][message|b|]");
    check("data: a\r\n\r\ndata: b\r\n\r\n", "[message|a|][message|b|]");
    check("data: a\r\rdata: b\r\r", "[message|a|][message|b|]");
    check("data: a\r\n\rdata: b\n\r", "[message|a|][message|b|]");
    check("data: a\r\n\n\r\ndata: b\n\r\n", "[message|a|][message|b|]");
}

static void test_fields(void **state)
{
    (void)state;
    check("data:a\n\n", "[message|a|]");
    check("data:  a \n\n", "[message| a |]");
    check("data: a\ndata: b\ndata\ndata: c\n\n", "[message|a\nb\n\nc|]");
    check("data: {\"a\":1}\n\ndata: [DONE]\n\n", "[message|{\"a\":1}|][message|[DONE]|]");
    check("event: tick\ndata: a\n\ndata: b\n\n", "[tick|a|][message|b|]");
    check("event: one\nevent: two\ndata: a\n\n", "[two|a|]");
    check("event\ndata: a\n\n", "[message|a|]");
    check("Data: a\nDATA: b\n data: c\n\ndata: d\n\n", "[message|d|]");
    check("data: a: b: c\n\n", "[message|a: b: c|]");
    check("retry: 10\nunknown: x\n: comment\n:\ndata: a\n\n", "[message|a|]");
}

static void test_ids(void **state)
{
    (void)state;
    check("id: 1\ndata: a\n\ndata: b\n\n", "[message|a|1][message|b|1]");
    check("id: 1\ndata: a\n\nid\ndata: b\n\n", "[message|a|1][message|b|]");
    check("id: 7\n\ndata: a\n\n", "[message|a|7]");
    static const char with_nul[] = "id: 1\ndata: a\n\nid: 2\0x\ndata: b\n\n";
    check_bytes(with_nul, sizeof with_nul - 1, "[message|a|1][message|b|1]");
}

static void test_no_event(void **state)
{
    (void)state;
    check("", "");
    check("\n\n\n", "");
    check(": only a comment\n\n", "");
    check("event: x\n\ndata: a\n\n", "[message|a|]");
    check("data: never ended", "");
    check("data: never ended\n", "");
    check("data: a\n\ndata: never ended\n", "[message|a|]");
}

/* The examples of WHATWG HTML 9.2.6. */
static void test_standard_examples(void **state)
{
    (void)state;
    check("data: YHOO\ndata: +2\ndata: 10\n\n", "[message|YHOO\n+2\n10|]");
    check(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        "[message|first event|1][message|second event|][message| third event|]");
    check("data\n\ndata\ndata\n\ndata:", "[message||][message|\n|]");
    check("data:test\n\ndata: test\n\n", "[message|test|][message|test|]");
}

static void test_byte_order_mark(void **state)
{
    (void)state;
    check("\xef\xbb\xbf"
          "data: a\n\n",
        "[message|a|]");
    check("\xef\xbb\xbf"
          ": comment\ndata: a\n\n",
        "[message|a|]");
    check("\xef\xbb\xbf\n"
          "data: a\n\n",
        "[message|a|]");
    check("\xef\xbb\xbf\xef\xbb\xbf"
          "data: a\n\ndata: b\n\n",
        "[message|b|]");
    check("data: a\n\n\xef\xbb\xbf"
          "data: b\n\n",
        "[message|a|]");
    check("\xef\xbb"
          "data: a\n\ndata: b\n\n",
        "[message|b|]");
}

static int feed_much(struct sse_parser *parser, const char *lead, size_t length)
{
    char out[TEXT_MAX] = "", filler[64];
    memset(filler, 'x', sizeof filler);
    int rc = feed(parser, lead, strlen(lead), out);
    for (size_t fed = 0; fed < length && rc == 0; fed += sizeof filler)
        rc = feed(parser, filler, sizeof filler, out);
    return rc;
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    static const char *const leads[] = { "data: ", ":", "id: ", "nonsense", "", NULL };
    for (const char *const *lead = leads; *lead != NULL; lead++) {
        struct sse_parser parser;
        sse_init(&parser, 1000);
        assert_int_equal(feed_much(&parser, *lead, 100000), -EMSGSIZE);
        assert_true(parser.line.size <= 2048);
        sse_free(&parser);
    }

    /* Many short lines of one event count together. */
    struct sse_parser parser;
    sse_init(&parser, 1000);
    char out[TEXT_MAX] = "";
    int rc = 0;
    for (int i = 0; i < 1000 && rc == 0; i++)
        rc = feed(&parser, "data: 0123456789\n", 17, out);
    assert_int_equal(rc, -EMSGSIZE);
    sse_free(&parser);

    /* Events of the allowed size go on for ever. */
    sse_init(&parser, 1000);
    for (int i = 0; i < 1000; i++) {
        out[0] = '\0';
        assert_int_equal(feed_much(&parser, "data: ", 900), 0);
        assert_int_equal(feed(&parser, "\n\n", 2, out), 0);
        assert_int_equal(strlen(out), strlen("[message||]") + 960);
    }
    sse_free(&parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_ends),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_no_event),
        cmocka_unit_test(test_standard_examples),
        cmocka_unit_test(test_byte_order_mark),
        cmocka_unit_test(test_size_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
