/*
 * The worker's cache from the host's side.
 */
#ifndef HOST_CACHE_H
#define HOST_CACHE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_settings {
    size_t budget_bytes; /* 0: 32 MiB */
    /* For LISTEN and NOTIFY: a session of its own, so not through PgBouncer's transaction pooling. NULL:
     * deletes reach this worker only. */
    const char *url;
};

struct cache_stats {
    size_t entries, bytes, budget_bytes;
    uint64_t hits, misses, evictions, invalidations; /* invalidations: heard from others */
    bool listening;
};

/* Starts empty; settings are copied. With a url, after db_start. 0 or a negative errno. */
int cache_start(struct ev_loop *loop, const struct cache_settings *settings);

/* No invocation may be left. */
void cache_stop(void);

void cache_get_stats(struct cache_stats *stats);

#endif
