/*
 * For the tests of the HTTP client: a provider on the test's own loop that answers as each test says, and a way
 * to run code in invocations. Requests are read whole (head, then Content-Length bytes), several on a
 * connection.
 */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include <context.h>
#include <http.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    REQUEST_MAX = 64 * 1024,
    RUN_SECONDS = 20
};

struct peer; /* one connection of the client's */

/* As much of a text as fits. */
static inline void keep_text(char *to, size_t size, const char *from)
{
    size_t length = from != NULL ? strnlen(from, size - 1) : 0;
    if (length > 0)
        memcpy(to, from, length);
    to[length] = '\0';
}

struct peer_request {
    const char *head; /* request line and headers, NUL-terminated */
    const char *body;
    size_t body_length;
};

static struct {
    int fd, port;
    ev_io accept;
    void (*serve)(struct peer *peer, const struct peer_request *request); /* what the provider does */
    int accepted, open, requests;
    char last_head[8192], last_body[4096];
} provider;

struct peer {
    int fd;
    ev_io read;
    ev_timer later;
    void (*then)(struct peer *peer);
    int count; /* requests on this connection */
    size_t length, step;
    char in[REQUEST_MAX];
};

static inline void peer_close(struct peer *peer)
{
    ev_io_stop(fiber_loop(), &peer->read);
    ev_timer_stop(fiber_loop(), &peer->later);
    close(peer->fd);
    free(peer);
    provider.open--;
}

/* Closes with a reset instead of an orderly end. */
static inline void peer_reset(struct peer *peer)
{
    struct linger hard = { .l_onoff = 1 };
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_close(peer);
}

static inline ssize_t peer_send_some(struct peer *peer, const void *data, size_t length)
{
    return send(peer->fd, data, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static inline void peer_send(struct peer *peer, const char *text)
{
    assert_int_equal(peer_send_some(peer, text, strlen(text)), strlen(text));
}

static inline void peer_answer(struct peer *peer, const char *status, const char *type, const char *body)
{
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type,
        strlen(body));
    peer_send(peer, head);
    if (strncmp(provider.last_head, "HEAD ", 5) != 0)
        peer_send(peer, body);
}

static inline void peer_time(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct peer *peer = timer->data;
    peer->then(peer);
}

static inline void peer_later(struct peer *peer, int ms, void (*then)(struct peer *peer))
{
    peer->then = then;
    ev_timer_stop(fiber_loop(), &peer->later);
    ev_timer_init(&peer->later, peer_time, ms / 1000.0 + (ev_time() - ev_now(fiber_loop())), 0);
    peer->later.data = peer;
    ev_timer_start(fiber_loop(), &peer->later);
}

/* Hands over one request when it is complete; serve may close the connection. */
static inline bool peer_take(struct peer *peer)
{
    char *end = strstr(peer->in, "\r\n\r\n");
    if (end == NULL)
        return false;
    size_t head = (size_t)(end - peer->in) + 4, body = 0;
    const char *announced = strcasestr(peer->in, "\r\ncontent-length:");
    if (announced != NULL && announced < end)
        body = strtoul(announced + 17, NULL, 10);
    if (peer->length < head + body)
        return false;

    static char whole[REQUEST_MAX];
    memcpy(whole, peer->in, head + body);
    whole[head - 2] = '\0';
    keep_text(provider.last_head, sizeof provider.last_head, whole);
    whole[head + body] = '\0';
    keep_text(provider.last_body, sizeof provider.last_body, whole + head);
    memmove(peer->in, peer->in + head + body, peer->length - head - body + 1);
    peer->length -= head + body;
    peer->count++;
    provider.requests++;
    const struct peer_request request = { .head = whole, .body = whole + head, .body_length = body };
    provider.serve(peer, &request);
    return false; /* the client never sends the next one before the answer */
}

static inline void peer_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    struct peer *peer = watcher->data;
    ssize_t got = recv(peer->fd, peer->in + peer->length, sizeof peer->in - 1 - peer->length, 0);
    if (got <= 0) {
        peer_close(peer);
        return;
    }
    peer->length += (size_t)got;
    peer->in[peer->length] = '\0';
    peer_take(peer);
}

