/*
 * A named provider: settings, the cap on calls at a time with its queue, and its circuit breaker.
 */
#ifndef HTTP_PROVIDER_H
#define HTTP_PROVIDER_H

#include <http.h>

#include "breaker.h"
#include "call.h"

struct provider {
    struct provider_settings settings; /* strings are copies */
    bool tls;
    bool resolves; /* the host is a name */
    int running, resolving;
    int64_t resolved_until_us;      /* libcurl knows the host's addresses until then */
    struct http_call *first, *last; /* queue, oldest first */
    int queued;
    bool pumping;
    struct breaker breaker;
    uint64_t calls, failures, retries;
};

/* Copies the settings; 0, -EINVAL (logged) for a base URL or key that cannot be used, or -ENOMEM. */
int provider_start_all(const struct provider_settings *settings, size_t count);
void provider_stop_all(void);

/* NULL when functions.toml has no such provider. */
struct provider *provider_find(const char *name);

/* In the fiber. The provider, which takes URLs; otherwise the invocation ends. */
struct provider *provider_of_urls(edge_ctx *ctx, const char *name);

/* Loop's stack. Begins the call, queues it, or ends it because the breaker is open. */
void provider_submit(struct http_call *call);

/* A call leaves the queue, or ends its attempt; begins calls that now have room. */
void provider_unqueue(struct http_call *call);
void provider_leave(struct http_call *call, enum breaker_verdict verdict);

/* From libcurl's callbacks: the call's host has an address; the head of an answer is here. */
void provider_resolved(struct http_call *call);
void provider_answered(struct http_call *call, enum breaker_verdict verdict);

/* Begins queued calls of all providers that have room. */
void provider_pump_all(void);

#endif
