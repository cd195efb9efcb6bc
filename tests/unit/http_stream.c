/*
 * Answers read piece by piece and event by event: order, back-pressure, silence, ends of every kind.
 */
#include "http_peer.h"

static struct {
    int status;
    edge_http_failure failure;
    char text[8192], message[256];
    size_t length, largest;
    int64_t sent_ahead;
    bool json, more, grew;
} seen;

static const char *asked_path;

static void see(const edge_reply *reply)
{
    seen.status = reply->status;
    seen.failure = reply->failure;
    keep_text(seen.message, sizeof seen.message, reply->message);
}

static void add_text(const char *text, size_t length)
{
    size_t at = strlen(seen.text), rest = sizeof seen.text - 1 - at;
    memcpy(seen.text + at, text, length < rest ? length : rest);
}

static void run_path(void (*body)(edge_ctx *ctx), const char *path)
{
    memset(&seen, 0, sizeof seen);
    asked_path = path;
    run_with(body, 1, 1 << 20, 0);
}

static void read_events(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = asked_path);
    const edge_event *event;
    while ((event = edge_reply_event(ctx, reply)) != NULL) {
        const char *line = edge_format(ctx, "%s=%s;", event->event, event->data);
        add_text(line, strlen(line));
    }
    seen.more = edge_reply_event(ctx, reply) != NULL;
    see(reply);
}

static void read_pieces(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = asked_path);
    size_t length;
    const void *piece;
    while ((piece = edge_reply_read(ctx, reply, &length)) != NULL) {
        seen.largest = length > seen.largest ? length : seen.largest;
        add_text(piece, length);
        seen.length += length;
    }
    see(reply);
}

static void send_tokens(struct peer *peer)
{
    static const char *const lines[] = { "data: Hel", "lo\n", "\nevent: tick\r\ndata: 1\r\n\r", "\n: ping\n\n",
        "data: [DONE]\n\n", NULL };
    if (lines[peer->step] == NULL) {
        peer_close(peer);
        return;
    }
    peer_send(peer, lines[peer->step++]);
    peer_later(peer, 5, send_tokens);
}

static void serve_tokens(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    peer_later(peer, 5, send_tokens);
}

static void test_events(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_tokens);
    run_path(read_events, "/");
    assert_string_equal(seen.text, "message=Hello;tick=1;message=[DONE];");
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    assert_false(seen.more);
    assert_null(strcasestr(provider.last_head, "accept-encoding"));
    run_path(read_pieces, "/");
    assert_string_equal(seen.text, "data: Hello\n\nevent: tick\r\ndata: 1\r\n\r\n: ping\n\ndata: [DONE]\n\n");
    stop_client();
}

static void ask_at_length(edge_ctx *ctx)
{
    char text[3000];
    memset(text, 'x', sizeof text);
    size_t used = ctx->arena.used_bytes;
    json_t *body = json_pack("{s:s%}", "text", text, sizeof text);
    edge_reply *reply =
        edge_fetch_stream(ctx, "peer", .path = asked_path, .json_new = body, .repeatable = true);
    seen.grew = ctx->arena.used_bytes > used + sizeof text;
    const edge_event *event;
    while ((event = edge_reply_event(ctx, reply)) != NULL)
        add_text(event->data, strlen(event->data));
    see(reply);
}

static void test_question_is_dropped(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_tokens);
    run_path(ask_at_length, "/");
    assert_string_equal(seen.text, "Hello1[DONE]");
    assert_int_equal(strlen(provider.last_body), 3000 + strlen("{\"text\":\"\"}"));
    assert_false(seen.grew);
    stop_client();
}

static void serve_nothing(struct peer *peer, const struct peer_request *request)
{
    (void)peer, (void)request;
}

static void serve_one_event(struct peer *peer, const struct peer_request *request)
{
    bool breaks = strstr(request->head, "/breaks") != NULL;
    peer_send(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    if (breaks)
        peer_close(peer);
}

static void test_ends(void **state)
{
    (void)state;
    start_client(
        (struct provider_settings){ .silence_timeout_ms = 60, .first_byte_timeout_ms = 200 }, serve_one_event);
    run_path(read_events, "/silent");
    assert_string_equal(seen.text, "message=1;");
    assert_int_equal(seen.failure, EDGE_HTTP_TIMEOUT);
    assert_string_equal(seen.message, "the silence limit of 60 ms has passed");
    run_path(read_events, "/breaks");
    assert_string_equal(seen.text, "message=1;");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    stop_client();

    start_client((struct provider_settings){ .first_byte_timeout_ms = 200 }, serve_nothing);
    run_path(read_events, "/");
    assert_int_equal(seen.failure, EDGE_HTTP_TIMEOUT);
    assert_int_equal(seen.status, 0);
    stop_client();
}

enum {
    MUCH = 8 << 20
};

static size_t sent;

static void send_much(struct peer *peer)
{
    static char block[16384];
    memset(block, 'x', sizeof block);
    while (peer->step < MUCH) {
        size_t rest = MUCH - peer->step;
        ssize_t some = peer_send_some(peer, block, rest < sizeof block ? rest : sizeof block);
        if (some < 0)
            break;
        peer->step += (size_t)some;
        sent = peer->step;
    }
    if (peer->step < MUCH)
        peer_later(peer, 1, send_much);
    else
        peer_close(peer);
}

static void serve_much(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    int small = 16384; /* else the sockets' buffers alone would hold megabytes */
    setsockopt(peer->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    peer_send(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    peer->step = 0;
    send_much(peer);
}

static void read_slowly(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = "/", .silence_timeout_ms = 150);
    size_t length;
    const void *piece = edge_reply_read(ctx, reply, &length);
    seen.length += piece != NULL ? length : 0;
    edge_sleep(ctx, 600); /* longer than the silence limit: the silence is ours */
    seen.sent_ahead = (int64_t)sent - (int64_t)seen.length;
    while ((piece = edge_reply_read(ctx, reply, &length)) != NULL)
        seen.length += length;
    see(reply);
}

static void test_slow_reader_stops_the_provider(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_much);
    run_path(read_slowly, "/");
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    assert_int_equal(seen.length, MUCH);
    assert_in_range(seen.sent_ahead, 1, MUCH - 1000000);
    assert_true(outcome.usage.http_us < 190 * 1000000);
    stop_client();
}

static void read_endlessly(edge_ctx *ctx)
{
    size_t used = ctx->arena.used_bytes;
    read_pieces(ctx);
    seen.grew = ctx->arena.used_bytes > used + 16384;
}

static void test_streams_do_not_fill_the_arena(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_much);
    run_path(read_endlessly, "/");
    assert_int_equal(seen.length, MUCH);
    assert_false(seen.grew);
    assert_in_range(seen.largest, 1, 65536);
    stop_client();
}

