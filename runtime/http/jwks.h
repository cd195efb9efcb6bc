/*
 * The identity provider's key set (JWKS, RFC 7517), fetched when needed and kept by the worker.
 *
 * A set is fresh for five minutes. Then it is still used while a new one is fetched in the background; after an
 * hour without a good fetch the next caller waits for one. What a failed fetch leaves is the last good set. A
 * kid that the set does not have asks for one fetch, at most every ten seconds, and is then refused unasked for
 * thirty, so that forged kids are not passed on to the provider.
 *
 * A fetch is an invocation of the host's own ("_edge/jwks"), so it does not end with the request that wanted
 * it: whoever else wants keys meanwhile waits for the same one. It calls the provider JWKS_PROVIDER, which the
 * worker registers with the HTTP client (http_start), base_url being [auth].jwks_url.
 */
#ifndef HTTP_JWKS_H
#define HTTP_JWKS_H

#include "token.h"

#include <context.h>

#define JWKS_PROVIDER "_jwks"

/* Starts with the key set of a URL, NULL: none. Called again with the same URL it keeps what it has. */
int jwks_start(const char *url);
void jwks_stop(void);

/* How often the set was fetched since the start, and how many of these failed. */
void jwks_counts(uint64_t *fetches, uint64_t *failures);

enum jwks_answer {
    JWKS_FOUND,
    JWKS_WAIT,        /* call jwks_wait, then look again with waited = true */
    JWKS_UNKNOWN,     /* the set has no such key */
    JWKS_UNREACHABLE, /* there is no set */
};

/*
 * Looks for a key, and starts a fetch when there is reason to. Loop's stack only. The key is valid until the
 * next turn. now_us is monotonic.
 */
enum jwks_answer jwks_look(const char *kid, bool waited, int64_t now_us, const struct token_key **key);

/* Parks until the fetch that is under way has ended, well or not. */
void jwks_wait(edge_ctx *ctx);

/* True once when a new set has come without some key of the old one: what that key signed is to be forgotten.
 */
bool jwks_key_withdrawn(void);

#endif
