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
 *   edge_fetch_all     several calls at once
 *   edge_fetch_upload  the request's body is written piece by piece
 *   edge_fetch_public  reads a document at a URL that somebody handed in: 400 "url_not_allowed" unless it is
 * https and leads to public addresses
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
 * A part of a multipart/form-data body (RFC 7578). Its bytes are a file, which is read as it goes out, else a
 * text, else memory. A part that was received (edge_part) is sent on with its fd, offset, length and data,
 * wherever it lies.
 *
 *     .parts = (const edge_form_part[]){ { "model", "whisper-1" },
 *         { "file", .file = path, .filename = "audio.webm", .content_type = "audio/webm" }, { 0 } }
 */
typedef struct edge_form_part {
    const char *name;    /* of the field */
    const char *text;    /* NUL-terminated */
    const void *data;    /* length bytes */
    size_t length;       /* of a file: from file_offset on; 0: to its end */
    const char *file;    /* path of a regular file */
    int file_descriptor; /* or an open one, which stays the function's; 0 and less: none */
    int64_t file_offset;
    const char *filename, *content_type; /* NULL: none is named */
} edge_form_part;

/* .retries of a call that may be sent once, whatever its method: not even again after a broken connection. */
#define EDGE_SEND_ONCE (-2)

/*
 * One call; zero members are the defaults (GET, or POST with a body; the provider's time limits). A path or
 * header that cannot be sent (not encoded, dot segments, line breaks), or a file that cannot be read, is the
 * function's mistake: 500. What is pointed at lives until the call has returned.
 */
typedef struct edge_fetch_options {
    const char *method;
    const char *path; /* appended to the base URL; with a query if need be, already encoded */
    /*
     * Instead of a path a complete URL, where functions.toml allows it: url_host names the host that it has to
     * be at or under, public_urls allows any public one. Anything else is refused, EDGE_HTTP_URL_REFUSED.
     */
    const char *url;
    const json_t *json; /* body as JSON */
    json_t *json_new;   /* the same, and its reference is taken over: only its text waits for the answer */
    const char *form;   /* body as application/x-www-form-urlencoded, already encoded */
    const void *body;   /* body as bytes, of type content_type */
    size_t length;
    const char *content_type;
    /* Body from a file, length bytes of it or up to its end; sent as it is read, in memory that does not grow.
     */
    const char *file;
    int file_descriptor;
    int64_t file_offset;
    const edge_form_part *parts; /* body as multipart/form-data, ended by { 0 } */
    const edge_header *headers;  /* more headers, ended by { 0 } */
    const char *bearer;          /* Authorization: Bearer, instead of the provider's key */
    const char *idempotency_key; /* header Idempotency-Key; makes a POST safe to repeat */
    bool no_key;                 /* leave the provider's own key out */
    /* timeout_ms bounds the whole call with its repeats, silence_timeout_ms a stream's pauses; -1: no limit. */
    int64_t connect_timeout_ms, first_byte_timeout_ms, timeout_ms, silence_timeout_ms;
    bool until_client_leaves; /* given up when the client leaves, in a function that finishes all the same */
    int retries;              /* instead of the provider's; -1: none; EDGE_SEND_ONCE */
    size_t max_bytes;         /* response cap, default 16 MiB */
    bool repeatable;          /* a POST that changes nothing: as safe to repeat as a GET */
    int redirects_max;        /* of edge_fetch_public: default 5; -1: none */
} edge_fetch_options;

typedef enum edge_http_failure {
    EDGE_HTTP_OK,          /* an answer came, whatever its status */
    EDGE_HTTP_UNREACHABLE, /* no connection, or it broke before the answer was complete */
    EDGE_HTTP_TIMEOUT,
    EDGE_HTTP_TOO_LARGE,
    EDGE_HTTP_BREAKER_OPEN, /* not tried: the provider has been failing */
    EDGE_HTTP_CLIENT_GONE,  /* .until_client_leaves was set, and it has */
    EDGE_HTTP_URL_REFUSED,  /* .url, or what it redirected to, is not allowed: 400 "url_not_allowed" */
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

/* Makes one call and parks until its whole answer is here; what is no 2xx ends the invocation, as said above.
 */
#define edge_fetch(ctx, provider, ...)                                                                         \
    edge_fetch_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
/* Makes one call, parks until its whole answer is here, and returns it whatever it is. */
#define edge_try_fetch(ctx, provider, ...)                                                                     \
    edge_try_fetch_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
/* Makes one call and parks until the answer's head is here; its body is read by edge_reply_read or _event. */
#define edge_fetch_stream(ctx, provider, ...)                                                                  \
    edge_fetch_stream_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })

EDGE_RETURNS_NONNULL edge_reply *edge_fetch_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);
EDGE_RETURNS_NONNULL edge_reply *edge_try_fetch_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);

