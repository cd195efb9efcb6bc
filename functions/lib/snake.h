/*
 * Names in snake_case: what clients and CSV files call a column, as the database would.
 */
#ifndef LIB_SNAKE_H
#define LIB_SNAKE_H

#include <edge/edge.h>

/* "actionType" and "Action Type " give "action_type": other characters than a-z and 0-9 become one "_". */
EDGE_RETURNS_NONNULL const char *snake_case(edge_ctx *ctx, const char *name);

/* The same without looking at capitals: "actionType" gives "actiontype". */
EDGE_RETURNS_NONNULL const char *snake_plain(edge_ctx *ctx, const char *name);

/* A copy of an object with its names in snake_case; what was in snake_case already goes before. */
EDGE_RETURNS_NONNULL json_t *snake_object(edge_ctx *ctx, const json_t *object);

#endif
