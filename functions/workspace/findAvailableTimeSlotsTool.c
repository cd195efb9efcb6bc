/*
 * findAvailableTimeSlotsTool: when the user, and others, are free: a list of bookable slots
 * (https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query).
 *
 * Round trips to the database: the user's time zone and the connection, which are read side by side; the zone's
 * days and hours in two more, and the slots' local times in one. Writes nothing.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/slot_request.h"
#include "lib/timestamp.h"
#include "lib/tool.h"
#include "lib/tool_failure.h"

#define PRIMARY "primary"

static const edge_field interval_fields[] = {
    { "start", EDGE_DATETIME, .required = true, .help = "In UTC" },
    { "end", EDGE_DATETIME, .required = true, .help = "In UTC" },
    { 0 },
};
static const edge_field slot_fields[] = {
    { "start", EDGE_DATETIME, .required = true, .help = "In UTC" },
    { "end", EDGE_DATETIME, .required = true, .help = "In UTC" },
    { "startLocal", EDGE_DATETIME, .required = true, .help = "In timeZone, with its offset" },
    { "endLocal", EDGE_DATETIME, .required = true, .help = "In timeZone, with its offset" },
    { 0 },
};
static const edge_field calendar_fields[] = {
    { "id", EDGE_TEXT, .required = true, .help = "An attendee's mail address" },
    { "reason", EDGE_TEXT, .required = true, .help = "Google's code, or missing" },
    { 0 },
};
static const edge_field interval_item = { .type = EDGE_OBJECT, .fields = interval_fields };
static const edge_field slot_item = { .type = EDGE_OBJECT, .fields = slot_fields };
static const edge_field calendar_item = { .type = EDGE_OBJECT, .fields = calendar_fields };

static const edge_field data_fields[] = {
    { "timeZone", EDGE_TEXT, .required = true, .help = "IANA name" },
    { "duration", EDGE_INT, .required = true, .help = "Minutes of a slot" },
    TOOL_MESSAGE_FIELD,
    { "freeWindows", EDGE_ARRAY, .items = &slot_item, .required = true,
        .help = "All free time that a slot fits into" },
    { "availableSlots", EDGE_ARRAY, .items = &slot_item, .required = true, .help = "Bookable, in order" },
    { "truncated", EDGE_BOOL, .required = true, .help = "Whether there are more slots than maxSlots" },
    { "busyPeriods", EDGE_ARRAY, .items = &interval_item, .required = true,
        .help = "Of all calendars together" },
    { "unavailableCalendars", EDGE_ARRAY, .items = &calendar_item, .required = true,
        .help = "Calendars that could not be read" },
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static void *read_connection(edge_ctx *ctx, void *user)
{
    return (void *)connection_read(ctx, user, "google_workspace");
}

/* "2031-03-03T05:00:00Z" */
static const char *google_time(edge_ctx *ctx, int64_t instant)
{
    return edge_format(ctx, "%.19sZ", timestamp_local(ctx, instant, 0));
}

static json_t *calendar_ids(const struct addresses *attendees)
{
    json_t *ids = addresses_json(attendees);
    json_array_insert_new(ids, 0, json_string(PRIMARY));
    return ids;
}

static json_t *ask_google(struct tool *tool, const struct slot_request *request, const json_t *ids)
{
    edge_ctx *ctx = tool->ctx;
    json_t *items = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++)
        json_array_append_new(items, json_pack("{s:O}", "id", json_array_get(ids, i)));
    json_t *body = json_pack("{s:s, s:s, s:s, s:i, s:o}", "timeMin",
        google_time(ctx, request->search.range.start), "timeMax", google_time(ctx, request->search.range.end),
        "timeZone", "UTC", "calendarExpansionMax", 50, "items", items);
    json_t *answer = tool_call(tool, .provider = "google_apis", .method = "POST",
        .path = "/calendar/v3/freeBusy", .what = "Reading the calendars", .json = body, .reads = true);
    return json_object_get(answer, "calendars");
}

/* Google may write an address in another case than it was asked for. */
static json_t *calendar_of(json_t *calendars, const char *id)
{
    const char *name;
    json_t *calendar;
    json_object_foreach(calendars, name, calendar) if (strcasecmp(name, id) == 0) return calendar;
    return NULL;
}

static struct interval busy_interval(struct tool *tool, json_t *busy)
{
    edge_ctx *ctx = tool->ctx;
    const char *start = edge_json_text(busy, "start"), *end = edge_json_text(busy, "end");
    struct timestamp from, to;
    if (start == NULL || end == NULL || !timestamp_parse(ctx, start, &from) || !timestamp_parse(ctx, end, &to))
        tool_refuse(tool, 502, "provider_bad_response", "Reading the calendars failed: a busy time is none",
            "Try again in a few minutes.");
    return (struct interval){ from.wall - from.offset_seconds, to.wall - to.offset_seconds };
}

/* Why a calendar says nothing; NULL when it does. */
static const char *missing_reason(json_t *calendar)
{
    json_t *errors = json_object_get(calendar, "errors");
    const char *reason = edge_json_text(json_array_get(errors, 0), "reason");
    if (calendar != NULL && json_array_size(errors) == 0)
        return NULL;
    return reason != NULL ? reason : "missing";
}

