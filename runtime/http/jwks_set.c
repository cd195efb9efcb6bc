/*
 * Keys by kid, and when to fetch new ones; see jwks.h for the policy.
 */
#include "jwks_set.h"

#include <log.h>

#include <edge/crypto.h>

#include <errno.h>
#include <string.h>

static const int64_t second_us = 1000000;

static const struct token_key *find(const struct token_key *keys, const char *kid)
{
    for (; keys != NULL; keys = keys->next)
        if (strcmp(keys->kid, kid) == 0)
            return keys;
    return NULL;
}

static uint64_t kid_hash(const char *kid)
{
    uint8_t digest[32];
    uint64_t hash = 0;
    edge_sha256(kid, strlen(kid), digest);
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

static bool known_unknown(const struct jwks_set *set, const char *kid, int64_t now_us)
{
    uint64_t hash = kid_hash(kid);
    const struct jwks_unknown *unknown = &set->unknown[hash % JWKS_UNKNOWN_COUNT];
    return unknown->hash == hash && unknown->until_us > now_us;
}

static void remember_unknown(struct jwks_set *set, const char *kid, int64_t now_us)
{
    uint64_t hash = kid_hash(kid);
    set->unknown[hash % JWKS_UNKNOWN_COUNT] =
        (struct jwks_unknown){ .hash = hash, .until_us = now_us + JWKS_UNKNOWN_S * second_us };
}

static bool older_than(int64_t then_us, int64_t seconds, int64_t now_us)
{
    return then_us == 0 || now_us - then_us >= seconds * second_us;
}

static bool may_fetch(const struct jwks_set *set, int64_t now_us)
{
    return older_than(set->attempted_us, set->keys != NULL ? JWKS_INTERVAL_S : JWKS_INTERVAL_EMPTY_S, now_us);
}

static enum jwks_step step_with_key(const struct jwks_set *set, bool waited, bool fetching, int64_t now_us)
{
    if (waited || !older_than(set->fetched_us, JWKS_FRESH_S, now_us))
        return JWKS_USE;
    if (!fetching && !may_fetch(set, now_us))
        return JWKS_USE;
    return older_than(set->fetched_us, JWKS_STALE_S, now_us) ? JWKS_FETCH : JWKS_USE_REFRESH;
}

enum jwks_step jwks_set_step(struct jwks_set *set, const char *kid, bool waited, bool fetching, int64_t now_us,
    const struct token_key **key)
{
    *key = find(set->keys, kid);
    if (*key != NULL)
        return step_with_key(set, waited, fetching, now_us);

    if (set->keys != NULL && known_unknown(set, kid, now_us))
        return JWKS_REFUSE;
    if (!waited && (fetching || may_fetch(set, now_us)))
        return JWKS_FETCH;
    if (set->keys == NULL)
        return JWKS_NO_SET;
    /* Only a set that came after the question says that there is no such key. */
    if (waited && set->fetched_us == set->attempted_us)
        remember_unknown(set, kid, now_us);
    return JWKS_REFUSE;
}

static void keys_free(struct token_key *keys)
{
    while (keys != NULL) {
        struct token_key *next = keys->next;
        token_key_free(keys);
        keys = next;
    }
}

/* The usable keys of a set, first one first when a kid is there twice; NULL when there are none. */
static struct token_key *keys_read(const json_t *list)
{
    struct token_key *keys = NULL, **end = &keys;
    size_t i = 0;
    const json_t *jwk = NULL;
    json_array_foreach(list, i, jwk)
    {
        const char *reason = NULL;
        struct token_key *key = i < JWKS_KEYS_MAX ? token_key_from_jwk(jwk, &reason) : NULL;
        if (key != NULL && find(keys, key->kid) == NULL) {
            *end = key;
            end = &key->next;
            continue;
        }
        token_key_free(key);
        log_event(EDGE_LOG_DEBUG, "jwks_key_ignored", { "index", edge_int((int64_t)i) },
            { "reason", edge_text(reason != NULL ? reason : "one too many") });
    }
    return keys;
}

int jwks_set_update(struct jwks_set *set, const char *text, size_t length, int64_t now_us, bool *withdrawn)
{
    json_t *document = json_loadb(text, length, 0, NULL);
    struct token_key *keys = keys_read(json_object_get(document, "keys"));
    json_decref(document);
    if (keys == NULL) {
        jwks_set_failed(set, now_us);
        return -EINVAL;
    }

    *withdrawn = false;
    for (const struct token_key *old = set->keys; old != NULL; old = old->next)
        if (find(keys, old->kid) == NULL)
            *withdrawn = true;
    keys_free(set->keys);
    set->keys = keys;
    set->fetched_us = set->attempted_us = now_us;
    return 0;
}

void jwks_set_failed(struct jwks_set *set, int64_t now_us)
{
    set->attempted_us = now_us;
}

void jwks_set_clear(struct jwks_set *set)
{
    keys_free(set->keys);
    *set = (struct jwks_set){ 0 };
}
