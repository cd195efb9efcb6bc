/*
 * afterCall: the durable job of one thing that follows a sales call: an event in the owner's calendar, or a
 * note of the call in a CRM. What came of it is written to the call's metadata.side_effects: "ok", or what went
 * wrong; neither is tried again, since nobody knows what a provider that failed has done.
 *
 * Two round trips to the database around the calls. A job that begins anew after a crash finds what has been
 * written.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/connection.h"
#include "lib/text.h"

enum {
    CALL_MS = 10000,
    CALENDAR_MS = 25000,
    OUTCOME_MAX = 200,
    SUMMARY_MAX = 2000,
    NAME_CHARACTERS = 200, /* what the calendar takes */
    PLACE_CHARACTERS = 1024,
};

static const char *const effects[] = { "calendar", "lofty", "follow_up_boss", NULL };
static const edge_field input[] = {
    { "callLogId", EDGE_UUID, .required = true, .help = "Call that has ended" },
    { "effect", EDGE_ENUM, .required = true, .values = effects, .help = "What is to follow" },
    { "startTime", EDGE_TEXT, .max = 64, .help = "Calendar: when the appointment begins" },
    { "endTime", EDGE_TEXT, .max = 64, .help = "Calendar: and ends" },
    { "address", EDGE_TEXT, .max = 10000, .help = "Calendar: where" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "outcome", EDGE_TEXT, .required = true, .help = "ok, or why nothing followed" },
    { 0 },
};

static const char *form_text(const edge_rows *call, const char *name)
{
    const char *text = edge_json_text(edge_rows_value(call, 0, "form_data"), name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static const char *contact_name(const edge_rows *call)
{
    const char *name = edge_rows_text(call, 0, "contact_name");
    if (name == NULL || name[0] == '\0')
        name = form_text(call, "full_name");
    return name != NULL ? name : "Prospect";
}

/* --- the calendar --- */

static bool is_listing(const char *call_type)
{
    static const char *const words[] = { "seller", "expired", "fsbo", "for sale by owner" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(call_type, words[i]) != NULL)
            return true;
    return false;
}

static const char *add_to_calendar(edge_ctx *ctx, const edge_rows *call, const json_t *in)
{
    const char *kind = is_listing(edge_rows_text(call, 0, "call_type")) ? "Listing" : "Buyer";
    const char *email = form_text(call, "email"), *address = edge_json_text(in, "address");
    const char *name = text_cut(ctx, contact_name(call), NAME_CHARACTERS);
    json_t *event =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:o, s:s*}", "userId", edge_rows_text(call, 0, "user_id"), "title",
            json_string(edge_format(ctx, "%s consultation with %s", kind, name)), "description",
            "Booked on the phone by your calling agent.", "startTime", edge_json_text(in, "startTime"),
            "endTime", edge_json_text(in, "endTime"), "idempotencyKey",
            json_string(edge_format(ctx, "call:%s", edge_rows_text(call, 0, "id"))), "location",
            address != NULL ? text_cut(ctx, address, PLACE_CHARACTERS) : NULL);
    if (email != NULL && edge_is_email(email))
        json_object_set_new(event, "attendees", json_pack("[s]", email));

    edge_answer *answer =
        edge_invoke(ctx, "scheduleGoogleCalendarEventTool", event, .timeout_ms = CALENDAR_MS, .service = true);
    const char *said = edge_json_text(answer->body, "error");
    const char *code = answer->code != NULL ? answer->code : "calendar_failed";
    return answer->status < 400 ? NULL
                                : edge_format(ctx, "%s: %s", code, said != NULL ? said : "no reason given");
}

/* --- CRMs --- */

