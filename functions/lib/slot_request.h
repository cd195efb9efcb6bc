/*
 * What is asked of findAvailableTimeSlotsTool.
 */
#ifndef LIB_SLOT_REQUEST_H
#define LIB_SLOT_REQUEST_H

#include <edge/edge.h>

#include "lib/address.h"
#include "lib/slots.h"

extern const edge_field slot_request_input[];
json_t *slot_request_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value);

struct slot_request {
    const char *zone;
    struct addresses attendees;
    struct business_hours hours;
    struct slot_search search; /* without windows and busy intervals */
    int64_t duration_minutes;
    size_t slots_max;
};

/* Reads what has been checked; 400 naming endDate when the range cannot be. Reads the user's zone. */
struct slot_request slot_request_read(edge_ctx *ctx, const json_t *in);

#endif
