/*
 * The stand-in for Meta's Graph API, by subject. Each part answers what it knows and returns NULL for any other
 * path.
 */
#ifndef LIB_SANDBOX_META_H
#define LIB_SANDBOX_META_H

#include <edge/edge.h>

/* A request, and what has been found out about it: path without the version, as "/me/accounts". */
struct meta_request {
    const char *method, *path;
    const char *token; /* from the Authorization header or the query; NULL without one */
    json_t *body;      /* NULL when it is no JSON */
};

/* An error in the Graph API's shape (https://developers.facebook.com/docs/graph-api/guides/error-handling). */
json_t *sandbox_meta_error(edge_ctx *ctx, int status, int code, const char *message);

/* A member that the query's "fields" asks for. */
bool sandbox_meta_wants(edge_ctx *ctx, const char *field);

/* GET /oauth/access_token: codes and long-lived tokens. */
json_t *sandbox_meta_token(edge_ctx *ctx, const json_t *order);

/* /me with permissions and Pages, and permissions taken back. */
json_t *sandbox_meta_person(edge_ctx *ctx, const struct meta_request *request);

/* Pages and Instagram accounts: tokens, posts, photos, containers, insights. */
json_t *sandbox_meta_pages(edge_ctx *ctx, const struct meta_request *request);

#endif
