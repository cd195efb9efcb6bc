/*
 * What the worker knows of the identity provider's keys, and what follows from it. No I/O here: jwks.c fetches.
 */
#ifndef HTTP_JWKS_SET_H
#define HTTP_JWKS_SET_H

#include "token.h"

enum {
    JWKS_FRESH_S = 300,        /* then a new set is fetched in the background */
    JWKS_STALE_S = 3600,       /* then callers wait for a new set before they use the old one */
    JWKS_INTERVAL_S = 10,      /* between two fetches */
    JWKS_INTERVAL_EMPTY_S = 1, /* the same while there is no set at all */
    JWKS_UNKNOWN_S = 30,       /* a kid that a fresh set did not have is refused this long */
    JWKS_UNKNOWN_COUNT = 256,
    JWKS_KEYS_MAX = 64,
};

/* A kid the provider did not know, by its hash. A second one on its place replaces it. */
struct jwks_unknown {
    uint64_t hash;
    int64_t until_us;
};

struct jwks_set {
    struct token_key *keys;
    int64_t fetched_us;   /* monotonic; when the set came, 0: never */
    int64_t attempted_us; /* when a fetch last ended, 0: never */
    struct jwks_unknown unknown[JWKS_UNKNOWN_COUNT];
};

enum jwks_step {
    JWKS_USE,         /* the key is good */
    JWKS_USE_REFRESH, /* so it is, but fetch a new set meanwhile */
    JWKS_FETCH,       /* fetch a new set and look again */
    JWKS_REFUSE,      /* no such key */
    JWKS_NO_SET,      /* no keys at all */
};

/* What to do about a kid; *key is set for the first two. waited: a fetch for it has ended just now. */
enum jwks_step jwks_set_step(struct jwks_set *set, const char *kid, bool waited, bool fetching, int64_t now_us,
    const struct token_key **key);

/*
 * Takes the text of a new set over. 0 and *withdrawn (a key of the old set is gone), or -EINVAL when it has no
 * usable key: then the old one stays. Outside of any arena.
 */
int jwks_set_update(struct jwks_set *set, const char *text, size_t length, int64_t now_us, bool *withdrawn);

/* A fetch has failed. */
void jwks_set_failed(struct jwks_set *set, int64_t now_us);

void jwks_set_clear(struct jwks_set *set);

#endif
