/*
 * Connecting an account (spec oauth.md S7, INIT and CB): the consent URL with a state that works once, and the
 * callback that turns what the provider sent back into a connection.
 *
 * The state ties the answer to the user, the service and the redirect URI of the question; it is consumed
 * before the provider is called, so of two callbacks with one state one gets on.
 */
#ifndef LIB_OAUTH_FLOW_H
#define LIB_OAUTH_FLOW_H

#include "lib/connection.h"
#include "lib/meta.h"
#include "lib/oauth_client.h"

/* Input of an initiate function: redirectPath. */
extern const edge_field oauth_begin_input[];

/* Input of a callback function, and its members for one that nests them: code, state, error, error_description.
 */
extern const edge_field oauth_callback_input[];

/* "success": false in every error of the group's functions that say success. */
extern const edge_shape oauth_callback_shape;

/* The redirectPath of an object, NULL without one; 400 naming field when it may lead elsewhere. */
const char *oauth_redirect_path(edge_ctx *ctx, const json_t *in, const char *field);

/* What an initiate function asks for; slug and scopes NULL: the service's own. */
struct oauth_beginning {
    const char *service, *slug;
    const char *const *scopes;
    const char *redirect_path;
};

/* INIT: makes a state and answers with the consent URL. One round trip. */
EDGE_RETURNS_NONNULL json_t *oauth_begin(edge_ctx *ctx, const struct oauth_beginning *beginning);

/* INIT for a function whose body is redirectPath and nothing else. */
EDGE_RETURNS_NONNULL json_t *oauth_begin_with(edge_ctx *ctx, const json_t *in, const char *service);

/*
 * CB: body is the callback's object, fields are named with prefix before them ("payload."), services are those
 * that this function serves, NULL-terminated. Three round trips, and the provider's calls.
 */
EDGE_RETURNS_NONNULL json_t *oauth_finish(
    edge_ctx *ctx, const json_t *body, const char *prefix, const char *const *services);

/* Answers of these functions hold URLs and accounts that no cache may keep. */
void oauth_no_store(edge_ctx *ctx);

#endif
