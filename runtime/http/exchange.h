/*
 * One request and its answer, whatever the protocol's version.
 *
 * An exchange is made when a request's first byte is parsed. Its head lies in one growing block; its body in
 * memory up to [server].body_memory, then in an unlinked file. It lives until it has been answered and its
 * invocation (if one was started) has been released; connection is NULL once the client has left.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "body.h"
#include "route.h"
#include "server.h"

#include <edge/base.h>
#include <edge/http.h>

#include <stdint.h>
#include <sys/types.h>

struct connection;
struct exchange;
struct generation;

/* How a protocol version sends an answer. */
struct exchange_ops {
    /* Sends the head, and a body that is there already. length -1: pieces follow, ended by end. */
    void (*head)(struct exchange *exchange, int status, const edge_header *headers, int64_t length,
        const void *body, size_t body_length);
    /* Sends a piece; returns the bytes queued for this client. */
    size_t (*data)(struct exchange *exchange, const void *data, size_t length);
    /* Sends bytes of a file as a piece, as context_ops.file; NULL: no such way. */
    ssize_t (*file)(struct exchange *exchange, int fd, int64_t offset, size_t length);
    /* The answer is complete; the exchange is off the connection when this returns. */
    void (*end)(struct exchange *exchange);
    /* Breaks the answer off: closes the connection, or resets the stream. */
    void (*abort)(struct exchange *exchange);
};

/* A refusal decided on the head alone: answered once the body has been read away, or at once with close. */
struct refusal {
    int status; /* 0: none */
    const char *code, *message;
    const char *allow;                         /* of a 405: the methods there are */
    int retry_after_seconds;                   /* 0: not said */
    void (*answer)(struct exchange *exchange); /* says more than that; NULL: nothing does */
};

struct exchange {
    struct http_server *server;
    struct connection *connection; /* NULL: the client has left */
    const struct exchange_ops *ops;
    void *stream; /* the protocol's own */

    const char *method; /* upper case, constant */
    char *head;         /* target and headers, NUL-terminated one after the other */
    size_t head_length, head_capacity;
    size_t head_expected; /* bytes that may still come of it at once; 0: not known */
    uint32_t *headers;    /* pairs of offsets into head: name (lower case), value */
    size_t header_count, header_capacity;
    bool in_name, in_value, head_done, head_too_large, url_too_large, malformed;

    const char *target; /* as received; the path ends at the query */
    size_t path_length;
    const char *query; /* behind "?", "" when there is none */
    char *scratch;     /* of match */
    struct route_match match;
    struct refusal refused;
    struct body body;
    int body_error;          /* 0, or why the body could not be taken: -EFBIG, -ENOSPC … */
    int64_t content_length;  /* -1: not announced */
    bool upgrade;            /* asks for a WebSocket */
    bool keep_alive, chunks; /* chunks: the client understands chunked coding (HTTP/1.1) */
    bool body_complete, head_sent, answered;
    bool piecewise;    /* the answer has no announced length */
    bool event_stream; /* the answer is one: comments keep it alive */
    int status;        /* sent */
    uint64_t bytes_out;
    struct generation *generation; /* serves it, and is held by it; NULL: the host itself */
    const char *answer_text;       /* the function's JSON, in the invocation's memory */
    size_t answer_length;
    edge_ctx *ctx; /* its invocation, until that is released */
    bool probe;    /* of a quarantined function: if it ends well, the quarantine does */
    bool stale;    /* the function's source is newer than what serves it: header x-function-stale */
    bool detached; /* off its connection: freed with the invocation */
    char request_id[40];
};

/* NULL when memory is short. */
struct exchange *exchange_create(struct connection *connection, const struct exchange_ops *ops);

/*
 * Takes it off its connection: answered, or client_gone. It is freed at once, or when exchange_release says
 * that the invocation has let go of it.
 */
void exchange_detach(struct exchange *exchange, bool client_gone);
void exchange_release(struct exchange *exchange);

/* Parts of the head as they are parsed. False when a limit is passed or a character is not allowed. */
bool exchange_add_target(struct exchange *exchange, const char *data, size_t length);
bool exchange_add_name(struct exchange *exchange, const char *data, size_t length);
bool exchange_add_value(struct exchange *exchange, const char *data, size_t length);

/* First value of a header, NULL when absent; how often it was sent. name in lower case. */
const char *exchange_header(const struct exchange *exchange, const char *name);
size_t exchange_header_count(const struct exchange *exchange, const char *name);

/* All headers, ended by { 0 }, in the memory of an invocation. Repeated ones stay apart. */
edge_header *exchange_headers(const struct exchange *exchange, edge_ctx *ctx);

/* The head is complete: splits the target and lets the server look at it. */
void exchange_head_complete(struct exchange *exchange);

/* A piece of the body: kept, spooled, or dropped when the request has been refused. False: body_error is set.
 */
bool exchange_add_body(struct exchange *exchange, const char *data, size_t length);

/* The whole request is here: hands it to the server. */
void exchange_dispatch(struct exchange *exchange);

#endif