static inline void peer_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    int fd;
    while ((fd = accept4(watcher->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *peer = calloc(1, sizeof *peer);
        peer->fd = fd;
        ev_timer_init(&peer->later, peer_time, 0, 0);
        ev_io_init(&peer->read, peer_readable, fd, EV_READ);
        peer->read.data = peer;
        ev_io_start(loop, &peer->read);
        provider.accepted++;
        provider.open++;
    }
}

static inline int listen_on_loopback(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 && listen(fd, 4096) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static inline int start_peer(void **state)
{
    (void)state;
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    fiber_system_start(loop, 256 * 1024);
    arena_attach_jansson();
    provider.fd = listen_on_loopback(&provider.port);
    ev_io_init(&provider.accept, peer_accept, provider.fd, EV_READ);
    ev_io_start(loop, &provider.accept);
    return 0;
}

static inline int stop_peer(void **state)
{
    (void)state;
    struct ev_loop *loop = fiber_loop();
    ev_io_stop(loop, &provider.accept);
    close(provider.fd);
    fiber_system_stop();
    ev_loop_destroy(loop);
    return 0;
}

/* What came of the invocations of one run; strings are copies, of the last one. */
static struct {
    int running, finished;
    int status; /* 0: no failure */
    char code[64], message[256], detail[1024];
    int retry_after_seconds;
    struct usage usage;
} outcome;

static void (*running_body)(edge_ctx *ctx);

static inline void invocation_main(edge_ctx *ctx)
{
    running_body(ctx);
}

static inline void invocation_finished(edge_ctx *ctx)
{
    outcome.finished++;
    outcome.usage = ctx->usage;
    const struct failure *failure = ctx->failure;
    if (failure == NULL)
        return;
    outcome.status = failure->status;
    outcome.retry_after_seconds = failure->said.retry_after_seconds;
    keep_text(outcome.code, sizeof outcome.code, failure->code);
    keep_text(outcome.message, sizeof outcome.message, failure->said.message);
    keep_text(outcome.detail, sizeof outcome.detail, failure->detail);
}

static inline void invocation_released(edge_ctx *ctx)
{
    (void)ctx;
    if (--outcome.running == 0)
        ev_break(fiber_loop(), EVBREAK_ONE);
}

static inline void run_too_long(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    fprintf(stderr, "a test ran into its limit of %d s\n", RUN_SECONDS);
    abort();
}

static const struct context_ops invocation_ops = {
    .main = invocation_main,
    .finished = invocation_finished,
    .released = invocation_released,
};

static inline edge_ctx *begin_invocation(size_t memory_bytes, int64_t timeout_ms)
{
    edge_ctx *ctx = context_create(&(const struct context_setup){
        .ops = &invocation_ops,
        .name = "test",
        .memory_bytes = memory_bytes,
        .timeout_ms = timeout_ms,
    });
    outcome.running++;
    return ctx;
}

static inline void run_loop(void)
{
    ev_timer guard;
    ev_timer_init(&guard, run_too_long, RUN_SECONDS, 0);
    ev_timer_start(fiber_loop(), &guard);
    if (outcome.running > 0)
        ev_run(fiber_loop(), 0);
    ev_timer_stop(fiber_loop(), &guard);
}

/* Runs body in count invocations at once until all have ended. */
static inline void run_with(void (*body)(edge_ctx *ctx), int count, size_t memory_bytes, int64_t timeout_ms)
{
    memset(&outcome, 0, sizeof outcome);
    running_body = body;
    outcome.running = 1; /* not before all have begun */
    for (int i = 0; i < count; i++)
        context_run(begin_invocation(memory_bytes, timeout_ms));
    outcome.running--;
    run_loop();
}

static inline void run(void (*body)(edge_ctx *ctx))
{
    run_with(body, 1, 32 << 20, 0);
}

/* Lets the loop go on for a while: for what ends after the invocations have. */
static inline void pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    ev_break(loop, EVBREAK_ONE);
}

static inline void turn_loop(int ms)
{
    ev_timer timer;
    ev_now_update(fiber_loop());
    ev_timer_init(&timer, pause_over, ms / 1000.0, 0);
    ev_timer_start(fiber_loop(), &timer);
    ev_run(fiber_loop(), 0);
    ev_timer_stop(fiber_loop(), &timer);
}

/* Starts the client with the provider "peer", of the given settings but for name and base URL. */
static inline void start_client(
    struct provider_settings settings, void (*serve)(struct peer *peer, const struct peer_request *request))
{
    static char base_url[64];
    snprintf(base_url, sizeof base_url, "http://127.0.0.1:%d", provider.port);
    settings.name = "peer";
    if (settings.base_url == NULL)
        settings.base_url = base_url;
    provider.serve = serve;
    provider.accepted = provider.requests = 0;
    assert_int_equal(http_start(fiber_loop(), &settings, 1), 0);
}

/* Nothing may be left of any call once the invocations have ended. */
static inline void stop_client(void)
{
    struct http_stats stats;
    http_get_stats(&stats);
    assert_int_equal(stats.active, 0);
    assert_int_equal(stats.queued, 0);
    http_stop();
    turn_loop(5);
    assert_int_equal(provider.open, 0);
}

#endif
