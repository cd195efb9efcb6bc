/*
 * Calls in invocations with ever more memory, from none to enough: each ends with an answer or with
 * memory_limit, and none leaves a call, a connection or a descriptor behind.
 */
#include "http_tries.h"

enum {
    STEP_BYTES = 256,
    LADDER_BYTES = 40 * 1024
};

static char path[] = "/tmp/edge-http-scarce-XXXXXX";

static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void send_form(edge_ctx *ctx)
{
    edge_form_part parts[6] = { { 0 } };
    for (int i = 0; i < 5; i++)
        parts[i] = (edge_form_part){ .name = "file", .file = path, .filename = "f" };
    assert_int_equal(edge_fetch(ctx, "peer", .parts = parts)->status, 200);
}

static void send_upload(edge_ctx *ctx)
{
    edge_upload *upload = edge_fetch_upload(ctx, "peer", .length = 3000);
    for (int i = 0; i < 3; i++) {
        char *piece = edge_alloc(ctx, 1000);
        edge_upload_write(ctx, upload, piece, 1000);
    }
    assert_int_equal(edge_upload_end(ctx, upload)->status, 200);
}

static void send_several(edge_ctx *ctx)
{
    edge_reply *replies[4];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/a", .file = path),
        EDGE_CALL("peer", .path = "/b", .until_client_leaves = true), EDGE_CALL("peer", .path = "/c"),
        EDGE_CALL("peer", .path = "/d", .file = path, .method = "PUT", .until_client_leaves = true));
    for (int i = 0; i < 4; i++)
        assert_int_equal(replies[i]->status, 200);
}

static void read_document(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_public(ctx, "peer", .url = "https://documents.example/first");
    assert_int_equal(reply->status, 200);
}

static void serve_bytes(struct peer *peer, const struct peer_request *request)
{
    static char body[3000];
    memset(body, 'b', sizeof body - 1);
    if (strstr(request->head, "/first") != NULL)
        peer_answer(peer, "302 Found\r\nLocation: https://other.example/second", "text/plain", body);
    else
        peer_answer(peer, "200 OK", "text/plain", body);
}

static void climb(void (*body)(edge_ctx *ctx))
{
    start_client((struct provider_settings){ .public_urls = true }, serve_bytes);
    run_with(body, 1, 1 << 20, 0);
    assert_int_equal(outcome.status, 0);
    int before = open_descriptors(), refused = 0;
    for (size_t memory = 0; memory <= LADDER_BYTES; memory += STEP_BYTES) {
        run_with(body, 1, memory, 0);
        if (outcome.status != 0)
            assert_string_equal(outcome.code, "memory_limit");
        refused += outcome.status != 0;
    }
    assert_int_equal(outcome.status, 0);
    assert_true(refused > 0);
    turn_loop(20);
    assert_in_range(open_descriptors(), 0, before);
    stop_client();
}

static void test_forms(void **state)
{
    (void)state;
    climb(send_form);
}

static void test_uploads(void **state)
{
    (void)state;
    climb(send_upload);
}

static void test_several(void **state)
{
    (void)state;
    climb(send_several);
}

static void test_documents(void **state)
{
    (void)state;
    climb(read_document);
}

static int make_file(void **state)
{
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, "bytes of a file", 15) != 15)
        return -1;
    close(fd);
    return start_peer(state);
}

static int remove_file(void **state)
{
    unlink(path);
    return stop_peer(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_documents),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
