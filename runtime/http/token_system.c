/*
 * The worker's one verifier of session tokens.
 */
#include "token_system.h"

#include "jwks.h"
#include "token_cache.h"

#include <log.h>

#include <edge/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHE_CAPACITY = 4096,
    KID_MAX_BYTES = 255,
    DEFAULT_SKEW_MS = 5000
};

static struct {
    struct token_rules rules;
    struct token_key *key; /* the configured one, NULL: keys come from the key set */
    bool has_key_set, has_service_key;
    uint8_t service_key[32]; /* SHA-256: equal lengths, so that comparing tells nothing about the key's */
    uint8_t
        anonymous[32]; /* SHA-256 of the anon key seen last: every call of a page without a session has it */
    struct token_cache *cache;
    struct token_stats stats;
} tokens;

/* One look at a token, on the loop's stack. */
struct look {
    const char *text;
    size_t length;
    int64_t now_ms;
    bool waited;
    enum jwks_answer answer;
    enum token_kind kind;
    struct token_claims *claims;
    const char *reason;
};

static void rules_free(struct token_rules *rules)
{
    for (size_t i = 0; rules->authorized_parties != NULL && rules->authorized_parties[i] != NULL; i++)
        free((char *)rules->authorized_parties[i]);
    free((void *)rules->authorized_parties);
    free((char *)rules->issuer);
    *rules = (struct token_rules){ 0 };
}

static const char **copy_list(const char **list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL)
        count++;
    const char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++) {
        copy[i] = strdup(list[i]);
        if (copy[i] == NULL)
            abort(); /* half a list would turn parties away that are authorized */
    }
    return copy;
}

static int rules_read(const struct auth_config *config)
{
    rules_free(&tokens.rules);
    tokens.rules.skew_ms = config->clock_skew_ms >= 0 ? config->clock_skew_ms : DEFAULT_SKEW_MS;
    tokens.rules.issuer = config->issuer != NULL ? strdup(config->issuer) : NULL;
    tokens.rules.authorized_parties = copy_list(config->authorized_parties);
    bool short_of_memory =
        tokens.rules.authorized_parties == NULL || (config->issuer != NULL && tokens.rules.issuer == NULL);
    return short_of_memory ? -ENOMEM : 0;
}

static int key_read(const struct auth_config *config)
{
    token_key_free(tokens.key);
    tokens.key = NULL;
    if (config->jwt_key == NULL)
        return 0;
    tokens.key = token_key_from_pem(config->jwt_key);
    if (tokens.key != NULL)
        return 0;
    log_event(EDGE_LOG_ERROR, "auth_key_unusable", { "setting", edge_text("auth.jwt_key") },
        { "expected", edge_text("PEM of an RSA public key of at least 2048 bits") });
    return -EINVAL;
}

int token_system_start(const struct auth_config *config)
{
    if (tokens.cache == NULL)
        tokens.cache = token_cache_create(CACHE_CAPACITY);
    if (tokens.cache == NULL)
        return -ENOMEM;
    token_cache_clear(tokens.cache);

    struct arena *arena = arena_enter(NULL);
    int result = rules_read(config);
    if (result == 0)
        result = key_read(config);
    arena_enter(arena);
    if (result < 0)
        return result;

    const char *service_key = config->service_key;
    tokens.has_service_key = service_key != NULL && *service_key != '\0';
    if (tokens.has_service_key)
        edge_sha256(service_key, strlen(service_key), tokens.service_key);
    memset(tokens.anonymous, 0, sizeof tokens.anonymous);
    tokens.has_key_set = tokens.key == NULL && config->jwks_url != NULL;
    return jwks_start(tokens.has_key_set ? config->jwks_url : NULL);
}

void token_system_stop(void)
{
    jwks_stop();
    struct arena *arena = arena_enter(NULL);
    token_key_free(tokens.key);
    arena_enter(arena);
    tokens.key = NULL;
    rules_free(&tokens.rules);
    token_cache_free(tokens.cache);
    tokens.cache = NULL;
    tokens.has_key_set = tokens.has_service_key = false;
}

