/*
 * Claims of keys; see flight.h.
 *
 * A claim lives in its invocation's arena and is ended with it (claim_end), which hands a flight without a
 * value on to the next in line. An outdated flight is out of reach for new claims, and what it brings is not
 * kept.
 */
#include "cache/flight.h"

#include <context.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    CHAIN_COUNT = 256
};

struct flight;

struct claim {
    edge_ctx *ctx;
    struct fiber *fiber;
    struct flight *flight; /* NULL: neither waits nor makes */
    bool waits;            /* in the flight's line; else it is the maker */
    struct cache_value *value;
    struct fiber_wait wait;
    TAILQ_ENTRY(claim) link;
};

struct flight {
    LIST_ENTRY(flight) chained;
    struct claim *maker;
    TAILQ_HEAD(claim_list, claim) line;
    bool outdated;
    char key[];
};

static LIST_HEAD(flight_list, flight) chains[CHAIN_COUNT];

static struct flight_list *chain_of(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return &chains[(hash ^ (hash >> 16)) % CHAIN_COUNT];
}

static void leave_line(struct claim *claim)
{
    if (claim->waits)
        TAILQ_REMOVE(&claim->flight->line, claim, link);
    if (claim->waits)
        claim->flight = NULL;
    claim->waits = false;
}

static void end_flight(struct flight *flight, struct cache_value *value)
{
    struct claim *claim = NULL;
    while ((claim = TAILQ_FIRST(&flight->line)) != NULL) {
        leave_line(claim);
        claim->value = value_hold(value);
        fiber_wake(&claim->wait);
    }
    flight->maker->flight = NULL;
    LIST_REMOVE(flight, chained);
    free(flight);
}

/* The maker brings nothing: the next in line is the maker, or there is no flight any more. */
static void hand_over(struct flight *flight)
{
    struct claim *next = TAILQ_FIRST(&flight->line);
    if (next == NULL) {
        end_flight(flight, NULL);
        return;
    }
    TAILQ_REMOVE(&flight->line, next, link);
    next->waits = false;
    flight->maker->flight = NULL;
    flight->maker = next;
    /* It begins anew, and so after what was deleted. */
    flight->outdated = false;
    fiber_wake(&next->wait);
}

static void claim_end(void *arg)
{
    struct claim *claim = arg;
    if (claim->waits)
        leave_line(claim);
    else if (claim->flight != NULL)
        hand_over(claim->flight);
    value_release(claim->value);
    claim->value = NULL;
}

static void wait_abandoned(struct fiber_wait *wait)
{
    struct claim *claim = (struct claim *)(void *)((char *)wait - offsetof(struct claim, wait));
    leave_line(claim);
}

static struct claim *claim_make(edge_ctx *ctx)
{
    struct claim *claim = edge_alloc(ctx, sizeof *claim);
    claim->ctx = ctx;
    claim->fiber = fiber_current();
    claim->wait = (struct fiber_wait){ .abandon = wait_abandoned, .reason = "cache" };
    if (ctx->finished)
        edge_defer(ctx, claim_end, claim);
    else
        context_at_finish(ctx, claim_end, claim);
    return claim;
}

static struct flight *flight_of(const char *key)
{
    struct flight *flight = NULL;
    LIST_FOREACH(flight, chain_of(key), chained)
    if (!flight->outdated && strcmp(flight->key, key) == 0)
        return flight;
    return NULL;
}

static void take_off(struct claim *claim, const char *key)
{
    size_t size = strlen(key) + 1;
    struct flight *flight = malloc(sizeof *flight + size);
    if (flight == NULL)
        edge_fail(claim->ctx, 503, "overloaded", "The host is out of memory");
    memcpy(flight->key, key, size);
    flight->maker = claim;
    flight->outdated = false;
    TAILQ_INIT(&flight->line);
    LIST_INSERT_HEAD(chain_of(key), flight, chained);
    claim->flight = flight;
}

struct cache_value *flight_claim(edge_ctx *ctx, const char *key)
{
    struct flight *flight = flight_of(key);
    if (flight != NULL && flight->maker->ctx == ctx && flight->maker->fiber == fiber_current())
        return NULL;
    struct claim *claim = claim_make(ctx);
    if (flight == NULL) {
        take_off(claim, key);
        return NULL;
    }
    claim->flight = flight;
    claim->waits = true;
    TAILQ_INSERT_TAIL(&flight->line, claim, link);
    fiber_wait(&claim->wait);
    return claim->value;
}

static struct flight *flight_made_by(const edge_ctx *ctx, const char *key)
{
    struct flight *flight = NULL;
    LIST_FOREACH(flight, chain_of(key), chained)
    if (flight->maker->ctx == ctx && strcmp(flight->key, key) == 0)
        return flight;
    return NULL;
}

bool flight_land(edge_ctx *ctx, const char *key, struct cache_value *value)
{
    struct flight *flight = flight_made_by(ctx, key);
    bool current = flight == NULL || !flight->outdated;
    if (flight != NULL && value == NULL)
        hand_over(flight);
    else if (flight != NULL)
        end_flight(flight, value);
    return current;
}

void flight_outdate(const char *key)
{
    struct flight *flight = NULL;
    LIST_FOREACH(flight, chain_of(key), chained)
    if (strcmp(flight->key, key) == 0)
        flight->outdated = true;
}

void flight_outdate_prefix(const char *prefix, size_t length)
{
    for (size_t i = 0; i < CHAIN_COUNT; i++) {
        struct flight *flight = NULL;
        LIST_FOREACH(flight, &chains[i], chained)
        if (strncmp(flight->key, prefix, length) == 0)
            flight->outdated = true;
    }
}
