/*
 * Clerk's users (https://clerk.com/docs/reference/backend-api/tag/users): what of them becomes a profile, and
 * finding or making the user of an address.
 *
 * A value that Clerk does not have never overwrites one that is stored; role and subscription are ours.
 */
#ifndef LIB_CLERK_H
#define LIB_CLERK_H

#include <edge/edge.h>

/* Stores a user as Clerk describes it; phone fills an empty one (NULL: none). clerk_store says whether it is
 * new. */
void clerk_send_profile(edge_tx *tx, const char *id, const json_t *user, const char *phone);
bool clerk_store_profile(edge_tx *tx, const char *id, const json_t *user, const char *phone);

/* Begins a user's onboarding; one that has been begun stays as it is. */
void clerk_begin_onboarding(edge_tx *tx, const char *id);

/* Whom to find or make, and why. */
struct clerk_buyer {
    const char *email;
    const char *first_name, *last_name; /* NULL: not known */
    const char *source;                 /* public_metadata.source of an account that is made */
};

/*
 * Id of the account that has the address, made when there is none; NULL when Clerk fails, with *problem for the
 * log. Without CLERK_SECRET_KEY the invocation ends: 503 "not_configured". Two calls for one address get one
 * account.
 */
const char *clerk_account(edge_ctx *ctx, const struct clerk_buyer *buyer, const char **problem);

#endif
