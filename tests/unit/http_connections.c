/*
 * Connections: used again, refused, encrypted. The encrypted provider is node's, which speaks HTTP/2 and
 * HTTP/1.1; its certificate is made for the test, and only SSL_CERT_FILE makes it one to trust.
 */
#include "http_tries.h"

#include <dlfcn.h>
#include <netdb.h>
#include <spawn.h>
#include <sys/wait.h>

static void test_connections_are_used_again(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_json);
    for (int i = 0; i < 100; i++)
        TRY(.path = "/");
    assert_int_equal(provider.requests, 100);
    assert_int_equal(provider.accepted, 1);
    asked = &(const edge_fetch_options){ .path = "/" };
    for (int round = 0; round < 5; round++)
        run_with(try_asked, 50, 1 << 20, 0);
    assert_int_equal(provider.requests, 350);
    assert_int_equal(provider.accepted, 50);
    struct http_stats stats;
    http_get_stats(&stats);
    assert_int_equal(stats.calls, 350);
    assert_int_equal(stats.failures, 0);
    stop_client();
}

static void test_nobody_there(void **state)
{
    (void)state;
    int port, fd = listen_on_loopback(&port);
    close(fd);
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
    start_client((struct provider_settings){ .base_url = base }, serve_json);
    FETCH(.path = "/");
    assert_int_equal(outcome.status, 502);
    assert_string_equal(outcome.code, "provider_unreachable");
    stop_client();

    start_client((struct provider_settings){ .base_url = "http://nowhere.invalid" }, serve_json);
    FETCH(.path = "/");
    assert_int_equal(outcome.status, 502);
    assert_string_equal(outcome.code, "provider_unreachable");
    struct http_provider_stats stats;
    assert_int_equal(http_get_provider_stats(&stats, 1), 1);
    assert_string_equal(stats.name, "peer");
    assert_int_equal(stats.total.failures, 1);
    stop_client();
}

enum {
    SLOW_LOOK_UP_MS = 600
};

/* libcurl's look-ups, made slow for one host; they happen on libcurl's own threads. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    if (strcmp(host, "slow.invalid") == 0) {
        usleep(SLOW_LOOK_UP_MS * 1000);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(host, service, hints, found);
}

static void test_slow_look_up_holds_nobody_up(void **state)
{
    (void)state;
    start_client(
        (struct provider_settings){ .base_url = "http://slow.invalid", .connect_timeout_ms = 50 }, NULL);
    TRIES(3, .path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_TIMEOUT);
    assert_in_range(seen.took_ms, 49, SLOW_LOOK_UP_MS - 100);

    int64_t started_us = clock_us();
    asked = &(const edge_fetch_options){ .path = "/", .connect_timeout_ms = 10000 };
    run_with(try_asked, 3, 1 << 20, 50); /* the invocations' deadline */
    assert_int_equal(outcome.status, 504);
    assert_in_range((clock_us() - started_us) / 1000, 49, SLOW_LOOK_UP_MS - 100);
    stop_client();
    turn_loop(SLOW_LOOK_UP_MS + 100); /* the threads end by themselves */
}

static const char tls_provider[] =
    "const fs = require('fs'), http2 = require('http2');"
    "let connections = 0;"
    "const server = http2.createSecureServer({ key: fs.readFileSync('key.pem'), cert: "
    "fs.readFileSync('cert.pem'),"
    "  allowHTTP1: true }, (request, response) => setTimeout(() => {"
    "    response.setHeader('content-type', 'application/json');"
    "    response.end(JSON.stringify({ version: request.httpVersion, connections })); }, 30));"
    "server.on('secureConnection', () => connections++);"
    "server.listen(0, '127.0.0.1', () => console.log(server.address().port));"
    "process.stdin.resume().on('end', () => process.exit());"; /* also when the test dies */

static char directory[] = "/tmp/http-tls-XXXXXX";

static int run_shell(const char *command)
{
    char line[512];
    snprintf(line, sizeof line, "cd %s && %s", directory, command);
    return system(line);
}

/* A provider in the directory of its certificate, until the returned descriptor is closed. */
static int start_tls_provider(int *port)
{
    extern char **environ;
    int in[2], out[2];
    pid_t child = 0;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, directory);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    char *arguments[] = { "node", "-e", (char *)tls_provider, NULL };
    assert_int_equal(posix_spawnp(&child, "node", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);

    char text[16] = "";
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    close(out[0]);
    *port = atoi(text);
    return in[1];
}

static void read_version(edge_ctx *ctx)
{
    edge_reply *reply = edge_fetch_stream(ctx, "peer", .path = "/");
    edge_reply_finish(ctx, reply);
    see(ctx, reply, clock_us());
}

static void test_encrypted(void **state)
{
    (void)state;
    if (system("command -v node >/dev/null && command -v openssl >/dev/null") != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    assert_int_equal(run_shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
                               " -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null"),
        0);
    int port;
    int running = start_tls_provider(&port);
    char base[64], authority[64];
    snprintf(base, sizeof base, "https://localhost:%d", port);
    snprintf(authority, sizeof authority, "%s/cert.pem", directory);

    start_client((struct provider_settings){ .base_url = base }, NULL);
    TRY(.path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    assert_non_null(strstr(seen.message, "certificate"));
    stop_client();

    setenv("SSL_CERT_FILE", authority, 1);
    start_client((struct provider_settings){ .base_url = base }, NULL);
    TRIES(50, .method = "POST", .path = "/", .form = "a=b");
    assert_int_equal(seen.ok, 50);
    assert_string_equal(seen.body, "{\"version\":\"2.0\",\"connections\":1}");
    run_calls(read_version, 2, NULL);
    assert_int_equal(seen.ok, 2);
    assert_non_null(strstr(seen.body, "\"version\":\"1.1\""));
    TRIES(50, .path = "/");
    assert_int_equal(seen.ok, 50);
    assert_string_equal(seen.body, "{\"version\":\"2.0\",\"connections\":3}");
    stop_client();

    unsetenv("SSL_CERT_FILE");
    close(running);
    wait(NULL);
    run_shell("rm key.pem cert.pem && rmdir $PWD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections_are_used_again),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_slow_look_up_holds_nobody_up),
        cmocka_unit_test(test_encrypted),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
