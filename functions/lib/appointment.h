/*
 * An appointment that was made on the phone, as a model wrote it down: in several places, and not always a
 * time.
 */
#ifndef LIB_APPOINTMENT_H
#define LIB_APPOINTMENT_H

#include "lib/call_event.h"

struct appointment {
    bool set;
    const char *start;   /* as it was given; NULL when it is no day and time */
    const char *local;   /* start without its offset, as PostgreSQL reads it */
    const char *offset;  /* "", "Z" or "+01:00": none is the owner's own zone */
    const char *address; /* NULL: none was named */
    const char *notes;   /* NULL: none */
};

/* form_data is the call's own (call_logs), for an address that was known before; may be NULL. */
struct appointment appointment_read(edge_ctx *ctx, const struct call_event *event, const json_t *form_data);

#endif
