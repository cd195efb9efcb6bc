/*
 * Times as other systems write them.
 */
#ifndef LIB_ISO_TIME_H
#define LIB_ISO_TIME_H

#include <edge/edge.h>

/*
 * Reads "2026-01-02T03:04:05", with a blank instead of the T, a fraction, and Z, GMT, an offset, or nothing
 * behind it, which is UTC. Unix time in microseconds; false for anything else, NULL included.
 */
bool iso_time_read(const char *text, int64_t *microseconds);

/* The UTC day of an instant, YYYY-MM-DD. */
EDGE_RETURNS_NONNULL const char *iso_day(edge_ctx *ctx, int64_t microseconds);

/* Whether a text is a day of the calendar, YYYY-MM-DD, and nothing more. */
bool iso_day_is_real(const char *text);

#endif
