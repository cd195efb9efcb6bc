/*
 * Meta's Graph API as Facebook Pages and Instagram need it (spec oauth.md S5).
 *
 *   Permissions, Pages   https://developers.facebook.com/docs/graph-api/reference/user/accounts/
 *   appsecret_proof      https://developers.facebook.com/docs/graph-api/securing-requests/
 *   Errors               https://developers.facebook.com/docs/graph-api/guides/error-handling/
 *
 * Meta's URLs carry secrets in their query: no log line has one.
 */
#ifndef LIB_META_H
#define LIB_META_H

#include "lib/connection.h"

/* Values of error.code. */
enum {
    META_BAD_APP = 101,
    META_SESSION_OVER = 102,
    META_BAD_TOKEN = 190,
};

/* "v25.0", or META_GRAPH_VERSION: the first segment of every path. */
EDGE_RETURNS_NONNULL const char *meta_version(edge_ctx *ctx);

/* appsecret_proof of a user or Page token, for the query of every call made with it; NULL without
 * META_APP_SECRET. */
const char *meta_proof(edge_ctx *ctx, const char *access_token);

/* error.code of an answer, 0 without one. */
int64_t meta_error_code(const edge_reply *reply);

struct meta_page {
    const char *id, *name, *access_token;
    const char *instagram_id, *instagram_username; /* NULL: no professional account is linked */
    bool can_publish;                              /* its tasks have CREATE_CONTENT */
};

/* Who granted what, and over which Pages, in Meta's order. */
struct meta_account {
    const struct connection_failure *failure;
    const char *id, *name;
    json_t *granted; /* array of permissions; NULL: it said nothing of them */
    const struct meta_page *pages;
    size_t page_count;
};

EDGE_RETURNS_NONNULL const struct meta_account *meta_read(
    edge_ctx *ctx, const struct service *service, const char *access_token);

/* The Page with this id, NULL when it is not listed or id is NULL. */
const struct meta_page *meta_page_find(const struct meta_account *account, const char *id);

/* 422 "no_instagram_business_account", with what the user can do about it. */
EDGE_RETURNS_NONNULL const struct connection_failure *meta_no_instagram(edge_ctx *ctx);

/* An item of pages, as meta_page_settings lists them. */
extern const edge_field meta_page_output;

/* The settings that choosing this Page means: page_id, page_name, pages and Instagram's. page may be NULL. */
EDGE_RETURNS_NONNULL json_t *meta_page_settings(
    const struct service *service, const struct meta_account *account, const struct meta_page *page);

#endif