/* All busy times of the calendars that can be read, merged; the others are listed in unavailable. */
static struct intervals busy_times(struct tool *tool, json_t *calendars, const json_t *ids, json_t *unavailable)
{
    edge_ctx *ctx = tool->ctx;
    struct intervals all = { 0 };
    size_t count = 0;
    const char *name;
    json_t *calendar;
    json_object_foreach(calendars, name, calendar) count += json_array_size(json_object_get(calendar, "busy"));
    all.items = edge_alloc(ctx, (count * json_array_size(ids) + 1) * sizeof *all.items);

    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        calendar = calendar_of(calendars, id);
        const char *reason = missing_reason(calendar);
        if (reason != NULL && i == 0)
            tool_refuse(tool, 502, "provider_error",
                edge_format(ctx, "Reading the calendars failed: the own calendar cannot be read (%s)", reason),
                "Try again in a few minutes.");
        if (reason != NULL) {
            json_array_append_new(unavailable, json_pack("{s:s, s:s}", "id", id, "reason", reason));
            continue;
        }
        json_t *busy = json_object_get(calendar, "busy");
        for (size_t j = 0; j < json_array_size(busy); j++)
            all.items[all.count++] = busy_interval(tool, json_array_get(busy, j));
    }
    return intervals_merge(ctx, all);
}

static json_t *interval_json(edge_ctx *ctx, struct interval interval)
{
    return json_pack("{s:s, s:s}", "start", edge_iso_time(ctx, interval.start * 1000000), "end",
        edge_iso_time(ctx, interval.end * 1000000));
}

static json_t *slots_json(edge_ctx *ctx, struct intervals slots, const int64_t *offsets)
{
    json_t *list = json_array();
    for (size_t i = 0; i < slots.count; i++) {
        json_t *slot = interval_json(ctx, slots.items[i]);
        json_object_set_new(
            slot, "startLocal", json_string(timestamp_local(ctx, slots.items[i].start, offsets[2 * i])));
        json_object_set_new(
            slot, "endLocal", json_string(timestamp_local(ctx, slots.items[i].end, offsets[2 * i + 1])));
        json_array_append_new(list, slot);
    }
    return list;
}

/* The zone's offsets at the ends of both lists, one after the other. */
static const int64_t *offsets_of(edge_ctx *ctx, const char *zone, struct intervals one, struct intervals other)
{
    int64_t *instants = edge_alloc(ctx, (one.count + other.count + 1) * 2 * sizeof *instants);
    size_t count = 0;
    for (size_t i = 0; i < one.count + other.count; i++) {
        struct interval interval = i < one.count ? one.items[i] : other.items[i - one.count];
        instants[count++] = interval.start;
        instants[count++] = interval.end;
    }
    return zone_offsets(ctx, zone, instants, count);
}

/* In this order: the agents' loop cuts a long answer at its end. */
static json_t *answer_of(edge_ctx *ctx, const struct slot_request *request, json_t *unavailable)
{
    const struct slot_search *search = &request->search;
    bool truncated;
    struct intervals slots = slots_find(ctx, search, request->slots_max, &truncated);
    struct intervals windows = slots_free(ctx, search);
    const int64_t *offsets = offsets_of(ctx, request->zone, windows, slots);

    json_t *data = json_pack("{s:s, s:I, s:s}", "timeZone", request->zone, "duration",
        (json_int_t)request->duration_minutes, "message",
        edge_format(ctx, "%zu %s of %lld minutes", slots.count, slots.count == 1 ? "slot" : "slots",
            (long long)request->duration_minutes));
    json_object_set_new(data, "freeWindows", slots_json(ctx, windows, offsets));
    json_object_set_new(data, "availableSlots", slots_json(ctx, slots, offsets + 2 * windows.count));
    json_object_set_new(data, "truncated", json_boolean(truncated));
    json_t *busy = json_array();
    for (size_t i = 0; i < search->busy.count; i++)
        json_array_append_new(busy, interval_json(ctx, search->busy.items[i]));
    json_object_set_new(data, "busyPeriods", busy);
    json_object_set_new(data, "unavailableCalendars", unavailable);
    return data;
}

static json_t *find_available_time_slots(edge_ctx *ctx, json_t *in)
{
    edge_task *reading = edge_spawn(ctx, read_connection, (void *)edge_auth_user(ctx));
    struct slot_request request = slot_request_read(ctx, in);

    struct tool *tool = tool_of(edge_await(ctx, reading));
    json_t *ids = calendar_ids(&request.attendees), *unavailable = json_array();
    json_t *calendars = ask_google(tool, &request, ids);
    request.search.busy = busy_times(tool, calendars, ids, unavailable);
    request.search.windows = slot_windows(ctx, request.zone, request.search.range, &request.hours);
    return tool_answer(answer_of(ctx, &request, unavailable));
}

EDGE_FUNCTION(findAvailableTimeSlotsTool,
    .summary = "Finds when the user and others are free",
    .input = slot_request_input,
    .check = slot_request_check,
    .output = output,
    .shape = &tool_shape,
    .handle = find_available_time_slots);
