/*
 * Events for a Google calendar (https://developers.google.com/workspace/calendar/api/v3/reference/events).
 */
#include "lib/calendar_event.h"

#include <string.h>

#include "lib/address.h"
#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/timestamp.h"

enum {
    ATTENDEES_MAX = 200,
    DAY_SECONDS = 86400,
    SPAN_MAX = 366 * DAY_SECONDS,
    ID_DIGITS = 40,
};

const char *const calendar_event_updates[] = { "all", "externalOnly", "none", NULL };

const edge_field calendar_event_input[] = {
    { "userId", EDGE_USER, .help = "Whose calendar; required under the service key" },
    { "title", EDGE_TEXT, .min = 1, .max = 1024, .required = true, .help = "The event's title" },
    { "startTime", EDGE_TEXT, .required = true,
        .help = "Date, or date and time; without an offset in timeZone" },
    { "endTime", EDGE_TEXT, .required = true, .help = "As startTime; of whole days the last one" },
    { "description", EDGE_TEXT, .min = 0, .max = 8192, .help = "What it is about" },
    { "location", EDGE_TEXT, .min = 0, .max = 1024, .help = "Where it is" },
    { "attendees", EDGE_JSON, .help = "Mail addresses, separated by commas or as an array; up to 200" },
    { "timeZone", EDGE_TEXT, .help = "IANA name; absent: the user's" },
    { "sendUpdates", EDGE_ENUM, .values = calendar_event_updates,
        .help = "Who gets invitations; absent: all attendees" },
    { "addMeetLink", EDGE_BOOL, .fallback = "false", .help = "true: with a Google Meet link" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "true: the answer shows what would be sent" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second event" },
    { 0 },
};

static void check_end(edge_ctx *ctx, const json_t *in, const char *text)
{
    struct timestamp start = timestamp_read(ctx, "startTime", edge_json_text(in, "startTime"));
    if (timestamp_read(ctx, "endTime", text).date_only != start.date_only)
        field_fail(ctx, "endTime", "must be a date when startTime is one, else a date and time");
}

json_t *calendar_event_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    if (field_is(field, "title") || field_is(field, "location"))
        return field_trimmed(ctx, value);
    if (field_is(field, "startTime"))
        timestamp_read(ctx, field->name, json_string_value(value));
    if (field_is(field, "endTime"))
        check_end(ctx, in, json_string_value(value));
    if (field_is(field, "description"))
        return field_untrimmed(ctx, field, value);
    if (field_is(field, "attendees") && addresses_read(ctx, field->name, value).count > ATTENDEES_MAX)
        field_fail(ctx, field->name, "must have at most %d addresses", ATTENDEES_MAX);
    return field_is(field, "timeZone") ? zone_check(ctx, field, value) : value;
}

/* Instants of both ends; a whole day's end is the beginning of the next one. */
static void check_span(
    edge_ctx *ctx, const char *zone, const struct timestamp *start, const struct timestamp *end)
{
    int64_t from = start->wall, to = end->wall + DAY_SECONDS;
    if (!start->date_only) {
        from = timestamp_instant(ctx, zone, start);
        to = timestamp_instant(ctx, zone, end);
    }
    if (to <= from)
        field_fail(ctx, "endTime", "must be after startTime");
    if (to - from > SPAN_MAX)
        field_fail(ctx, "endTime", "must be at most 366 days after startTime");
}

static json_t *time_json(edge_ctx *ctx, const char *zone, const struct timestamp *time, int64_t days)
{
    if (time->date_only) {
        const char *day = timestamp_local(ctx, time->wall + days * DAY_SECONDS, 0);
        return json_pack("{s:s}", "date", edge_copy_bytes(ctx, day, strcspn(day, "T")));
    }
    return json_pack(
        "{s:s, s:s}", "dateTime", edge_format(ctx, "%s%s", time->seconds, time->offset), "timeZone", zone);
}

static json_t *attendees_json(const struct addresses *list)
{
    json_t *attendees = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_t *attendee = json_pack("{s:s}", "email", list->items[i].address);
        if (list->items[i].name != NULL)
            json_object_set_new(attendee, "displayName", json_string(list->items[i].name));
        json_array_append_new(attendees, attendee);
    }
    return attendees;
}

/* An id of its own (Google takes a-v and 0-9), so that the same key makes the same event. */
static const char *event_id(edge_ctx *ctx, const char *key)
{
    const char *text = edge_format(ctx, "%s\n%s", edge_auth_user(ctx), key);
    uint8_t hash[EDGE_SHA256_BYTES];
    edge_sha256(text, strlen(text), hash);
    return edge_format(ctx, "pe%.*s", ID_DIGITS, edge_hex(ctx, hash, sizeof hash));
}

static void set_text(json_t *body, const char *member, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(body, member, json_string(text));
}

static void set_details(edge_ctx *ctx, json_t *body, const json_t *in, const struct addresses *attendees)
{
    set_text(body, "description", edge_json_text(in, "description"));
    set_text(body, "location", edge_json_text(in, "location"));
    if (attendees->count > 0)
        json_object_set_new(body, "attendees", attendees_json(attendees));
    if (edge_json_bool(in, "addMeetLink", false))
        json_object_set_new(body, "conferenceData",
            json_pack("{s:{s:s, s:{s:s}}}", "createRequest", "requestId", edge_uuid_v4(ctx),
                "conferenceSolutionKey", "type", "hangoutsMeet"));
}

struct calendar_event calendar_event_read(edge_ctx *ctx, json_t *in)
{
    const char *key = idempotency_key(ctx, in), *send = edge_json_text(in, "sendUpdates");
    struct timestamp start = timestamp_read(ctx, "startTime", edge_json_text(in, "startTime"));
    struct timestamp end = timestamp_read(ctx, "endTime", edge_json_text(in, "endTime"));
    struct addresses attendees = addresses_read(ctx, "attendees", json_object_get(in, "attendees"));
    const char *zone = zone_of(ctx, in);
    check_span(ctx, zone, &start, &end);

    json_t *body = json_pack("{s:s, s:o, s:o}", "summary", edge_json_text(in, "title"), "start",
        time_json(ctx, zone, &start, 0), "end", time_json(ctx, zone, &end, 1));
    set_details(ctx, body, in, &attendees);
    if (key != NULL)
        json_object_set_new(body, "id", json_string(event_id(ctx, key)));
    return (struct calendar_event){
        .body = body,
        .title = edge_json_text(in, "title"),
        .zone = zone,
        .send_updates = send != NULL          ? send
                        : attendees.count > 0 ? "all"
                                              : NULL,
        .key = key,
        .all_day = start.date_only,
        .meet_link = edge_json_bool(in, "addMeetLink", false),
        .dry_run = edge_json_bool(in, "dryRun", false),
    };
}

json_t *calendar_event_summary(const struct calendar_event *event, const json_t *in)
{
    json_t *attendees = json_array();
    for (size_t i = 0; i < json_array_size(json_object_get(event->body, "attendees")); i++)
        json_array_append(
            attendees, json_object_get(json_array_get(json_object_get(event->body, "attendees"), i), "email"));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "title", event->title, "startTime",
        edge_json_text(in, "startTime"), "endTime", edge_json_text(in, "endTime"), "timeZone", event->zone,
        "attendees", attendees);
}
