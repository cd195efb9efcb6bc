/*
 * The host's side of every answer: the headers that all carry, and the JSON of its own errors.
 *
 * No answer of the host is empty or not JSON, whatever its status: the product's own client parses every one
 * (clients.md 1).
 */
#ifndef HTTP_RESPOND_H
#define HTTP_RESPOND_H

#include "exchange.h"

struct failure;

/* Most headers that a function may add to its answer. */
#define RESPOND_HEADER_MAX 64

struct header_node;

/* What an answer is made of beside its body. */
struct answer {
    int status;
    const char *media_type;
    const char *code;               /* of an error: header sb-error-code */
    const char *generation;         /* header x-function-version; NULL: the host's own answer */
    const struct header_node *more; /* the function's own headers */
    int retry_after_seconds;
};

/* Sends the head, and the body when there is one already; length -1: pieces follow. */
void respond_head(struct exchange *exchange, const struct answer *answer, int64_t length, const void *body,
    size_t body_length);

/* Sends a whole answer with a body of JSON text, and ends the exchange. */
void respond_json(struct exchange *exchange, const struct answer *answer, const char *text, size_t length);

/* Sends the host's own error envelope, without an invocation's memory, and ends the exchange. */
void respond_error(struct exchange *exchange, int status, const char *code, const char *message);

/* Answers a request that was refused on its head or body (exchange->refused). */
void respond_refusal(struct exchange *exchange);

/* Answers a browser's preflight. */
void respond_preflight(struct exchange *exchange);

/* True for faults of the host itself, which supabase-js is to report as relay errors (x-relay-error). */
bool respond_is_host_fault(const char *code);

#endif
