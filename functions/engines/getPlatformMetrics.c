/*
 * getPlatformMetrics: the platform's health, and key figures of a range of days, for administrators.
 *
 * Three round trips and one for the role; a range with more than a thousand closed deals has one more for each
 * thousand. Reads as the service: the figures are everybody's.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/field.h"
#include "lib/platform.h"
#include "lib/text.h"

#define DAY_US ((int64_t)24 * 3600 * 1000000)

enum {
    DEFAULT_DAYS = 30,
    SPAN_DAYS_MAX = 366,
};

static const char *const regions[] = { "all", "Northeast", "Southeast", "Midwest", "Southwest", "West", NULL };

static const edge_field input[] = {
    { "startDate", EDGE_DATE, .help = "First day (UTC); absent: 30 days ago" },
    { "endDate", EDGE_DATE, .help = "Last day (UTC), at most 366 days later; absent: today" },
    { "searchUser", EDGE_TEXT, .min = 0, .max = 100, .fallback = "",
        .help = "Part of a name or e-mail address" },
    { "region", EDGE_ENUM, .values = regions, .fallback = "all", .help = "Where users work" },
    { 0 },
};

static int64_t day_number(const char *day)
{
    struct tm at = { .tm_year = atoi(day) - 1900, .tm_mon = atoi(day + 5) - 1, .tm_mday = atoi(day + 8) };
    return (int64_t)timegm(&at) / 86400;
}

/* The day of an instant. */
static const char *day_of(edge_ctx *ctx, int64_t microseconds)
{
    return edge_copy_bytes(ctx, edge_iso_time(ctx, microseconds), strlen("YYYY-MM-DD"));
}

static struct platform_filter read_filter(edge_ctx *ctx, json_t *in)
{
    const char *first = edge_json_text(in, "startDate"), *last = edge_json_text(in, "endDate");
    struct platform_filter filter = {
        .first_day = first != NULL ? first : day_of(ctx, edge_now(ctx) - DEFAULT_DAYS * DAY_US),
        .last_day = last != NULL ? last : day_of(ctx, edge_now(ctx)),
        .search = text_trim(ctx, edge_json_text(in, "searchUser")),
        .region = edge_json_text(in, "region"),
    };
    int64_t span = day_number(filter.last_day) - day_number(filter.first_day);
    if (span < 0)
        field_fail(ctx, "startDate", "must not be after endDate");
    if (span > SPAN_DAYS_MAX)
        field_fail(ctx, "endDate", "must be at most %d days after startDate", SPAN_DAYS_MAX);
    return filter;
}

static json_t *get_platform_metrics(edge_ctx *ctx, json_t *in)
{
    struct platform_filter filter = read_filter(ctx, in);
    int64_t now = edge_now(ctx) / 1000 * 1000;

    json_t *body = json_object();
    platform_add_health(ctx, body, now);
    json_object_set_new(body, "data", platform_range(ctx, &filter, now));
    json_object_set_new(body, "generatedAt", json_string(edge_iso_time(ctx, now)));
    return body;
}

EDGE_FUNCTION(getPlatformMetrics,
    .summary = "The platform's health and key figures, for administrators",
    .input = input,
    .handle = get_platform_metrics);
