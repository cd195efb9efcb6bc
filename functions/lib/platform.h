/*
 * Figures of the whole platform, for administrators: its health now, and what was done in a range of days.
 */
#ifndef LIB_PLATFORM_H
#define LIB_PLATFORM_H

#include <edge/edge.h>

/* Whose and which days' figures. Days are YYYY-MM-DD in UTC, both inclusive. */
struct platform_filter {
    const char *first_day, *last_day;
    const char *search; /* part of a name or e-mail address; "": everybody */
    const char *region; /* "all": everywhere */
};

/* Adds the health's members to an answer. One round trip. */
void platform_add_health(edge_ctx *ctx, json_t *body, int64_t now);

/* The figures of a range. One round trip, and one more for each thousand deals that were closed in it. */
EDGE_RETURNS_NONNULL json_t *platform_range(edge_ctx *ctx, const struct platform_filter *filter, int64_t now);

#endif
