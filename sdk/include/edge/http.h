/*
 * Calls to the outside, always to a provider named in functions.toml: base URL, key, timeouts, retries,
 * concurrency cap and circuit breaker belong to the provider. A call parks the fiber.
 *
 *   edge_fetch         a 2xx answer, or the invocation ends:
 *                        429 "provider_rate_limited" (Retry-After relayed), 402 "out_of_credits",
 *                        422 "provider_rejected" (400, 413, 422), 502 "provider_error" (other 4xx, 5xx),
 *                        502 "provider_unreachable" (refused, broken, breaker open), 504 "provider_timeout",
 *                        502 "provider_bad_response" (JSON announced and not sent, or over the cap)
 *   edge_try_fetch     always returns a reply; reply->failure and reply->status say what happened
 *   edge_fetch_stream  returns when the answer's head is here; the body is read piece by piece
 *
 * Retries are the provider's setting and happen only where repeating is safe (GET, HEAD, PUT, DELETE, or an
 * idempotency key, or repeatable), with jitter and honouring Retry-After, never beyond the call's time limit.
 * Independent of it a call is repeated once when a connection broke before a byte of an answer came and the
 * request is safe to repeat.
 */
#ifndef EDGE_HTTP_H
#define EDGE_HTTP_H

#include <edge/base.h>

#pragma GCC visibility push(default)

typedef struct edge_header {
    const char *name, *value;
} edge_header;

/*
 * One call; zero members are the defaults (GET, or POST with a body; the provider's time limits). A path or
 * header that cannot be sent (not encoded, dot segments, line breaks) is the function's mistake: 500.
 */
typedef struct edge_fetch_options {
    const char *method;
    const char *path;   /* appended to the base URL; with a query if need be, already encoded */
    const json_t *json; /* body as JSON */
    const char *form;   /* body as application/x-www-form-urlencoded, already encoded */
    const void *body;   /* body as bytes, of type content_type */
    size_t length;
    const char *content_type;
    const edge_header *headers;  /* more headers, ended by { 0 } */
    const char *bearer;          /* Authorization: Bearer, instead of the provider's key */
    const char *idempotency_key; /* header Idempotency-Key; makes a POST safe to repeat */
    bool no_key;                 /* leave the provider's own key out */
    /* timeout_ms bounds the whole call with its repeats, silence_timeout_ms a stream's pauses; -1: no limit. */
    int64_t connect_timeout_ms, first_byte_timeout_ms, timeout_ms, silence_timeout_ms;
    bool until_client_leaves; /* given up when the client leaves, in a function that finishes all the same */
    int retries;              /* instead of the provider's; -1: none */
    size_t max_bytes;         /* response cap, default 16 MiB */
    bool repeatable;          /* a POST that changes nothing: as safe to repeat as a GET */
} edge_fetch_options;

typedef enum edge_http_failure {
    EDGE_HTTP_OK,          /* an answer came, whatever its status */
    EDGE_HTTP_UNREACHABLE, /* no connection, or it broke before the answer was complete */
    EDGE_HTTP_TIMEOUT,
    EDGE_HTTP_TOO_LARGE,
    EDGE_HTTP_BREAKER_OPEN, /* not tried: the provider has been failing */
    EDGE_HTTP_CLIENT_GONE,  /* .until_client_leaves was set, and it has */
} edge_http_failure;

typedef struct edge_reply {
    edge_http_failure failure;
    int status;       /* 0 when no answer came */
    const char *body; /* NUL-terminated; NULL of a stream */
    size_t length;
    json_t *json;            /* the body parsed when its type is JSON and it is valid; else NULL */
    int retry_after_seconds; /* from Retry-After, 0 when absent */
    const char *message;     /* of a failure; for the log */
} edge_reply;

#define edge_fetch(ctx, provider, ...)                                                                         \
    edge_fetch_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
#define edge_try_fetch(ctx, provider, ...)                                                                     \
    edge_try_fetch_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
#define edge_fetch_stream(ctx, provider, ...)                                                                  \
    edge_fetch_stream_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })

EDGE_RETURNS_NONNULL edge_reply *edge_fetch_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);
EDGE_RETURNS_NONNULL edge_reply *edge_try_fetch_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);

/* Never ends the invocation for what the provider did: look at failure and status before reading. */
EDGE_RETURNS_NONNULL edge_reply *edge_fetch_stream_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);

/* Ends the invocation as edge_fetch would for this reply. Returns when it is a 2xx one. */
void edge_reply_check(edge_ctx *ctx, const edge_reply *reply);

/* A header of the answer, NULL when absent. */
const char *edge_reply_header(edge_ctx *ctx, const edge_reply *reply, const char *name);

/* Next piece of a streamed body, at most 64 KiB, valid until the next call; NULL at the end or on failure. */
const void *edge_reply_read(edge_ctx *ctx, edge_reply *reply, size_t *length);

/* Rest of a streamed body in one piece; fills body, length and json as edge_try_fetch does. */
void edge_reply_finish(edge_ctx *ctx, edge_reply *reply);

/* One server-sent event (WHATWG HTML 9.2.6); strings are valid until the next call. */
typedef struct edge_event {
    const char *event; /* "message" when the stream names none */
    const char *data;  /* lines joined by a newline */
    const char *id;    /* last event id, "" when none */
} edge_event;

/*
 * Next event of a streamed text/event-stream body, NULL at its end or on failure (reply->failure tells).
 * The memory of earlier events is used again, so a stream may be endless.
 */
const edge_event *edge_reply_event(edge_ctx *ctx, edge_reply *reply);

/* Percent-encodes one path segment or query value (RFC 3986 unreserved characters stay). */
EDGE_RETURNS_NONNULL const char *edge_url_encode(edge_ctx *ctx, const char *text);

#pragma GCC visibility pop

#endif
