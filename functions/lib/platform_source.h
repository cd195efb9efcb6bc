/*
 * The former platform's database, read through its REST interface (https://docs.postgrest.org). Functions that
 * use it list EXTERNAL_BACKEND_SERVICE_ROLE_KEY, CRM_TIMEOUT_MS and CRM_RETRY_MS in their env.
 */
#ifndef LIB_PLATFORM_SOURCE_H
#define LIB_PLATFORM_SOURCE_H

#include <edge/edge.h>

/* A GET, tried up to three times; with counts the source is asked how many rows there are in all. */
EDGE_RETURNS_NONNULL edge_reply *platform_ask(edge_ctx *ctx, const char *path, bool counts);

/* How many rows there are in all, of a Content-Range as "0-999/1234"; -1 when the source does not say. */
int64_t platform_total(edge_ctx *ctx, const edge_reply *reply);

/* The last row's id, behind which the next page begins; NULL without one. */
const char *platform_last_id(edge_ctx *ctx, const json_t *page);

#endif
