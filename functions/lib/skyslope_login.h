/*
 * Logging in at SkySlope (spec crm.md S8): a request signed with the user's access key. Contract:
 * https://api.skyslope.com/docs (Authentication).
 */
#ifndef LIB_SKYSLOPE_LOGIN_H
#define LIB_SKYSLOPE_LOGIN_H

#include <edge/edge.h>

struct skyslope_keys {
    const char *access_key, *access_secret; /* the user's */
    const char *client_id, *client_secret;  /* of the integration */
};

#define SKYSLOPE_LOGIN_PATH "/auth/login"

/* What a POST to SKYSLOPE_LOGIN_PATH carries: Timestamp and Authorization, ended by { 0 }, and the JSON body.
 */
EDGE_RETURNS_NONNULL const edge_header *skyslope_login_headers(edge_ctx *ctx, const struct skyslope_keys *keys);
EDGE_RETURNS_NONNULL json_t *skyslope_login_body(const struct skyslope_keys *keys);

/* Sends the login; {"Session", "Expiration"} in a 2xx answer. skyslope_json reads it. */
EDGE_RETURNS_NONNULL edge_reply *skyslope_log_in(
    edge_ctx *ctx, const struct skyslope_keys *keys, int64_t timeout_ms);

/*
 * The JSON of an answer of SkySlope's, which may begin with a byte order mark and hold raw control bytes in its
 * strings; NULL when it is none.
 */
json_t *skyslope_json(edge_ctx *ctx, const edge_reply *reply);

#endif