/* The key that is to verify the token; NULL leaves in *look why there is none (yet). */
static const struct token_key *key_for(struct look *look, const struct token *token)
{
    if (tokens.key != NULL)
        return tokens.key;
    if (!tokens.has_key_set) {
        look->kind = TOKEN_KEYLESS;
        return NULL;
    }
    look->kind = TOKEN_REFUSED;
    if (token->kid == NULL || strlen(token->kid) > KID_MAX_BYTES) {
        look->reason = "without a key id";
        return NULL;
    }

    const struct token_key *key = NULL;
    look->answer = jwks_look(token->kid, look->waited, clock_us(), &key);
    if (look->answer == JWKS_UNREACHABLE)
        look->kind = TOKEN_NO_KEYS;
    look->reason = "signed with an unknown key";
    return look->answer == JWKS_FOUND ? key : NULL;
}

static void verify(struct look *look)
{
    struct token token;
    if (token_open(&token, look->text, look->length, &look->reason) == 0) {
        const struct token_key *key = key_for(look, &token);
        if (key != NULL &&
            token_verify(&token, key, &tokens.rules, look->now_ms, &look->claims, &look->reason) == 0)
            look->kind = TOKEN_SESSION;
    }
    token_close(&token);
}

/* A fiber's arena must not hold what a key or the cache keeps, nor its stack what RSA needs. */
static void look_on_loop(void *arg)
{
    struct look *look = arg;
    struct arena *arena = arena_enter(NULL);
    look->answer = JWKS_FOUND;
    look->kind = TOKEN_REFUSED;
    if (token_is_anonymous(look->text, look->length))
        look->kind = TOKEN_NOBODY;
    else
        verify(look);
    arena_enter(arena);
}

static void look_at(edge_ctx *ctx, struct look *look)
{
    fiber_on_loop(look_on_loop, look);
    if (look->answer == JWKS_WAIT) {
        jwks_wait(ctx);
        look->waited = true;
        fiber_on_loop(look_on_loop, look);
    }
    if (jwks_key_withdrawn())
        token_cache_clear(tokens.cache);
}

/* Supabase's keys: sb_publishable_, sb_secret_, sb_temp_. No JWT begins so. */
static bool is_project_key(const char *text, size_t length)
{
    return length >= 3 && memcmp(text, "sb_", 3) == 0;
}

enum token_kind token_identify(
    edge_ctx *ctx, const char *text, size_t length, const struct token_claims **claims, const char **reason)
{
    uint8_t digest[32];
    edge_sha256(text, length, digest);
    int64_t now_ms = edge_now(ctx) / 1000;
    *claims = token_cache_find(tokens.cache, digest, now_ms);
    if (*claims != NULL) {
        tokens.stats.hits++;
        return TOKEN_SESSION;
    }
    if (tokens.has_service_key && edge_equal(digest, 32, tokens.service_key, 32))
        return TOKEN_SERVICE;
    if (is_project_key(text, length) || memcmp(digest, tokens.anonymous, 32) == 0)
        return TOKEN_NOBODY;

    struct look look = { .text = text, .length = length, .now_ms = now_ms };
    look_at(ctx, &look);
    if (look.kind == TOKEN_SESSION) {
        /* Another fiber may have verified the same token while this one waited for keys. */
        *claims = token_cache_find(tokens.cache, digest, now_ms);
        if (*claims == NULL)
            token_cache_add(tokens.cache, digest, look.claims);
        else
            free(look.claims);
        *claims = *claims != NULL ? *claims : look.claims;
        tokens.stats.verified++;
    } else if (look.kind == TOKEN_NOBODY) {
        memcpy(tokens.anonymous, digest, 32);
    } else {
        tokens.stats.refused++;
        *reason = look.reason;
    }
    return look.kind;
}

void token_get_stats(struct token_stats *stats)
{
    *stats = tokens.stats;
    stats->cached = tokens.cache != NULL ? token_cache_count(tokens.cache) : 0;
}
