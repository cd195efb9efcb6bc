/*
 * Quantities as people write them: durations, sizes, rates.
 */
#ifndef UNITS_H
#define UNITS_H

#include "config.h"

#include <stdbool.h>
#include <stdint.h>

/* "500ms", "10s", "2min", "1h", "7d": a whole number and its unit. Milliseconds in *result. */
bool duration_parse(const char *text, int64_t *result);

/* "512B", "64KiB", "32MiB", "1GiB". Bytes in *result. */
bool size_parse(const char *text, int64_t *result);

/* "60/min", "60/min per user", "5/s per ip", or "none"; windows are s, min, h and day. */
bool rate_parse(const char *text, struct rate_limit *result);

/* The shortest way to write a duration or size, for messages and tables. buffer holds at least 32 bytes. */
const char *duration_format(int64_t milliseconds, char *buffer);
const char *size_format(int64_t bytes, char *buffer);

/* "60/min per user", "-" for no limit; in buffer, of at least 64 bytes, or constant. */
const char *rate_format(const struct rate_limit *rate, char *buffer);

#endif
