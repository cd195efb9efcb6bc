/*
 * Session tokens as the worker's invocations use them: configured keys and rules, the key set, and the cache of
 * what has been verified.
 */
#ifndef HTTP_TOKEN_SYSTEM_H
#define HTTP_TOKEN_SYSTEM_H

#include "token.h"

#include <config/config.h>
#include <context.h>

/*
 * Takes the configuration over (copied), forgetting what was verified under the one before; for the start and
 * for every reload. jwt_key goes before jwks_url. With a jwks_url the caller registers the provider
 * JWKS_PROVIDER (jwks.h) with the HTTP client. 0, -EINVAL when jwt_key is no usable key (logged), or -ENOMEM.
 */
int token_system_start(const struct auth_config *config);
void token_system_stop(void);

/* What a credential that came with a request is. */
enum token_kind {
    TOKEN_NOBODY,  /* an anon or publishable key: counts as no token */
    TOKEN_SERVICE, /* the service key */
    TOKEN_SESSION, /* a verified session; *claims is set */
    TOKEN_REFUSED, /* anything else; *reason is for the log */
    TOKEN_KEYLESS, /* no key is configured that could verify it */
    TOKEN_NO_KEYS, /* the key set cannot be fetched, and there is none */
};

/*
 * Says what a credential is; parks when keys have to be fetched. claims are borrowed until the next park.
 * A session that was seen before costs a hash.
 */
enum token_kind token_identify(
    edge_ctx *ctx, const char *text, size_t length, const struct token_claims **claims, const char **reason);

struct token_stats {
    uint32_t cached;
    uint64_t hits, verified, refused;
};

void token_get_stats(struct token_stats *stats);

#endif
