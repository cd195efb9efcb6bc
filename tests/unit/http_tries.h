/*
 * For tests of calls that are taken whole: makes calls, each in an invocation of its own, and keeps what came
 * of them.
 */
#ifndef HTTP_TRIES_H
#define HTTP_TRIES_H

#include "http_peer.h"

/* What the last call found out, and how many ended how; copies, because the invocations are gone by then. */
static struct {
    int status;
    edge_http_failure failure;
    int retry_after_seconds;
    char body[256], mark[64], message[256];
    size_t length;
    bool json;
    int64_t took_ms;
    int ok, refused, timed_out, in_queue;
} seen;

static const edge_fetch_options *asked;

static inline void see(edge_ctx *ctx, const edge_reply *reply, int64_t started_us)
{
    seen.status = reply->status;
    seen.failure = reply->failure;
    seen.retry_after_seconds = reply->retry_after_seconds;
    seen.length = reply->length;
    seen.json = reply->json != NULL;
    seen.took_ms = (clock_us() - started_us) / 1000;
    keep_text(seen.body, sizeof seen.body, reply->body);
    keep_text(seen.mark, sizeof seen.mark, edge_reply_header(ctx, reply, "X-MARK"));
    keep_text(seen.message, sizeof seen.message, reply->message);
    seen.ok += reply->failure == EDGE_HTTP_OK && reply->status == 200;
    seen.refused += reply->failure == EDGE_HTTP_BREAKER_OPEN;
    seen.timed_out += reply->failure == EDGE_HTTP_TIMEOUT;
    seen.in_queue += strstr(seen.message, "provider's queue") != NULL;
}

static inline void try_asked(edge_ctx *ctx)
{
    int64_t started_us = clock_us();
    see(ctx, edge_try_fetch_with(ctx, "peer", asked), started_us);
}

static inline void fetch_asked(edge_ctx *ctx)
{
    int64_t started_us = clock_us();
    see(ctx, edge_fetch_with(ctx, "peer", asked), started_us);
}

static inline void run_calls(void (*body)(edge_ctx *ctx), int count, const edge_fetch_options *options)
{
    memset(&seen, 0, sizeof seen);
    asked = options;
    run_with(body, count, 32 << 20, 0);
}

#define TRY(...) run_calls(try_asked, 1, &(const edge_fetch_options){ __VA_ARGS__ })
#define TRIES(count, ...) run_calls(try_asked, (count), &(const edge_fetch_options){ __VA_ARGS__ })
#define FETCH(...) run_calls(fetch_asked, 1, &(const edge_fetch_options){ __VA_ARGS__ })

static inline void serve_nothing(struct peer *peer, const struct peer_request *request)
{
    (void)peer, (void)request;
}

static inline void serve_json(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nX-Mark:  one \r\n"
                    "Content-Length: 11\r\n\r\n{\"ok\":true}");
}

/* Answers in order of arrival, each a status line's end; NULL: the connection breaks. */
static const char *const *script;

static inline void serve_script(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    const char *status = script[provider.requests - 1];
    if (status == NULL)
        peer_reset(peer);
    else
        peer_answer(peer, status, "text/plain", "body");
}

static inline void start_script(int retries, const char *const *statuses)
{
    script = statuses;
    start_client((struct provider_settings){ .retries = retries }, serve_script);
}

#endif
