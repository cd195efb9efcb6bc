/*
 * Session tokens of the development issuer, with the claims that Clerk's session tokens (version 1) carry.
 */
#ifndef DEVELOPMENT_TOKEN_H
#define DEVELOPMENT_TOKEN_H

#include <stdint.h>

struct config;

/*
 * A token for a user, signed with the key at [auth] development_key and valid for so long; to be freed by the
 * caller. NULL when the key cannot be used, and why on standard error.
 */
char *development_token(const struct config *config, const char *user, int64_t lifetime_ms);

#endif
