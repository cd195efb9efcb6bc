/*
 * Who calls. The host has verified the token before the handler runs; nothing here trusts the body.
 *
 * The acting user is the token's subject, or under the service key the body's userId (an input field of type
 * EDGE_USER). edge_query runs as the acting user under row security.
 */
#ifndef EDGE_AUTH_H
#define EDGE_AUTH_H

#include <edge/base.h>

#pragma GCC visibility push(default)

typedef enum edge_caller {
    EDGE_CALLER_NOBODY,  /* no token: public functions, and "optional" ones without a session */
    EDGE_CALLER_USER,    /* a verified session */
    EDGE_CALLER_SERVICE, /* the service key, a schedule, or a job */
    EDGE_CALLER_WEBHOOK, /* a signed event */
} edge_caller;

/* What kind of caller it is. */
edge_caller edge_auth_caller(edge_ctx *ctx);

/* Id of the acting user; edge_auth_user ends the invocation with 401 "unauthorized" when there is none. */
EDGE_RETURNS_NONNULL const char *edge_auth_user(edge_ctx *ctx);
const char *edge_auth_try_user(edge_ctx *ctx);

const char *edge_auth_session(edge_ctx *ctx);      /* "sess_…", NULL without one */
const char *edge_auth_organisation(edge_ctx *ctx); /* "org_…" of claims v1 and v2, NULL without one */
const char *edge_auth_org_role(edge_ctx *ctx);     /* "org:admin", NULL without one */

/* All claims of the verified token, an object (empty without a token). */
EDGE_RETURNS_NONNULL const json_t *edge_auth_claims(edge_ctx *ctx);

/*
 * Ends the invocation with 403 "admin_required" unless the caller has the application role (user_roles).
 * With "admin", later edge_query calls carry the claim that lets administrators' policies apply. Parks.
 */
void edge_require_role(edge_ctx *ctx, const char *role);

#pragma GCC visibility pop

#endif
