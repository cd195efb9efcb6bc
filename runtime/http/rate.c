/*
 * Buckets in shared memory; see rate.h for the model.
 *
 * A word is a tag, which tells the keys of a set apart, and the time at which the bucket is full again ("full
 * at", GCRA's theoretical arrival time), both in one word so that one compare-and-swap decides. Tags of 22 bits
 * make two keys of one set the same once in half a million pairs. Times are multiples of 4 microseconds since
 * the table was made, and wrap after half a year; what looks further ahead than the longest window can only be
 * a relic.
 */
#include "rate.h"

#include <edge/crypto.h>
#include <edge/request.h>

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
    WAYS = 8,
    TIME_BITS = 42,
    TICK_US = 4,
    SEED_BYTES = 16,
    ATTEMPTS_MAX = 64
};

static const uint64_t time_mask = (UINT64_C(1) << TIME_BITS) - 1;
static const int64_t longest_window = INT64_C(86400) * 1000000 / TICK_US;

/* One set fills one cache line. */
struct set {
    _Atomic uint64_t words[WAYS];
} __attribute__((aligned(64)));

struct rate_table {
    size_t set_mask, mapped_bytes;
    int64_t made_us;
    uint8_t seed[SEED_BYTES];
    struct set sets[];
};

/* A limit in ticks. */
struct pace {
    int64_t interval; /* one call's worth */
    int64_t window;   /* the whole bucket's */
};

struct rate_table *rate_table_create(size_t slots)
{
    size_t sets = 1;
    while (sets * WAYS < slots)
        sets *= 2;

    size_t bytes = sizeof(struct rate_table) + sets * sizeof(struct set);
    struct rate_table *table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED)
        return NULL;
    table->set_mask = sets - 1;
    table->mapped_bytes = bytes;
    table->made_us = clock_us();
    edge_random(table->seed, sizeof table->seed);
    return table;
}

void rate_table_free(struct rate_table *table)
{
    if (table != NULL)
        munmap(table, table->mapped_bytes);
}

/* Keyed, so that nobody can choose addresses whose buckets push another caller's out. */
uint64_t rate_key(const struct rate_table *table, const char *function, enum rate_scope scope, const char *id)
{
    char text[640];
    uint8_t digest[32];
    memcpy(text, table->seed, SEED_BYTES);
    int length = snprintf(text + SEED_BYTES, sizeof text - SEED_BYTES, "%d\n%s\n%s", (int)scope, function, id);
    size_t used = (size_t)length < sizeof text - SEED_BYTES ? (size_t)length : sizeof text - SEED_BYTES - 1;
    edge_sha256(text, SEED_BYTES + used, digest);

    uint64_t key = 0;
    memcpy(&key, digest, sizeof key);
    return key;
}

static struct pace pace_of(const struct rate_limit *limit)
{
    int64_t count = limit->count > 0 ? limit->count : 1;
    int64_t interval = (int64_t)limit->window_seconds * 1000000 / TICK_US / count;
    interval = interval > 0 ? interval : 1;
    return (struct pace){ .interval = interval, .window = interval * count };
}

static uint64_t tag_of(uint64_t key)
{
    uint64_t tag = key >> TIME_BITS;
    return tag != 0 ? tag : 1;
}

/* Ticks until a word's bucket is full, not more than window; 0 when it is, or when the word is a relic. */
static int64_t filling(uint64_t word, uint64_t now, int64_t window)
{
    int64_t ahead = (int64_t)(((word & time_mask) - now) & time_mask);
    if (ahead > longest_window)
        return 0;
    return ahead < window ? ahead : window;
}