static const char *summary_of(edge_ctx *ctx, const edge_rows *call)
{
    const json_t *analysis = edge_rows_value(call, 0, "analysis");
    const char *day = edge_json_text(analysis, "appointmentDate"), *notes = edge_rows_text(call, 0, "notes");
    struct text text = { .ctx = ctx };
    text_add_format(&text, "Call by the calling agent: %s, %lld s", edge_rows_text(call, 0, "status"),
        (long long)edge_rows_int(call, 0, "duration_seconds"));
    if (day != NULL)
        text_add_format(&text, "\nAppointment: %s %s, %s", day, edge_json_text(analysis, "appointmentTime"),
            edge_json_text(analysis, "appointmentLocation"));
    if (notes != NULL)
        text_add_format(&text, "\n%s", notes);
    return text_cut(ctx, text_value(&text), SUMMARY_MAX);
}

/* The user's key for a CRM; NULL with *problem when there is none that can be used. */
static const char *key_of(edge_ctx *ctx, const char *user, const char *service, const char **problem)
{
    const struct connection *connection = connection_read(ctx, user, service);
    *problem = connection->failure != NULL ? connection->failure->code : NULL;
    const char *key = *problem == NULL ? edge_json_text(connection->credentials.values, "api_key") : NULL;
    if (*problem == NULL && (key == NULL || key[0] == '\0'))
        *problem = "reconnect_required";
    return key;
}

/* One call; NULL with *problem unless it was answered with success. */
static const edge_reply *ask_crm(edge_ctx *ctx, const char *provider, const char *authorization,
    const char *path, const json_t *body, const char **problem)
{
    const edge_header headers[] = { { "User-Agent", "PulseEdge/1.0" }, { "Accept", "application/json" },
        { "Authorization", authorization }, { 0 } };
    const edge_reply *reply = edge_try_fetch(ctx, provider, .method = body != NULL ? "POST" : "GET",
        .path = path, .json = body, .headers = headers, .no_key = true, .timeout_ms = CALL_MS, .retries = -1);
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        *problem = edge_format(ctx, "%s did not answer in time", provider);
    else if (reply->failure != EDGE_HTTP_OK)
        *problem = edge_format(ctx, "%s could not be reached", provider);
    else if (reply->status < 200 || reply->status > 299)
        *problem = edge_format(ctx, "%s answered %d", provider, reply->status);
    return *problem == NULL ? reply : NULL;
}

/* The last ten digits, which is how CRMs compare numbers, whatever they put between them. */
static const char *national(edge_ctx *ctx, const char *number)
{
    char *digits = edge_alloc(ctx, strlen(number) + 1);
    size_t count = 0;
    for (; *number != '\0'; number++)
        if (*number >= '0' && *number <= '9')
            digits[count++] = *number;
    return count > 10 ? digits + count - 10 : digits;
}

/* The search is loose, so a lead counts only when one of its phones is the number. */
static json_t *lead_with(edge_ctx *ctx, const json_t *leads, const char *number)
{
    size_t i, k;
    json_t *lead, *phone;
    json_array_foreach((json_t *)leads, i, lead)
    {
        json_array_foreach(json_object_get(lead, "phones"), k, phone)
        {
            const char *text =
                json_is_string(phone) ? json_string_value(phone) : edge_json_text(phone, "phone");
            if (text != NULL && strcmp(national(ctx, text), number) == 0)
                return json_object_get(lead, "leadId");
        }
    }
    return NULL;
}

static const char *note_in_lofty(edge_ctx *ctx, const edge_rows *call)
{
    const char *problem = NULL, *number = national(ctx, edge_rows_text(call, 0, "phone_number"));
    const char *key = key_of(ctx, edge_rows_text(call, 0, "user_id"), "lofty", &problem);
    if (problem != NULL)
        return problem;
    const char *authorization = edge_format(ctx, "token %s", key);
    const edge_reply *found = ask_crm(
        ctx, "lofty", authorization, edge_format(ctx, "/v1.0/leads?key=%s&limit=5", number), NULL, &problem);
    if (found == NULL)
        return problem;
    json_t *lead = lead_with(ctx, json_object_get(found->json, "leads"), number);
    if (!json_is_integer(lead))
        return "no_matching_lead";
    ask_crm(ctx, "lofty", authorization, "/v1.0/notes",
        json_pack("{s:O, s:s}", "leadId", lead, "content", summary_of(ctx, call)), &problem);
    return problem;
}

