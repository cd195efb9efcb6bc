/*
 * Time stamps as people and models write them, and the time zones that they are meant in (spec workspace.md
 * 0.8).
 *
 * PostgreSQL does the arithmetic of zones: it has the tz database, and no plugin reads files. A wall-clock time
 * that a spring change leaves out moves forward by the gap; one that an autumn change has twice is the first.
 */
#ifndef LIB_TIMESTAMP_H
#define LIB_TIMESTAMP_H

#include <edge/edge.h>

struct timestamp {
    int64_t wall;        /* seconds of the time as written, as if it were UTC */
    const char *seconds; /* "2031-01-15T14:00:00": seconds added, fraction dropped; a date at midnight */
    const char *offset;  /* "Z", "-08:00"; "" without one */
    int offset_seconds;
    bool date_only;
};

/*
 * Reads YYYY-MM-DD, or that with T or a blank, HH:MM[:SS[.fraction]] and Z or an offset. A field that is none:
 * 400 naming it.
 */
struct timestamp timestamp_read(edge_ctx *ctx, const char *field, const char *text);

/* The same for what is no field of ours: false when it is no time stamp. */
bool timestamp_parse(edge_ctx *ctx, const char *text, struct timestamp *read);

/* The instant of a time stamp in Unix seconds; zone is for those without an offset. */
int64_t timestamp_instant(edge_ctx *ctx, const char *zone, const struct timestamp *time);

/* Refuses what cannot be the name of a zone; whether there is one, zone_of asks. */
json_t *zone_check(edge_ctx *ctx, const edge_field *field, json_t *value);

/*
 * The zone to reckon in: the request's timeZone (400 when there is none of that name), else the acting user's
 * preference, else America/New_York. Reads user_preferences as the user.
 */
EDGE_RETURNS_NONNULL const char *zone_of(edge_ctx *ctx, const json_t *in);

/* Instants (Unix seconds) of wall-clock times (seconds as if UTC) in a zone. One round trip. */
const int64_t *zone_instants(edge_ctx *ctx, const char *zone, const int64_t *walls, size_t count);

/* The zone's offsets from UTC at instants, in seconds. One round trip. */
const int64_t *zone_offsets(edge_ctx *ctx, const char *zone, const int64_t *instants, size_t count);

/* "2031-03-03T09:00:00-05:00" */
EDGE_RETURNS_NONNULL const char *timestamp_local(edge_ctx *ctx, int64_t instant, int64_t offset_seconds);

#endif
