/*
 * Fetching the key set: one call for all who wait, whoever of them leaves meanwhile; nobody waits for ever.
 */
#include <http/auth.h>
#include <http/jwks.h>
#include <http/token_system.h>

#include <http.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CALLERS = 200,
    ANSWER_DELAY_MS = 150
};

static struct ev_loop *loop;
static struct function_config function = { .name = "f", .auth = AUTH_USER };
static char *key_set, *token;
static char url[64];
static pid_t server;
static int *served; /* in memory shared with the server */
static int ended, succeeded, unreachable;

static void make_token(void)
{
    static const uint8_t exponent[] = { 1, 0, 1 };
    cjose_jwk_t *jwk = cjose_jwk_create_RSA_random(2048, exponent, sizeof exponent, NULL);
    cjose_jwk_set_kid(jwk, "a", 1, NULL);
    char *text = cjose_jwk_to_json(jwk, false, NULL);
    assert_true(asprintf(&key_set, "{\"keys\":[%s]}", text) > 0);
    free(text);

    char claims[128];
    snprintf(claims, sizeof claims, "{\"sub\":\"user_a\",\"exp\":%lld}", (long long)time(NULL) + 600);
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_header_set(header, "alg", "RS256", NULL);
    cjose_header_set(header, "kid", "a", NULL);
    cjose_jws_t *jws = cjose_jws_sign(jwk, header, (const uint8_t *)claims, strlen(claims), NULL);
    const char *compact = NULL;
    cjose_jws_export(jws, &compact, NULL);
    token = strdup(compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    cjose_jwk_release(jwk);
}

/* Answers one connection after the other, slowly, until it is killed. */
static void serve(int listener)
{
    char request[4096], answer[4096];
    int length = snprintf(answer, sizeof answer,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
        "%zu\r\n\r\n%s",
        strlen(key_set), key_set);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            _exit(1);
        if (read(client, request, sizeof request) > 0) {
            __atomic_add_fetch(served, 1, __ATOMIC_SEQ_CST);
            usleep(ANSWER_DELAY_MS * 1000);
            if (write(client, answer, (size_t)length) < 0)
                _exit(1);
        }
        close(client);
    }
}

static int start_server(void **state)
{
    (void)state;
    arena_attach_jansson();
    make_token();
    served = mmap(NULL, sizeof *served, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 16) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return -1;
    snprintf(url, sizeof url, "http://127.0.0.1:%d/jwks", ntohs(address.sin_port));
    server = fork();
    if (server == 0)
        serve(listener);
    close(listener);
    loop = ev_default_loop(0);
    fiber_system_start(loop, 256 * 1024);
    return server > 0 ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    munmap(served, sizeof *served);
    free(key_set);
    free(token);
    fiber_system_stop();
    ev_loop_destroy(loop);
    return 0;
}

static void start_worker(const char *jwks_url)
{
    const struct provider_settings provider = {
        .name = JWKS_PROVIDER, .base_url = jwks_url, .timeout_ms = 5000
    };
    assert_int_equal(http_start(loop, &provider, 1), 0);
    assert_int_equal(token_system_start(&(const struct auth_config){ .jwks_url = jwks_url }), 0);
    *served = ended = succeeded = unreachable = 0;
}

static void stop_worker(void)
{
    token_system_stop();
    http_stop();
}

static void caller_main(edge_ctx *ctx)
{
    auth_identify(ctx, &function);
    assert_string_equal(ctx->identity.user, "user_a");
    succeeded++;
}

static void caller_finished(edge_ctx *ctx)
{
    ended++;
    unreachable += ctx->failure != NULL && ctx->failure->status == 502;
}

static edge_ctx *call(void)
{
    static const struct context_ops ops = { .main = caller_main, .finished = caller_finished };
    edge_ctx *ctx = context_create(&(const struct context_setup){
        .ops = &ops, .name = "f", .generation = "", .memory_bytes = 1 << 20, .timeout_ms = 10000 });
    edge_header *headers = arena_alloc(&ctx->arena, 2 * sizeof *headers);
    headers[0] = (edge_header){ "x-clerk-auth", token };
    ctx->request.headers = headers;
    context_run(ctx);
    return ctx;
}

static void run_until_ended(int count)
{
    for (int64_t until = clock_us() + 8 * 1000000; ended < count && clock_us() < until;)
        ev_run(loop, EVRUN_ONCE);
    assert_int_equal(ended, count);
}

static void test_one_fetch_for_all(void **state)
{
    (void)state;
    start_worker(url);
    for (int i = 0; i < CALLERS; i++)
        call();
    assert_int_equal(ended, 0);
    run_until_ended(CALLERS);
    assert_int_equal(succeeded, CALLERS);
    assert_int_equal(*served, 1);
    struct token_stats stats;
    token_get_stats(&stats);
    assert_int_equal(stats.cached, 1);
    stop_worker();
}

static void test_callers_leave(void **state)
{
    (void)state;
    start_worker(url);
    edge_ctx *callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        callers[i] = call();
    /* Among them the one that started the fetch, the newest, and some in between. */
    for (int i = 0; i < CALLERS; i += 2)
        context_client_gone(callers[i]);
    context_client_gone(callers[CALLERS - 1]);
    run_until_ended(CALLERS);
    assert_int_equal(succeeded, CALLERS / 2 - 1);
    assert_int_equal(*served, 1);

    /* And all of them: the fetch goes on, and serves who comes later. */
    stop_worker();
    start_worker(url);
    context_client_gone(call());
    assert_int_equal(ended, 1);
    call();
    run_until_ended(2);
    assert_int_equal(succeeded, 1);
    assert_int_equal(*served, 1);
    stop_worker();
}

static void test_unreachable(void **state)
{
    (void)state;
    start_worker("http://127.0.0.1:1/jwks");
    for (int i = 0; i < CALLERS; i++)
        call();
    run_until_ended(CALLERS);
    assert_int_equal(unreachable, CALLERS);
    uint64_t fetches = 0, failures = 0;
    jwks_counts(&fetches, &failures);
    assert_true(failures >= 1);
    stop_worker();
}

static void test_stopped_meanwhile(void **state)
{
    (void)state;
    start_worker(url);
    for (int i = 0; i < 10; i++)
        call();
    /* A reload that takes the key set away: everybody is answered. */
    assert_int_equal(token_system_start(&(const struct auth_config){ 0 }), 0);
    run_until_ended(10);
    assert_int_equal(succeeded, 0);
    stop_worker();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_fetch_for_all),
        cmocka_unit_test(test_callers_leave),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_stopped_meanwhile),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
