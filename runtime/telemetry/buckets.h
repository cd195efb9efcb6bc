/*
 * What the columns of a function's counters stand for; shared by recording and rendering.
 */
#ifndef TELEMETRY_BUCKETS_H
#define TELEMETRY_BUCKETS_H

#include <stdint.h>

#include "supervisor/slots.h"

/* The last three places of a function's statuses collect what is not in metrics_statuses. */
enum {
    STATUS_OTHER_4XX = SLOT_STATUSES - 3,
    STATUS_OTHER_5XX,
    STATUS_OTHER
};

extern const uint16_t metrics_statuses[SLOT_STATUSES];             /* rising; 0 for the last three */
extern const uint32_t metrics_bounds_us[SLOT_LATENCY_BUCKETS - 1]; /* inclusive upper bounds */

#endif
