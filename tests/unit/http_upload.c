/*
 * Request bodies that go out as they are read or written: files, forms, uploads.
 */
#include "http_tries.h"

#include <sys/stat.h>

static char path[64];

/* A file of length bytes, each telling where it stands. */
static void make_file(size_t length)
{
    snprintf(path, sizeof path, "/tmp/edge-http-upload-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    for (size_t i = 0; i < length; i++)
        fputc('a' + (int)(i % 26), file);
    fclose(file);
}

static size_t body_length;
static char first, last;

static void serve_and_measure(struct peer *peer, const struct peer_request *request)
{
    body_length = request->body_length;
    first = body_length > 0 ? request->body[0] : 0;
    last = body_length > 0 ? request->body[body_length - 1] : 0;
    serve_json(peer, request);
}

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void test_files(void **state)
{
    (void)state;
    make_file(50000);
    start_client((struct provider_settings){ 0 }, serve_and_measure);
    TRY(.file = path); /* its connection is kept */
    int before = open_descriptors();
    TRY(.file = path);
    assert_int_equal(seen.status, 200);
    assert_int_equal(body_length, 50000);
    assert_int_equal(first, 'a');
    assert_int_equal(last, 'a' + 49999 % 26);
    assert_non_null(strstr(provider.last_head, "POST / HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Length: 50000\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: application/octet-stream\r\n"));
    assert_null(strcasestr(provider.last_head, "expect"));

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    TRY(.method = "PUT", .file_descriptor = fd, .file_offset = 27, .length = 3, .content_type = "text/csv");
    assert_string_equal(provider.last_body, "bcd");
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: text/csv\r\n"));
    assert_true(fcntl(fd, F_GETFD) >= 0);
    close(fd);
    assert_int_equal(open_descriptors(), before);

    FETCH(.file = "/nonexistent");
    assert_int_equal(outcome.status, 500);
    FETCH(.file = "/tmp");
    assert_int_equal(outcome.status, 500);
    FETCH(.file = path, .file_offset = 50001);
    assert_int_equal(outcome.status, 500);
    FETCH(.file = path, .file_offset = 49999, .length = 2);
    assert_int_equal(outcome.status, 500);
    assert_int_equal(open_descriptors(), before);
    stop_client();
    unlink(path);
}

/* The file loses its end between two attempts: our fault, and no failure of the provider's. */
static void serve_and_cut(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    assert_int_equal(truncate(path, 100), 0);
    peer_answer(peer, "503 Again", "text/plain", "");
}

static void test_file_that_shrinks(void **state)
{
    (void)state;
    make_file(5000);
    start_client((struct provider_settings){ 0 }, serve_and_cut);
    FETCH(.method = "PUT", .file = path, .retries = 1);
    assert_int_equal(outcome.status, 500);
    assert_string_equal(outcome.code, "internal_error");
    assert_non_null(strstr(outcome.detail, "shorter"));
    stop_client();
    unlink(path);
}

static void serve_break_once(struct peer *peer, const struct peer_request *request)
{
    if (provider.requests == 1)
        peer_reset(peer);
    else
        serve_and_measure(peer, request);
}

static void test_files_are_repeated_from_the_start(void **state)
{
    (void)state;
    make_file(40000);
    start_client((struct provider_settings){ 0 }, serve_break_once);
    TRY(.method = "PUT", .file = path);
    assert_int_equal(seen.status, 200);
    assert_int_equal(provider.requests, 2);
    assert_int_equal(body_length, 40000);
    assert_int_equal(first, 'a');
    stop_client();
    unlink(path);
}

static void test_forms(void **state)
{
    (void)state;
    make_file(100);
    const edge_form_part parts[] = {
        { "model", "whisper-1" },
        { "file", .file = path, .file_offset = 26, .length = 4, .filename = "call \"1\"\r\nX: y.webm",
            .content_type = "audio/webm" },
        { "raw", .data = "\x01\x02\x03", .length = 2 },
        { "nothing", .data = "not of it", .file_descriptor = -1 },
        { "empty" },
        { 0 },
    };
    start_client((struct provider_settings){ .key = "k" }, serve_and_measure);
    TRY(.path = "/v1/audio", .parts = parts);
    assert_int_equal(seen.status, 200);
    assert_non_null(strstr(provider.last_head, "POST /v1/audio HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: multipart/form-data; boundary="));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Length: "));
    assert_non_null(strstr(provider.last_body, "form-data; name=\"model\"\r\n\r\nwhisper-1\r\n"));
    assert_non_null(strstr(provider.last_body,
        "name=\"file\"; filename=\"call %221%22%0D%0AX: y.webm\"\r\nContent-Type: audio/webm\r\n\r\nabcd\r\n"));
    assert_non_null(strstr(provider.last_body, "name=\"raw\"\r\n\r\n\x01\x02\r\n"));
    assert_non_null(strstr(provider.last_body, "name=\"nothing\"\r\n\r\n\r\n"));
    assert_non_null(strstr(provider.last_body, "name=\"empty\"\r\n\r\n\r\n"));

    const edge_form_part bad[] = { { "a", "b", .content_type = "text/plain\r\nX: y" }, { 0 } };
    FETCH(.parts = bad);
    assert_int_equal(outcome.status, 500);
    const edge_form_part gone[] = { { "a", .file = "/nonexistent" }, { 0 } };
    FETCH(.parts = gone);
    assert_int_equal(outcome.status, 500);
    assert_int_equal(provider.requests, 1);
    stop_client();
    unlink(path);
}

static size_t to_write, announced, piece;
static int pause_ms;

static void upload_pieces(edge_ctx *ctx)
{
    int64_t started_us = clock_us();
    static char bytes[100000];
    memset(bytes, 'u', sizeof bytes);
    edge_fetch_options options = { .path = "/up", .length = announced, .first_byte_timeout_ms = 150 };
    edge_upload *upload = edge_fetch_upload_with(ctx, "peer", &options);
    for (size_t left = to_write; left > 0;) {
        size_t some = left < piece ? left : piece;
        edge_upload_write(ctx, upload, bytes, some);
        left -= some;
        if (pause_ms > 0)
            edge_sleep(ctx, pause_ms);
    }
    see(ctx, edge_upload_end(ctx, upload), started_us);
}

static void upload_of(size_t bytes, size_t of_each, size_t length)
{
    to_write = bytes;
    piece = of_each;
    announced = length;
    run_calls(upload_pieces, 1, NULL);
}

static void test_uploads(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_and_measure);
    static const size_t pieces[] = { 1, 700, 32768, 60000 };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        upload_of(pieces[i] == 1 ? 300 : 60000, pieces[i], pieces[i] == 1 ? 300 : 60000);
        assert_int_equal(outcome.status, 0);
        assert_string_equal(seen.body, "{\"ok\":true}");
        assert_int_equal(body_length, pieces[i] == 1 ? 300 : 60000);
        assert_true(first == 'u' && last == 'u');
    }
    assert_non_null(strstr(provider.last_head, "POST /up HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: application/octet-stream\r\n"));

    /* A function that takes its time is not the provider's silence. */
    pause_ms = 200;
    upload_of(30, 10, 30);
    pause_ms = 0;
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    assert_int_equal(body_length, 30);

    upload_of(0, 1, 0);
    assert_non_null(strstr(provider.last_head, "\r\nTransfer-Encoding: chunked\r\n"));
    stop_client();
}