static void finish_stream(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = asked_path, .max_bytes = 20000);
    edge_reply_finish(ctx, reply);
    see(reply);
    seen.json = reply->json != NULL;
    add_text(reply->body, reply->length);
    seen.length = reply->length;
}

static void read_then_finish(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = asked_path);
    const edge_event *event = edge_reply_event(ctx, reply);
    add_text(event->data, strlen(event->data));
    add_text("/", 1);
    edge_sleep(ctx, 10); /* meanwhile more has come */
    edge_reply_finish(ctx, reply);
    add_text(reply->body, reply->length);
    see(reply);
}

static void serve_json_slowly(struct peer *peer)
{
    peer_send(peer, "true}");
}

static void serve_for_finish(struct peer *peer, const struct peer_request *request)
{
    if (strstr(request->head, "/json") != NULL) {
        peer_send(
            peer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":");
        peer_later(peer, 10, serve_json_slowly);
    } else {
        serve_tokens(peer, request);
    }
}

static void test_finish(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_for_finish);
    run_path(finish_stream, "/json");
    assert_string_equal(seen.text, "{\"ok\":true}");
    assert_true(seen.json);
    run_path(read_then_finish, "/tokens");
    assert_string_equal(seen.text, "Hello/event: tick\r\ndata: 1\r\n\r\n: ping\n\ndata: [DONE]\n\n");
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    stop_client();

    start_client((struct provider_settings){ 0 }, serve_much);
    run_path(finish_stream, "/");
    assert_int_equal(seen.failure, EDGE_HTTP_TOO_LARGE);
    assert_int_equal(seen.length, 0);
    stop_client();
}

static void serve_large_event(struct peer *peer, const struct peer_request *request)
{
    serve_much(peer, request);
}

static void test_event_size_is_bounded(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_large_event);
    run_path(read_events, "/");
    assert_int_equal(seen.failure, EDGE_HTTP_TOO_LARGE);
    turn_loop(5);
    assert_int_equal(provider.open, 0);
    stop_client();
}

static void check_stream(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = asked_path);
    edge_reply_check(ctx, reply);
    read_events(ctx);
}

static void serve_error(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_answer(peer, "429 Slow\r\nRetry-After: 3", "application/json", "{\"error\":\"slow down\"}");
}

static void test_check_of_a_stream(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_error);
    run_path(check_stream, "/");
    assert_int_equal(outcome.status, 429);
    assert_int_equal(outcome.retry_after_seconds, 3);
    assert_non_null(strstr(outcome.detail, "slow down"));
    stop_client();

    start_client((struct provider_settings){ 0 }, serve_tokens);
    run_path(check_stream, "/");
    assert_int_equal(outcome.status, 0);
    assert_string_equal(seen.text, "message=Hello;tick=1;message=[DONE];");
    stop_client();
}

static void leave_open(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = "/");
    size_t length;
    edge_reply_read(ctx, reply, &length);
}

static void fail_between_reads(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = "/");
    edge_reply_event(ctx, reply);
    edge_fail(ctx, 418, "teapot", "No more");
}

static void test_streams_left_open_end_with_the_invocation(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_much);
    run_path(leave_open, "/");
    turn_loop(5);
    assert_int_equal(provider.open, 0);
    stop_client();

    start_client((struct provider_settings){ 0 }, serve_one_event);
    run_path(fail_between_reads, "/");
    assert_int_equal(outcome.status, 418);
    turn_loop(5);
    assert_int_equal(provider.open, 0);

    memset(&outcome, 0, sizeof outcome);
    memset(&seen, 0, sizeof seen);
    asked_path = "/";
    run_with(read_events, 1, 1 << 20, 50); /* the deadline finds it waiting for the second event */
    assert_int_equal(outcome.status, 504);
    assert_string_equal(seen.text, "message=1;");
    turn_loop(5);
    assert_int_equal(provider.open, 0);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_question_is_dropped),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_slow_reader_stops_the_provider),
        cmocka_unit_test(test_streams_do_not_fill_the_arena),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_event_size_is_bounded),
        cmocka_unit_test(test_check_of_a_stream),
        cmocka_unit_test(test_streams_left_open_end_with_the_invocation),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
