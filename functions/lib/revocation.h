/*
 * Giving a grant back to its provider (spec oauth.md S8), after it has been taken out of its row. Best effort:
 * it never fails the caller.
 *
 *   Google    https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
 *   Zoom      https://developers.zoom.us/docs/integrations/oauth/#revoke-an-access-token
 *   LinkedIn  https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens
 *   Meta      https://developers.facebook.com/docs/facebook-login/guides/permissions/request-revoke
 */
#ifndef LIB_REVOCATION_H
#define LIB_REVOCATION_H

#include "lib/connection.h"

struct revocation {
    const struct service *service;
    const char *user;
    const json_t *credentials; /* opened; NULL: there were none */
    const char *account_id;    /* settings.account_id of before; NULL: not known */
};

/* What revoke says, for output tables; NULL-terminated. */
extern const char *const revocation_outcomes[];

/* One of revoked, already_invalid, not_supported, kept_shared_grant, nothing_to_revoke, failed. */
EDGE_RETURNS_NONNULL const char *revoke(edge_ctx *ctx, const struct revocation *revocation);

#endif
