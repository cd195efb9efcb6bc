/*
 * Fetching the key set, once for all who wait for it.
 */
#include "jwks.h"

#include "jwks_set.h"

#include <log.h>

#include <edge/http.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FETCH_MEMORY = 2 * 1024 * 1024,
    FETCH_BYTES_MAX = 256 * 1024,
    FETCH_TIMEOUT_MS = 8000,
    CALL_TIMEOUT_MS = 3000
};

/* A fiber that waits for the fetch. */
struct waiter {
    struct fiber_wait wait; /* first: abandon gets it back from this */
    struct waiter *previous, *next;
};

static struct {
    char *url;
    struct jwks_set set;
    edge_ctx *fetch;   /* the invocation that fetches, NULL: none */
    edge_reply *reply; /* of fetch, once it has come; in its memory */
    struct waiter *waiters;
    uint64_t fetches, failures;
    bool key_withdrawn;
} jwks;

static void unlink_waiter(struct waiter *waiter)
{
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        jwks.waiters = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
}

static void wait_abandoned(struct fiber_wait *wait)
{
    if (!wait->woken)
        unlink_waiter((struct waiter *)wait);
}

static void wake_waiters(void)
{
    while (jwks.waiters != NULL) {
        struct waiter *waiter = jwks.waiters;
        unlink_waiter(waiter);
        fiber_wake(&waiter->wait);
    }
}

static void fetch_main(edge_ctx *ctx)
{
    jwks.reply = edge_try_fetch(ctx, JWKS_PROVIDER, .path = "", .max_bytes = FETCH_BYTES_MAX,
        .timeout_ms = CALL_TIMEOUT_MS, .retries = 1);
}

static int take_reply(const edge_reply *reply)
{
    if (reply == NULL || reply->failure != EDGE_HTTP_OK || reply->status != 200)
        return -EIO;
    bool withdrawn = false;
    struct arena *arena = arena_enter(NULL);
    int result = jwks_set_update(&jwks.set, reply->body, reply->length, clock_us(), &withdrawn);
    arena_enter(arena);
    jwks.key_withdrawn = jwks.key_withdrawn || withdrawn;
    return result;
}

static const char *failure_text(const edge_ctx *ctx)
{
    if (ctx->failure != NULL)
        return ctx->failure->said.message;
    if (jwks.reply != NULL && jwks.reply->failure != EDGE_HTTP_OK)
        return jwks.reply->message;
    return jwks.reply != NULL && jwks.reply->status == 200 ? "no usable key in the answer"
                                                           : "not answered with 200";
}

static void fetch_finished(edge_ctx *ctx)
{
    if (ctx != jwks.fetch)
        return; /* of a URL that has been replaced meanwhile */
    jwks.fetch = NULL;
    if (ctx->failure != NULL || take_reply(jwks.reply) < 0) {
        jwks.failures++;
        jwks_set_failed(&jwks.set, clock_us());
        log_event(EDGE_LOG_WARN, "jwks_fetch_failed", { "url", edge_text(jwks.url) },
            { "status", edge_int(jwks.reply != NULL ? jwks.reply->status : 0) },
            { "reason", edge_text(failure_text(ctx)) }, { "keysKept", edge_bool(jwks.set.keys != NULL) });
    }
    jwks.reply = NULL;
    wake_waiters();
}

static void fetch_start(void)
{
    static const struct context_ops ops = { .main = fetch_main, .finished = fetch_finished };
    edge_ctx *ctx = context_create(&(const struct context_setup){ .ops = &ops,
        .name = "_edge/jwks",
        .generation = "",
        .memory_bytes = FETCH_MEMORY,
        .timeout_ms = FETCH_TIMEOUT_MS });
    jwks.fetches++;
    if (ctx == NULL) {
        jwks.failures++;
        jwks_set_failed(&jwks.set, clock_us());
        return;
    }
    jwks.fetch = ctx;
    jwks.reply = NULL;
    context_run(ctx);
}

enum jwks_answer jwks_look(const char *kid, bool waited, int64_t now_us, const struct token_key **key)
{
    enum jwks_step step = jwks_set_step(&jwks.set, kid, waited, jwks.fetch != NULL, now_us, key);
    if ((step == JWKS_FETCH || step == JWKS_USE_REFRESH) && jwks.fetch == NULL) {
        fetch_start();
        /* It may be over already (a refused call), and the key with the old set. */
        if (jwks.fetch == NULL)
            step = jwks_set_step(&jwks.set, kid, true, false, now_us, key);
    }
    switch (step) {
    case JWKS_USE:
    case JWKS_USE_REFRESH:
        return JWKS_FOUND;
    case JWKS_FETCH:
        return JWKS_WAIT;
    case JWKS_REFUSE:
        return JWKS_UNKNOWN;
    default:
        return JWKS_UNREACHABLE;
    }
}

void jwks_wait(edge_ctx *ctx)
{
    (void)ctx;
    if (jwks.fetch == NULL)
        return;
    struct waiter waiter = { .wait = { .abandon = wait_abandoned, .reason = "jwks" }, .next = jwks.waiters };
    if (waiter.next != NULL)
        waiter.next->previous = &waiter;
    jwks.waiters = &waiter;
    fiber_wait(&waiter.wait);
}

bool jwks_key_withdrawn(void)
{
    bool withdrawn = jwks.key_withdrawn;
    jwks.key_withdrawn = false;
    return withdrawn;
}

void jwks_counts(uint64_t *fetches, uint64_t *failures)
{
    *fetches = jwks.fetches;
    *failures = jwks.failures;
}

int jwks_start(const char *url)
{
    if (url != NULL && jwks.url != NULL && strcmp(url, jwks.url) == 0)
        return 0;
    jwks_stop();
    if (url == NULL)
        return 0;
    jwks.url = strdup(url);
    return jwks.url != NULL ? 0 : -ENOMEM;
}

void jwks_stop(void)
{
    edge_ctx *fetch = jwks.fetch;
    jwks.fetch = NULL;
    if (fetch != NULL)
        context_cancel(fetch, 503, "draining", "The key set is no longer wanted");
    wake_waiters();
    struct arena *arena = arena_enter(NULL);
    jwks_set_clear(&jwks.set);
    arena_enter(arena);
    free(jwks.url);
    jwks.url = NULL;
    jwks.reply = NULL;
}
