/*
 * Time zones, which PostgreSQL knows (timestamp.h).
 */
#include "lib/timestamp.h"

#include <string.h>

#include "lib/field.h"

enum {
    NAME_MAX_BYTES = 64,
    KNOWN_MS = 24 * 3600 * 1000,
};

#define DEFAULT_ZONE "America/New_York"

static bool is_zone_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= NAME_MAX_BYTES && name[0] != '/' && strstr(name, "..") == NULL &&
           strspn(name, FIELD_LETTERS FIELD_DIGITS "_+/-") == length;
}

json_t *zone_check(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    if (!is_zone_name(json_string_value(value)))
        field_fail(ctx, field->name, "must be the name of a time zone, as America/New_York");
    return value;
}

/* The view reads the whole tz database for every question, 30 ms, so names that are there are remembered. */
static bool zone_exists(edge_ctx *ctx, const char *name)
{
    const char *key = edge_format(ctx, "/time-zone/%s", name);
    if (!is_zone_name(name))
        return false;
    if (strcmp(name, DEFAULT_ZONE) == 0 || edge_cache_get(ctx, key) != NULL)
        return true;
    edge_rows *found = edge_query(ctx, "SELECT name FROM pg_timezone_names WHERE name = $1", edge_text(name));
    if (edge_rows_count(found) == 0)
        return false;
    edge_cache_put(ctx, key, json_true(), .ttl_ms = KNOWN_MS);
    return true;
}

const char *zone_of(edge_ctx *ctx, const json_t *in)
{
    const char *asked = edge_json_text(in, "timeZone");
    if (asked != NULL && !zone_exists(ctx, asked))
        field_fail(ctx, "timeZone", "is \"%s\", which is no time zone", asked);
    if (asked != NULL)
        return asked;
    edge_rows *preference = edge_query(
        ctx, "SELECT timezone FROM user_preferences WHERE user_id = $1", edge_text(edge_auth_user(ctx)));
    const char *preferred = edge_rows_count(preference) > 0 ? edge_rows_text(preference, 0, "timezone") : NULL;
    return preferred != NULL && zone_exists(ctx, preferred) ? preferred : DEFAULT_ZONE;
}

static const int64_t *column(edge_ctx *ctx, const edge_rows *rows, const char *name)
{
    size_t count = edge_rows_count(rows);
    int64_t *values = edge_alloc(ctx, (count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = edge_rows_int(rows, i, name);
    return values;
}

/*
 * AT TIME ZONE reads a time that there is twice as the second, and one that there is not with the offset before
 * the gap, which moves it forward. So the first of two is looked for: the same time with the offset of a day
 * earlier.
 */
const int64_t *zone_instants(edge_ctx *ctx, const char *zone, const int64_t *walls, size_t count)
{
    return column(ctx,
        edge_query(ctx,
            "SELECT extract(epoch FROM CASE WHEN early.at AT TIME ZONE $2 = wall.at THEN early.at ELSE late.at"
            " END)::bigint AS instant"
            " FROM unnest($1::bigint[]) WITH ORDINALITY AS given (seconds, place),"
            " LATERAL (SELECT timestamp 'epoch' + make_interval(secs => given.seconds) AS at) AS wall,"
            " LATERAL (SELECT wall.at AT TIME ZONE $2 AS at) AS late,"
            " LATERAL (SELECT late.at - interval '24 hours' AS at) AS before,"
            " LATERAL (SELECT (wall.at - ((before.at AT TIME ZONE $2) - (before.at AT TIME ZONE 'UTC')))"
            " AT TIME ZONE 'UTC' AS at) AS early"
            " ORDER BY given.place",
            edge_ints(walls, count), edge_text(zone)),
        "instant");
}

const int64_t *zone_offsets(edge_ctx *ctx, const char *zone, const int64_t *instants, size_t count)
{
    return column(ctx,
        edge_query(ctx,
            "SELECT extract(epoch FROM (instant.at AT TIME ZONE $2) - (instant.at AT TIME ZONE 'UTC'))::bigint"
            " AS seconds"
            " FROM unnest($1::bigint[]) WITH ORDINALITY AS given (seconds, place),"
            " LATERAL (SELECT to_timestamp(given.seconds) AS at) AS instant"
            " ORDER BY given.place",
            edge_ints(instants, count), edge_text(zone)),
        "seconds");
}