/* Never ends the invocation for what the provider did: look at failure and status before reading. */
EDGE_RETURNS_NONNULL edge_reply *edge_fetch_stream_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);

/* One call of edge_fetch_all, made by EDGE_CALL. */
typedef struct edge_call {
    const char *provider;
    const edge_fetch_options *options;
} edge_call;

#define EDGE_CALL(provider_name, ...)                                                                          \
    {                                                                                                          \
        (provider_name), &(const edge_fetch_options)                                                           \
        {                                                                                                      \
            __VA_ARGS__                                                                                        \
        }                                                                                                      \
    }

/*
 * Makes several calls at once and parks until all have ended. replies[i] is the answer to the i-th, as
 * edge_try_fetch gives it: one that fails does not touch the others. Caps and time limits are each call's own.
 *
 *     edge_reply *replies[2];
 *     edge_fetch_all(ctx, replies, EDGE_CALL("gmail", .path = "/a"), EDGE_CALL("zoom", .path = "/b"));
 */
#define edge_fetch_all(ctx, replies, ...)                                                                      \
    edge_fetch_calls((ctx), (replies), (const edge_call[]){ __VA_ARGS__ },                                     \
        sizeof((const edge_call[]){ __VA_ARGS__ }) / sizeof(edge_call))
void edge_fetch_calls(edge_ctx *ctx, edge_reply **replies, const edge_call *calls, size_t count);

/*
 * Begins a call whose body is written piece by piece: of .length bytes, or in chunks when that is 0. It is sent
 * once, whatever .retries says; .timeout_ms (30 s unless the provider says more) bounds the writing too, the
 * limit of the first byte counts from the body's last piece that went out. Not to a .url of public_urls: 500.
 *
 *     edge_upload *upload = edge_fetch_upload(ctx, "object_store", .method = "PUT", .path = path);
 *     while ((piece = edge_reply_read(ctx, source, &length)) != NULL)
 *         edge_upload_write(ctx, upload, piece, length);
 *     edge_reply_check(ctx, edge_upload_end(ctx, upload));
 */
typedef struct edge_upload edge_upload;
#define edge_fetch_upload(ctx, provider, ...)                                                                  \
    edge_fetch_upload_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_upload *edge_fetch_upload_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);

/*
 * Sends length bytes of any number; they are copied, and may be changed when this returns. Parks while the
 * provider is slower: at most 64 KiB of an upload are in memory. False when the call has ended or been refused
 * already: edge_upload_end tells why. More than announced ends the invocation, 500.
 */
bool edge_upload_write(edge_ctx *ctx, edge_upload *upload, const void *data, size_t length);

/* Ends the body, parks until the answer is here and returns it as edge_try_fetch does. */
EDGE_RETURNS_NONNULL edge_reply *edge_upload_end(edge_ctx *ctx, edge_upload *upload);

/*
 * Reads a document (GET, or HEAD) at .url, which may come from anybody; the provider has public_urls. https at
 * port 443 only, no user in the URL, an address as host in its usual spelling only; every address of the host
 * has to be public, and the connection goes to one that has been looked at. Redirects are followed and looked
 * at alike; across origins .headers and .bearer stay behind, and the provider's key is never sent. With
 * <PROVIDER>_BASE_URL set, path and query are requested there and no address is looked at.
 *
 * edge_fetch_public ends the invocation as edge_fetch does, and with 400 "url_not_allowed"; the try form
 * returns the reply. A redirect too many is the answer itself, with its status.
 *
 *     edge_reply *document = edge_try_fetch_public(ctx, "document_fetch", .url = url, .max_bytes = 25 << 20);
 */
#define edge_fetch_public(ctx, provider, ...)                                                                  \
    edge_fetch_public_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
#define edge_try_fetch_public(ctx, provider, ...)                                                              \
    edge_try_fetch_public_with((ctx), (provider), &(const edge_fetch_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_reply *edge_fetch_public_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);
EDGE_RETURNS_NONNULL edge_reply *edge_try_fetch_public_with(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options);

/* Whether a provider's .url may be this one, as far as can be said without looking its host up. Does not park.
 */
bool edge_url_is_allowed(edge_ctx *ctx, const char *provider, const char *url);

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

/*
 * The provider's address with a path appended as in a call, for what a browser opens itself (an authorization
 * page). 503 "not_configured" when the provider has none; a path that is not encoded: 500.
 */
EDGE_RETURNS_NONNULL const char *edge_provider_url(edge_ctx *ctx, const char *provider, const char *path);

/* Percent-encodes one path segment or query value (RFC 3986 unreserved characters stay). */
EDGE_RETURNS_NONNULL const char *edge_url_encode(edge_ctx *ctx, const char *text);

#pragma GCC visibility pop

#endif
