/*
 * A user's connection to a service: its row in external_service_connections or crm_connections, judged and
 * opened (spec oauth.md S6, S7, S10). For an OAuth service's access token see lib/token.
 *
 * A CRM tool that needs the key:
 *
 *     const struct connection *lofty = connection_read(ctx, user, "lofty");
 *     if (lofty->failure != NULL)
 *         connection_fail(ctx, lofty->failure);                    or its own words for lofty->failure->code
 *     const char *key = edge_json_text(lofty->credentials.values, "api_key");
 *
 * When the provider then refuses the key (401): connection_break(lofty), and answer reconnect_required. Rows
 * are read and written as the service, always for one user.
 */
#ifndef LIB_CONNECTION_H
#define LIB_CONNECTION_H

#include <edge/edge.h>

#include "lib/credentials.h"
#include "lib/service.h"

/* Values of connection_status, for output tables; NULL-terminated. */
extern const char *const connection_statuses[];

/* An error answer in the making. */
struct connection_failure {
    int status;
    const char *code;
    edge_failure said;
};

struct connection {
    edge_ctx *ctx;
    const struct service *service;
    const char *user;
    const char *id;       /* of the row; NULL without one */
    const char *status;   /* connection_status, NULL without a row */
    json_t *settings;     /* settings, or a CRM's sync_settings: an object, empty without a row */
    const json_t *stored; /* the column credentials as it is */
    struct credentials credentials;

    /*
     * Why it cannot be used; NULL: it can, and credentials are open.
     *   409 "not_connected"       no row, disconnected, pending, or nothing in it
     *   409 "reconnect_required"  status error, or unreadable credentials: the row has been made error for it
     */
    const struct connection_failure *failure;
};

/* Reads a user's connection in one round trip; name is canonical or an alias. Sealed credentials without any
 * key on this host end the invocation: 503 "encryption_not_configured". */
EDGE_RETURNS_NONNULL const struct connection *connection_read(
    edge_ctx *ctx, const char *user, const char *name);

/* Ends the invocation with a failure. */
EDGE_NORETURN void connection_fail(edge_ctx *ctx, const struct connection_failure *failure);

/* The two refusals in this service's words, for functions that find them out by themselves. */
EDGE_RETURNS_NONNULL const struct connection_failure *connection_missing(
    edge_ctx *ctx, const struct service *service);
EDGE_RETURNS_NONNULL const struct connection_failure *connection_broken(
    edge_ctx *ctx, const struct service *service);

/*
 * The provider refuses what was stored: a connected row becomes error with settings.last_error
 * reconnect_required (a CRM's row only the status), unless its credentials have been replaced meanwhile.
 */
void connection_break(const struct connection *connection);

/* Merges members into settings, or a CRM's sync_settings. */
void connection_save_settings(const struct connection *connection, const json_t *patch);

/* Seals a legacy row's credentials where this host can; for best effort, after the work has been done. */
void connection_reseal(const struct connection *connection);

/*
 * Stores a CRM's verified key (spec oauth.md S10): one connected row a user and service under the canonical
 * name, account's account_* members merged into sync_settings. 409 "profile_missing" when the user has no
 * profile.
 */
void connection_store_key(edge_ctx *ctx, const char *user, const struct service *service,
    const json_t *credentials, const json_t *account);

#endif
