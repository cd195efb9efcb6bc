/*
 * Appointments made on the phone.
 */
#include "lib/appointment.h"

#include "lib/moment.h"

#include <string.h>

static const char *trimmed(edge_ctx *ctx, const char *text)
{
    if (text == NULL)
        return NULL;
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    return length > 0 ? edge_copy_bytes(ctx, text, length) : NULL;
}

/* data.analysis.data_collection_results.<name>.value */
static json_t *collected(const struct call_event *event, const char *name)
{
    const json_t *results = edge_json_path(event->data, "analysis.data_collection_results");
    return json_object_get(json_object_get(results, name), "value");
}

static const char *first_text(edge_ctx *ctx, json_t *const *places, size_t count)
{
    const char *text = NULL;
    for (size_t i = 0; text == NULL && i < count; i++)
        text = trimmed(ctx, json_string_value(places[i]));
    return text;
}

static bool says_yes(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_true(value) ||
           (text != NULL && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0));
}

/* Splits a day and time into what the clock showed and where; a day alone is no time to meet. */
static void read_start(edge_ctx *ctx, struct appointment *appointment, const char *text)
{
    char checked[MOMENT_BYTES];
    if (text == NULL || strlen(text) <= strlen("2026-03-12") || !moment_time(text, checked))
        return;
    size_t length = strcspn(text + 11, "Zz+-") + 11;
    appointment->start = text;
    appointment->local = edge_copy_bytes(ctx, text, length);
    appointment->offset = text + length;
}

struct appointment appointment_read(edge_ctx *ctx, const struct call_event *event, const json_t *form_data)
{
    const json_t *meta = event->meta;
    json_t *const starts[] = { json_object_get(meta, "startTime"), json_object_get(meta, "start_time"),
        collected(event, "start_time"), collected(event, "appointment_time") };
    json_t *const addresses[] = { json_object_get(meta, "address"), collected(event, "address"),
        collected(event, "appointment_location"), json_object_get(form_data, "address") };
    json_t *const notes[] = { json_object_get(meta, "notes"),
        edge_json_path(event->data, "analysis.transcript_summary") };

    struct appointment appointment = {
        .set = json_is_true(json_object_get(meta, "appointment_set")) ||
               says_yes(collected(event, "appointment_set")),
        .address = first_text(ctx, addresses, sizeof addresses / sizeof *addresses),
        .notes = first_text(ctx, notes, sizeof notes / sizeof *notes),
    };
    if (appointment.set)
        read_start(ctx, &appointment, first_text(ctx, starts, sizeof starts / sizeof *starts));
    return appointment;
}
