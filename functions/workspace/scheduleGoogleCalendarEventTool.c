/*
 * scheduleGoogleCalendarEventTool: puts an event on the user's primary Google calendar
 * (https://developers.google.com/workspace/calendar/api/v3/reference/events/insert).
 *
 * Round trips to the database: the user's time zone and the connection, which are read side by side, the log's
 * row, how it ended; one more for times without an offset. A dry run does not log.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/calendar_event.h"
#include "lib/tool.h"

#define EVENTS "/calendar/v3/calendars/primary/events"

static const edge_field preview_fields[] = {
    { "sendUpdates", EDGE_ENUM, .values = calendar_event_updates, .help = "Who would get invitations" },
    { "event", EDGE_OBJECT, .required = true, .help = "As Google's API takes it" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "eventId", EDGE_TEXT, .help = "Google's id" },
    { "eventLink", EDGE_TEXT, .help = "Where to see it; \"\": not told" },
    { "title", EDGE_TEXT, .help = "As Google has it" },
    { "startTime", EDGE_TEXT, .help = "Date and time; of whole days the date" },
    { "endTime", EDGE_TEXT, .help = "Likewise; of whole days the day behind the last" },
    TOOL_MESSAGE_FIELD,
    { "timeZone", EDGE_TEXT, .help = "IANA name" },
    { "meetLink", EDGE_URL, .help = "Google Meet; null: none" },
    { "allDay", EDGE_BOOL, .help = "Whether it is of whole days" },
    { "dryRun", EDGE_BOOL, .help = "true: nothing was scheduled, and there is no event" },
    { "wouldSend", EDGE_OBJECT, .fields = preview_fields, .help = "With dryRun only" },
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static void *read_connection(edge_ctx *ctx, void *user)
{
    return (void *)connection_read(ctx, user, "google_workspace");
}

static const char *insert_path(edge_ctx *ctx, const struct calendar_event *event)
{
    const char *path = EVENTS;
    if (event->send_updates != NULL)
        path = edge_format(ctx, "%s?sendUpdates=%s", path, event->send_updates);
    if (event->meet_link)
        path = edge_format(ctx, "%s%cconferenceDataVersion=1", path, event->send_updates != NULL ? '&' : '?');
    return path;
}

/*
 * Inserts the event. With an idempotency key it has an id of its own, so that Google itself says 409 when an
 * earlier request has come through whose answer was lost; then the event that is there is the answer.
 */
static json_t *insert(struct tool *tool, const struct calendar_event *event, bool *replayed)
{
    edge_ctx *ctx = tool->ctx;
    struct tool_result result = tool_try_call(tool, .provider = "google_apis", .method = "POST",
        .path = insert_path(ctx, event), .what = "Creating the event", .json = event->body, .id = "id");
    const char *id = edge_json_text(event->body, "id");
    *replayed = id != NULL && result.reply != NULL && result.reply->status == 409;
    if (*replayed)
        return tool_call(tool, .provider = "google_apis", .path = edge_format(ctx, EVENTS "/%s", id),
            .what = "Reading the event", .reads = true, .id = "id");
    if (result.failure != NULL)
        tool_fail(tool, result.failure);
    return result.json;
}

/* Google's own words for a time: of a whole day the date. */
static const char *time_of(json_t *event, const json_t *body, const char *member)
{
    json_t *time = json_object_get(event, member);
    if (!json_is_object(time))
        time = json_object_get(body, member);
    const char *at = edge_json_text(time, "dateTime");
    return at != NULL ? at : edge_json_text(time, "date");
}

static json_t *event_data(edge_ctx *ctx, json_t *found, const struct calendar_event *event, bool replayed)
{
    const char *title = edge_json_text(found, "summary"), *link = edge_json_text(found, "htmlLink");
    json_t *data = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:s?, s:b}", "eventId",
        edge_json_text(found, "id"), "eventLink", link != NULL ? link : "", "title",
        title != NULL ? title : event->title, "startTime", time_of(found, event->body, "start"), "endTime",
        time_of(found, event->body, "end"), "message", edge_format(ctx, "Scheduled \"%s\"", event->title),
        "timeZone", event->zone, "meetLink", edge_json_text(found, "hangoutLink"), "allDay", event->all_day);
    if (replayed)
        json_object_set_new(data, "replayed", json_true());
    return data;
}

static json_t *preview(const struct calendar_event *event)
{
    return tool_answer(json_pack("{s:b, s:{s:s?, s:O}, s:s}", "dryRun", 1, "wouldSend", "sendUpdates",
        event->send_updates, "event", event->body, "message", "Nothing was scheduled: this is a preview"));
}

static json_t *schedule_google_calendar_event(edge_ctx *ctx, json_t *in)
{
    edge_task *reading = edge_spawn(ctx, read_connection, (void *)edge_auth_user(ctx));
    struct calendar_event event = calendar_event_read(ctx, in);

    struct tool *tool = tool_of(edge_await(ctx, reading));
    if (event.dry_run)
        return preview(&event);
    json_t *done = tool_log(tool, &(const struct tool_work){ "scheduleGoogleCalendarEvent", event.key,
                                      calendar_event_input, in, calendar_event_summary(&event, in) });
    if (done != NULL)
        return tool_answer(done);

    bool replayed;
    json_t *found = insert(tool, &event, &replayed);
    return tool_succeed(tool, event_data(ctx, found, &event, replayed), edge_json_text(found, "htmlLink"));
}

EDGE_FUNCTION(scheduleGoogleCalendarEventTool,
    .summary = "Puts an event on the user's primary Google calendar",
    .input = calendar_event_input,
    .check = calendar_event_check,
    .output = output,
    .shape = &tool_shape,
    .handle = schedule_google_calendar_event);
