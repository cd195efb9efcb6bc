/*
 * Users' tokens and keys at rest (spec oauth.md S6): a sealed envelope in the row's column credentials, tied to
 * its table, user and service, so that it does not open anywhere else. Tools do not come here: lib/token and
 * lib/connection open what they need.
 */
#ifndef LIB_CREDENTIALS_H
#define LIB_CREDENTIALS_H

#include <edge/edge.h>

#include "lib/service.h"

struct credentials {
    enum {
        CREDENTIALS_NONE,       /* the column is empty */
        CREDENTIALS_OPEN,       /* values hold them */
        CREDENTIALS_UNREADABLE, /* of another key or row, or changed */
    } state;
    json_t *values; /* an object; NULL unless open */
    bool legacy;    /* stored in clear, by the system before this one: sealed when next written */
};

/* Seals an object of credentials for a user's row; 503 "encryption_not_configured" when nothing can be sealed.
 */
EDGE_RETURNS_NONNULL json_t *credentials_seal(
    edge_ctx *ctx, const struct service *service, const char *user, const json_t *values);

/*
 * Opens what a row holds. A sealed one without any key on this host is 503 "encryption_not_configured": it is
 * the operator's mistake, and no row is touched for it. expires_at of a legacy row is made epoch seconds.
 */
struct credentials credentials_open(
    edge_ctx *ctx, const struct service *service, const char *user, const json_t *stored);

#endif