/* The key's place in its set, or the one it may take: a full bucket's, else the one that is full first. */
static size_t place_of(struct set *set, uint64_t tag, uint64_t now, uint64_t *word)
{
    size_t best = 0;
    uint64_t best_word = 0;
    int64_t best_filling = INT64_MAX;
    for (size_t i = 0; i < WAYS; i++) {
        *word = atomic_load_explicit(&set->words[i], memory_order_relaxed);
        if (*word >> TIME_BITS == tag)
            return i;
        int64_t left = filling(*word, now, longest_window);
        if (left < best_filling) {
            best = i;
            best_word = *word;
            best_filling = left;
        }
    }
    *word = best_word;
    return best;
}

static uint32_t whole_seconds(int64_t ticks)
{
    const int64_t second = 1000000 / TICK_US;
    return (uint32_t)((ticks + second - 1) / second);
}

uint32_t rate_take(struct rate_table *table, uint64_t key, const struct rate_limit *limit, int64_t now_us)
{
    struct set *set = &table->sets[key & table->set_mask];
    struct pace pace = pace_of(limit);
    uint64_t tag = tag_of(key);
    uint64_t now = (uint64_t)((now_us - table->made_us) / TICK_US) & time_mask;

    /* Lost races mean that others got through; after that many the table is not what is slow here. */
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        uint64_t word = 0;
        size_t place = place_of(set, tag, now, &word);
        bool own = word >> TIME_BITS == tag;
        int64_t full_in = own ? filling(word, now, pace.window) : 0;
        if (full_in > pace.window - pace.interval)
            return whole_seconds(full_in - (pace.window - pace.interval));

        uint64_t full_at = (now + (uint64_t)(full_in + pace.interval)) & time_mask;
        if (atomic_compare_exchange_weak_explicit(&set->words[place], &word, tag << TIME_BITS | full_at,
                memory_order_relaxed, memory_order_relaxed))
            return 0;
    }
    return 0;
}

/* An address as limits count it, in out: IPv6 by its first 64 bits, an IPv4-mapped one as IPv4. */
static const char *address_id(const char *ip, char out[INET6_ADDRSTRLEN])
{
    struct in6_addr address;
    if (inet_pton(AF_INET6, ip, &address) != 1)
        return ip;
    if (IN6_IS_ADDR_V4MAPPED(&address))
        return inet_ntop(AF_INET, &address.s6_addr[12], out, INET6_ADDRSTRLEN);
    memset(&address.s6_addr[8], 0, 8);
    return inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
}

static struct rate_table *in_use;

void rate_use(struct rate_table *table)
{
    in_use = table;
}

static void count(edge_ctx *ctx, const struct function_config *function, enum rate_scope scope, const char *id)
{
    const struct rate_limit *limit = &function->rate;
    uint32_t seconds = rate_take(in_use, rate_key(in_use, function->name, scope, id), limit, clock_us());
    if (seconds > 0)
        edge_fail_with(ctx, 429, "rate_limited",
            .message = edge_format(ctx, "Rate limit reached: %u calls in %u s are allowed, try again in %u s",
                limit->count, limit->window_seconds, seconds),
            .retry_after_seconds = (int)seconds);
}

static void count_address(edge_ctx *ctx, const struct function_config *function)
{
    char address[INET6_ADDRSTRLEN];
    count(ctx, function, RATE_PER_IP, address_id(edge_request_ip(ctx), address));
}

void rate_admit(edge_ctx *ctx, const struct function_config *function)
{
    if (in_use != NULL && function->rate.scope == RATE_PER_IP)
        count_address(ctx, function);
}

void rate_enforce(edge_ctx *ctx, const struct function_config *function)
{
    const struct identity *identity = &ctx->identity;
    if (in_use == NULL)
        return;
    if (function->rate.scope == RATE_TOTAL)
        count(ctx, function, RATE_TOTAL, "");
    else if (function->rate.scope == RATE_PER_USER && identity->user != NULL)
        count(ctx, function, RATE_PER_USER, identity->user);
    else if (function->rate.scope == RATE_PER_USER && identity->caller != EDGE_CALLER_SERVICE)
        count_address(ctx, function);
}
