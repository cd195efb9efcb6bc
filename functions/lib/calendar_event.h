/*
 * An event to be put on a Google calendar: what is asked for, and what Google is sent.
 */
#ifndef LIB_CALENDAR_EVENT_H
#define LIB_CALENDAR_EVENT_H

#include <edge/edge.h>

/* Input and check of scheduleGoogleCalendarEventTool. */
extern const edge_field calendar_event_input[];
json_t *calendar_event_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value);

/* Who may get invitations; NULL-terminated. */
extern const char *const calendar_event_updates[];

struct calendar_event {
    json_t *body; /* the event as Google takes it */
    const char *title, *zone;
    const char *send_updates; /* NULL: not said */
    const char *key;          /* idempotency key, NULL without one */
    bool all_day, meet_link, dry_run;
};

/* Reads what has been checked; 400 naming endTime when the end does not follow the start. Reads the user's
 * zone. */
struct calendar_event calendar_event_read(edge_ctx *ctx, json_t *in);

/* For the log. */
json_t *calendar_event_summary(const struct calendar_event *event, const json_t *in);

#endif