static const char *crm_outcome(const edge_rows *call)
{
    const char *status = edge_rows_text(call, 0, "status");
    if (strcmp(status, "appointment_set") == 0)
        return "Interested";
    return strcmp(status, "failed") == 0 || edge_rows_int(call, 0, "duration_seconds") == 0 ? "No Answer"
                                                                                            : NULL;
}

static const char *log_in_follow_up_boss(edge_ctx *ctx, const edge_rows *call)
{
    const char *problem = NULL, *phone = edge_rows_text(call, 0, "phone_number");
    const char *key = key_of(ctx, edge_rows_text(call, 0, "user_id"), "follow_up_boss", &problem);
    if (problem != NULL)
        return problem;
    const char *pair = edge_format(ctx, "%s:", key);
    const char *authorization = edge_format(ctx, "Basic %s", edge_base64(ctx, pair, strlen(pair)));
    const edge_reply *found = ask_crm(ctx, "followupboss", authorization,
        edge_format(ctx, "/v1/people?phone=%s&limit=1", edge_url_encode(ctx, phone)), NULL, &problem);
    if (found == NULL)
        return problem;

    /* 0 is the API's word for somebody it does not know. */
    json_t *person = json_object_get(json_array_get(json_object_get(found->json, "people"), 0), "id");
    const json_t *log = json_pack("{s:o, s:s, s:b, s:I, s:s*, s:s}", "personId",
        json_is_integer(person) ? json_incref(person) : json_integer(0), "phone", phone, "isIncoming", 0,
        "duration", (json_int_t)edge_rows_int(call, 0, "duration_seconds"), "outcome", crm_outcome(call),
        "note", summary_of(ctx, call));
    ask_crm(ctx, "followupboss", authorization, "/v1/calls", log, &problem);
    return problem;
}

/* --- the job --- */

static void note_outcome(edge_ctx *ctx, const char *id, const char *effect, const char *outcome)
{
    edge_service_query(ctx,
        "UPDATE call_logs"
        " SET metadata = coalesce(metadata, '{}') || jsonb_build_object('side_effects',"
        " coalesce(metadata -> 'side_effects', '{}') || jsonb_build_object($2, $3))"
        " WHERE id = $1",
        edge_uuid(id), edge_text(effect), edge_text(text_cut(ctx, outcome, OUTCOME_MAX)));
}

static const char *carry_out(edge_ctx *ctx, const edge_rows *call, const char *effect, const json_t *in)
{
    if (strcmp(effect, "calendar") == 0)
        return add_to_calendar(ctx, call, in);
    if (edge_rows_null(call, 0, "phone_number"))
        return "no_phone_number";
    return strcmp(effect, "lofty") == 0 ? note_in_lofty(ctx, call) : log_in_follow_up_boss(ctx, call);
}

static json_t *after_call(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "callLogId"), *effect = edge_json_text(in, "effect");
    edge_rows *call = edge_service_query(ctx,
        "SELECT id, user_id, call_type, contact_name, phone_number, coalesce(status, '') AS status, "
        "duration_seconds,"
        " notes, analysis, form_data, metadata -> 'side_effects' ->> $2 AS outcome"
        " FROM call_logs WHERE id = $1",
        edge_uuid(id), edge_text(effect));
    if (edge_rows_count(call) == 0)
        return json_pack("{s:b, s:s}", "success", 1, "outcome", "call_gone");
    if (!edge_rows_null(call, 0, "outcome"))
        return json_pack("{s:b, s:s}", "success", 1, "outcome", edge_rows_text(call, 0, "outcome"));

    const char *problem = carry_out(ctx, call, effect, in);
    note_outcome(ctx, id, effect, problem != NULL ? problem : "ok");
    return json_pack("{s:b, s:s}", "success", 1, "outcome", problem != NULL ? problem : "ok");
}

EDGE_FUNCTION(afterCall,
    .summary = "Puts what was said on a call into calendar and CRM",
    .input = input,
    .output = output,
    .handle = after_call,
    .service_without_user = true);
