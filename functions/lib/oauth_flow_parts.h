/*
 * A callback under way: shared by oauth_finish.c, which leads through it, oauth_scope.c and oauth_store.c.
 */
#ifndef LIB_OAUTH_FLOW_PARTS_H
#define LIB_OAUTH_FLOW_PARTS_H

#include "lib/oauth_flow.h"

struct oauth_callback {
    edge_ctx *ctx;
    const char *user;
    const struct service *service;
    const char *redirect_uri, *verifier, *redirect_path; /* of the state */

    const struct oauth_grant *grant;
    const char *account_id, *email, *name;
    const struct meta_account *meta; /* Meta only */
    const struct meta_page *page;    /* the chosen one, NULL: none */
    json_t *scopes, *missing_scopes; /* arrays of strings */
    json_t *warnings;

    /* What the row held of another account before: to be revoked. NULL: nothing. */
    json_t *replaced;
    const char *replaced_account;
};

/* True for a path that stays in the application. */
bool oauth_path_is_local(const char *path);

/* Ends the callback; a pending row becomes error with the failure's code. */
EDGE_NORETURN void oauth_callback_fail(
    const struct oauth_callback *callback, const struct connection_failure *failure);

/* Fills in scopes and missing_scopes; ends the callback with 422 "insufficient_scope" when nothing was granted.
 */
void oauth_check_scopes(struct oauth_callback *callback);

/* Writes the connection, in one transaction with what it replaces. */
void oauth_store(struct oauth_callback *callback);

#endif
