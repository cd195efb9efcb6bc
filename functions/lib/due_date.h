/*
 * Due dates of tasks (spec crm.md): a day, or an instant with its offset.
 */
#ifndef LIB_DUE_DATE_H
#define LIB_DUE_DATE_H

#include <edge/edge.h>

/*
 * Whether a due date is a day (YYYY-MM-DD) and not an RFC 3339 date-time with an offset. What is neither ends
 * the invocation with 400 "invalid_input", field dueDate. text may be NULL: false.
 */
bool due_date_is_day(edge_ctx *ctx, const char *text);

/* The same for a function's .check: looks at the field dueDate and lets every other one pass. */
json_t *due_date_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value);

struct due {
    const char *at;   /* RFC 3339, with the zone's offset of that day */
    const char *zone; /* the acting user's */
};

/* When a task is due at the latest: a day at 17:00 in the user's zone, an instant as it is. One round trip. */
struct due due_date_in_zone(edge_ctx *ctx, const char *text);

#endif
