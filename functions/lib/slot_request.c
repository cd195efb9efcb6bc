/*
 * Requests for free slots.
 */
#include "lib/slot_request.h"

#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/timestamp.h"

enum {
    ATTENDEES_MAX = 49,
    DAY_SECONDS = 86400,
    RANGE_MAX = 61 * DAY_SECONDS,
    MINUTE = 60,
    DAY_MINUTES = 24 * 60,
    DAYS = 7,
};

const edge_field slot_request_input[] = {
    { "userId", EDGE_USER, .help = "Whose calendar; required under the service key" },
    { "startDate", EDGE_TEXT, .required = true,
        .help = "Date, or date and time; without an offset in timeZone" },
    { "endDate", EDGE_TEXT, .required = true,
        .help = "As startDate; a date is included; at most 61 days later" },
    { "duration", EDGE_INT, .min = 5, .max = DAY_MINUTES, .fallback = "60", .help = "Minutes of a slot" },
    { "attendees", EDGE_JSON, .help = "Mail addresses of others who have to be free; up to 49" },
    { "timeZone", EDGE_TEXT, .help = "IANA name; absent: the user's" },
    { "businessHours", EDGE_JSON,
        .help = "{\"start\":\"08:00\",\"end\":\"20:00\",\"days\":[1,2,3,4,5,6,7]}, each optional; false: any "
                "time" },
    { "stepMinutes", EDGE_INT, .min = 5, .max = 240, .fallback = "30", .help = "From one slot to the next" },
    { "bufferMinutes", EDGE_INT, .min = 0, .max = 120, .fallback = "0",
        .help = "Kept free around what is busy" },
    { "maxSlots", EDGE_INT, .min = 1, .max = 500, .fallback = "60", .help = "How many slots at most" },
    { 0 },
};

EDGE_NORETURN static void fail_hours(edge_ctx *ctx)
{
    field_fail(ctx, "businessHours",
        "must be false, or have start and end as HH:MM from 00:00 to 24:00, start first, and days from 1 to 7");
}

/* Minutes of HH:MM, 24:00 included; what is absent is the default. */
static int64_t read_minutes(edge_ctx *ctx, const json_t *hours, const char *member, int64_t fallback)
{
    const json_t *value = json_object_get(hours, member);
    const char *text = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return fallback;
    if (text == NULL || strlen(text) != 5 || text[2] != ':' || strspn(text, FIELD_DIGITS) != 2 ||
        strspn(text + 3, FIELD_DIGITS) != 2)
        fail_hours(ctx);
    int64_t minutes = atoi(text) * 60 + atoi(text + 3);
    if (atoi(text + 3) > 59 || minutes > DAY_MINUTES)
        fail_hours(ctx);
    return minutes;
}

static void read_days(edge_ctx *ctx, const json_t *days, bool *set)
{
    bool all = days == NULL || json_is_null(days);
    size_t count = json_array_size(days);
    if (!all && (count < 1 || count > DAYS))
        fail_hours(ctx);
    for (int day = 1; day <= DAYS; day++)
        set[day] = all;
    for (size_t i = 0; i < count; i++) {
        const json_t *day = json_array_get(days, i);
        double number = json_is_number(day) ? json_number_value(day) : 0;
        if (number < 1 || number > DAYS || number != (int)number || set[(int)number])
            fail_hours(ctx);
        set[(int)number] = true;
    }
}

static struct business_hours read_hours(edge_ctx *ctx, const json_t *value)
{
    struct business_hours hours = { .always = json_is_false(value) };
    if (hours.always)
        return hours;
    if (value != NULL && !json_is_object(value))
        fail_hours(ctx);
    hours.start = read_minutes(ctx, value, "start", 8 * 60);
    hours.end = read_minutes(ctx, value, "end", 20 * 60);
    if (hours.start >= hours.end)
        fail_hours(ctx);
    read_days(ctx, json_object_get(value, "days"), hours.days);
    return hours;
}

json_t *slot_request_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "startDate") || field_is(field, "endDate"))
        timestamp_read(ctx, field->name, json_string_value(value));
    if (field_is(field, "attendees") && addresses_read(ctx, field->name, value).count > ATTENDEES_MAX)
        field_fail(ctx, field->name, "must have at most %d addresses", ATTENDEES_MAX);
    if (field_is(field, "businessHours"))
        read_hours(ctx, value);
    return field_is(field, "timeZone") ? zone_check(ctx, field, value) : value;
}

/* Both ends as instants; a date's end is the next day's beginning. */
static struct interval read_range(edge_ctx *ctx, const char *zone, const json_t *in)
{
    struct timestamp start = timestamp_read(ctx, "startDate", edge_json_text(in, "startDate"));
    struct timestamp end = timestamp_read(ctx, "endDate", edge_json_text(in, "endDate"));
    if (end.date_only)
        end.wall += DAY_SECONDS;
    struct interval range = { timestamp_instant(ctx, zone, &start), timestamp_instant(ctx, zone, &end) };
    if (range.end <= range.start)
        field_fail(ctx, "endDate", "must be after startDate");
    if (range.end * 1000000 <= edge_now(ctx))
        field_fail(ctx, "endDate", "must not be in the past");
    if (range.end - range.start > RANGE_MAX)
        field_fail(ctx, "endDate", "must be at most 61 days after startDate");
    return range;
}

struct slot_request slot_request_read(edge_ctx *ctx, const json_t *in)
{
    int64_t duration = edge_json_int(in, "duration", 60);
    struct slot_request request = {
        .zone = zone_of(ctx, in),
        .attendees = addresses_read(ctx, "attendees", json_object_get(in, "attendees")),
        .hours = read_hours(ctx, json_object_get(in, "businessHours")),
        .duration_minutes = duration,
        .slots_max = (size_t)edge_json_int(in, "maxSlots", 60),
        .search = {
            .now = (edge_now(ctx) + 999999) / 1000000, /* slots begin at whole seconds */
            .duration = duration * MINUTE,
            .step = edge_json_int(in, "stepMinutes", 30) * MINUTE,
            .buffer = edge_json_int(in, "bufferMinutes", 0) * MINUTE,
        },
    };
    request.search.range = read_range(ctx, request.zone, in);
    return request;
}