static void test_uploads_of_another_length(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_and_measure);
    upload_of(10, 10, 9);
    assert_int_equal(outcome.status, 500);
    assert_non_null(strstr(outcome.detail, "longer than announced"));
    upload_of(10, 10, 11);
    assert_int_equal(outcome.status, 500);
    assert_non_null(strstr(outcome.detail, "shorter than announced"));
    stop_client();
}

/* Answers when the head is here, and takes nothing more. */
static void serve_refusal(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_send(peer, "HTTP/1.1 413 Too much\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmuch");
    ev_io_stop(fiber_loop(), &peer->read);
    peer_later(peer, 300, peer_close);
}

static void test_refused_early(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_refusal);
    upload_of(50 << 20, 100000, 0); /* without a length the peer has the request with its head */
    assert_int_equal(outcome.status, 0);
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    assert_int_equal(seen.status, 413);
    assert_string_equal(seen.body, "much");

    /* Also when the function is slow and libcurl waits for it meanwhile. */
    pause_ms = 30;
    upload_of(300, 100, 0);
    pause_ms = 0;
    assert_int_equal(seen.status, 413);
    turn_loop(400);
    stop_client();
}

static void serve_stall(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    ev_io_stop(fiber_loop(), &peer->read);
    peer_later(peer, 1000, peer_close);
}

static void test_provider_that_stops_reading(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_stall);
    upload_of(50 << 20, 100000, 0);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(seen.failure, EDGE_HTTP_TIMEOUT);
    assert_string_equal(seen.message, "the first-byte limit of 150 ms has passed");
    turn_loop(1200);
    stop_client();
}

static void leave_it(edge_ctx *ctx)
{
    edge_upload *upload = edge_fetch_upload(ctx, "peer", .path = "/up");
    edge_upload_write(ctx, upload, "some", 4);
    edge_sleep(ctx, 20);
}

static void leave_it_parked(edge_ctx *ctx)
{
    edge_upload *upload = edge_fetch_upload(ctx, "peer", .path = "/up");
    for (;;)
        edge_upload_write(ctx, upload, path, sizeof path);
}

static void test_left_behind(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_stall);
    run(leave_it);
    assert_int_equal(outcome.status, 0);
    run_with(leave_it_parked, 2, 1 << 20, 100);
    assert_int_equal(outcome.status, 504);
    turn_loop(1200);
    stop_client();

    start_client((struct provider_settings){ .base_url = "http://127.0.0.1:1" }, serve_stall);
    upload_of(1 << 20, 1000, 0);
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_file_that_shrinks),
        cmocka_unit_test(test_files_are_repeated_from_the_start),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_uploads_of_another_length),
        cmocka_unit_test(test_refused_early),
        cmocka_unit_test(test_provider_that_stops_reading),
        cmocka_unit_test(test_left_behind),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
