/*
 * sendContactsToElevenLabs: starts outbound sales calls to a list of contacts, five at a time. Each call is a
 * row of call_logs from before it is dialled, so the webhook finds it whatever happens to this request.
 *
 * Everything is read and written as the user: one round trip to read, one to insert all rows, one a call.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/call_agent.h"
#include "lib/contact.h"
#include "lib/idempotency.h"
#include "lib/voice.h"

enum {
    CONTACTS_MAX = 200,
    KEYS_MAX = 50,
    IN_FLIGHT_MAX = 5,
    REPEATS_MAX = 2, /* of a call that was asked too early (429) */
    WAIT_MAX_S = 5,
};

static const edge_field contact_field = { .name = "contact", .type = EDGE_OBJECT };
static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { "contacts", EDGE_ARRAY, .min = 1, .max = 1e6, .required = true, .items = &contact_field,
        .help = "Whom to call, 200 at most" },
    { "callType", EDGE_TEXT, .min = 1, .max = 80, .required = true,
        .help = "New Seller Lead, Expired Listing, …" },
    { "agentData", EDGE_OBJECT, .fields = call_agent_fields,
        .help = "What the calling agent says of the user" },
    { "campaignName", EDGE_TEXT, .max = 120 },
    { "idempotencyKey", EDGE_TEXT, .help = "With it nobody is called twice" },
    { 0 },
};

static const edge_field result_fields[] = {
    { "success", EDGE_BOOL, .required = true, .help = "Whether the phone rings" },
    { "contact", EDGE_TEXT, .required = true, .help = "Who was called" },
    { "error", EDGE_TEXT, .help = "Why not" },
    { "callLogId", EDGE_UUID, .help = "Row of call_logs; none for who was refused" },
    { "conversationId", EDGE_TEXT, .help = "The call at ElevenLabs" },
    { 0 },
};
static const edge_field result_item = { .type = EDGE_OBJECT, .fields = result_fields };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "Whether any call was started" },
    { "campaignId", EDGE_UUID, .help = "The calls together" },
    { "totalContacts", EDGE_INT, .help = "How many were given" },
    { "successCount", EDGE_INT, .help = "How many were called" },
    { "failureCount", EDGE_INT, .help = "How many were not" },
    { "results", EDGE_ARRAY, .items = &result_item, .help = "In the order of contacts" },
    { "message", EDGE_TEXT, .help = "A sentence about it" },
    { "error", EDGE_TEXT, .help = "Why no call was started" },
    { "requiresOnboarding", EDGE_BOOL, .help = "true: the user has no phone line yet, and nothing was done" },
    { "code", EDGE_TEXT, .help = "requires_onboarding" },
    { 0 },
};

/* One contact on its way: refused, or a row and what became of its call. */
struct target {
    struct contact contact;
    const char *number, *call_id, *key; /* key: what the row's id is made of, NULL without one */
    const char *error;                  /* NULL: no reason not to call, or called */
    const char *conversation_id;
    json_t *variables;
    bool dials;
};

struct campaign {
    edge_ctx *ctx;
    const json_t *in;
    const char *user, *email, *id, *call_type, *name, *agent_id, *key;
    struct voice_config config;
    struct target *targets;
    size_t count, next;
};

static void check_contacts(edge_ctx *ctx, const json_t *contacts)
{
    size_t i;
    json_t *contact;
    if (json_array_size(contacts) > CONTACTS_MAX)
        edge_fail_with(ctx, 413, "too_many_contacts", .message = "At most 200 contacts can be called at once",
            .field = "contacts");
    json_array_foreach((json_t *)contacts, i, contact)
    {
        if (json_object_size(contact) > KEYS_MAX)
            edge_fail_with(ctx, 400, "invalid_input", .message = "A contact has at most 50 members",
                .field = edge_format(ctx, "contacts[%zu]", i));
    }
}

static bool is_taken(const struct campaign *campaign, size_t count, const char *number)
{
    for (size_t i = 0; i < count; i++)
        if (campaign->targets[i].error == NULL && strcmp(campaign->targets[i].number, number) == 0)
            return true;
    return false;
}

static void read_targets(struct campaign *campaign)
{
    edge_ctx *ctx = campaign->ctx;
    const json_t *contacts = json_object_get(campaign->in, "contacts");
    campaign->count = json_array_size(contacts);
    campaign->targets = edge_alloc(ctx, campaign->count * sizeof *campaign->targets);
    for (size_t i = 0; i < campaign->count; i++) {
        struct target *target = &campaign->targets[i];
        target->contact = contact_read(ctx, json_array_get(contacts, i));
        target->number = target->contact.phone != NULL ? voice_number(ctx, target->contact.phone) : NULL;
        target->call_id = edge_uuid_v4(ctx);
        if (target->number == NULL)
            target->error = "Invalid phone number";
        else if (!voice_is_allowed(ctx, target->number))
            target->error = "Country not allowed";
        else if (is_taken(campaign, i, target->number))
            target->error = "Duplicate phone number";
        if (target->error == NULL && campaign->key != NULL)
            target->key = edge_format(ctx, "call:%s:%s:%s", campaign->user, campaign->key, target->number);
    }
}

enum {
    CONFIG,
    SUBSCRIPTION,
    PROFILE,
    IDS,
    READS
};

static void read_rows(struct campaign *campaign, edge_rows **rows)
{
    edge_ctx *ctx = campaign->ctx;
    const char **keys = edge_alloc(ctx, (campaign->count + 1) * sizeof *keys);
    for (size_t i = 0; i < campaign->count; i++)
        keys[i] = campaign->targets[i].key;
    keys[campaign->count] =
        campaign->key != NULL ? edge_format(ctx, "campaign:%s:%s", campaign->user, campaign->key) : NULL;

    edge_query_batch(ctx, rows, EDGE_SQL(VOICE_CONFIG_SQL, edge_text(campaign->user)),
        EDGE_SQL(
            "SELECT minutes_allocated IS NOT NULL AND coalesce(current_minutes_used, 0) >= minutes_allocated"
            " AND coalesce(overage_rate, 0) = 0 AS exhausted"
            " FROM user_agent_subscriptions"
            " WHERE user_id = $1 AND agent_type IN ('sales_agent', 'core')"
            " ORDER BY agent_type = 'sales_agent' DESC LIMIT 1",
            edge_text(campaign->user)),
        EDGE_SQL("SELECT email FROM profiles WHERE id = $1", edge_text(campaign->user)),
        EDGE_SQL("SELECT md5(key)::uuid AS id FROM unnest($1) WITH ORDINALITY AS k (key, place) ORDER BY place",
            edge_texts(keys, campaign->count + 1)));
}

static const char *agent_of(const struct campaign *campaign)
{
    edge_ctx *ctx = campaign->ctx;
    const char *buyer = edge_env(ctx, "ELEVEN_LABS_BUYER_AGENT_ID");
    const char *seller = edge_env(ctx, "ELEVEN_LABS_SELLER_AGENT_ID");
    if (buyer != NULL && strcasestr(campaign->call_type, "buyer") != NULL)
        return buyer;
    if (seller != NULL && strcasestr(campaign->call_type, "seller") != NULL)
        return seller;
    return campaign->config.agent_id != NULL ? campaign->config.agent_id
                                             : edge_env(ctx, "ELEVEN_LABS_DEFAULT_AGENT_ID");
}

/* NULL, or the answer to somebody who has no phone line yet: both dialogs read it from a 200. */
static json_t *prepare(struct campaign *campaign)
{
    edge_ctx *ctx = campaign->ctx;
    edge_rows *rows[READS];
    read_rows(campaign, rows);

    campaign->config = voice_config_of(rows[CONFIG]);
    if (campaign->config.line_id == NULL)
        return json_pack("{s:b, s:b, s:s, s:s}", "success", 0, "requiresOnboarding", 1, "error",
            "Set up a phone number before calling contacts", "code", "requires_onboarding");
    if (edge_rows_count(rows[SUBSCRIPTION]) > 0 && edge_rows_bool(rows[SUBSCRIPTION], 0, "exhausted"))
        edge_fail(ctx, 402, "minutes_exhausted", "The plan's minutes are used up");
    campaign->agent_id = agent_of(campaign);
    if (campaign->agent_id == NULL)
        edge_fail(ctx, 409, "voice_agent_missing", "No agent is set up for calls");

    campaign->email = edge_rows_count(rows[PROFILE]) > 0 ? edge_rows_text(rows[PROFILE], 0, "email") : NULL;
    campaign->id = edge_rows_text(rows[IDS], campaign->count, "id");
    if (campaign->id == NULL)
        campaign->id = edge_uuid_v4(ctx);
    for (size_t i = 0; i < campaign->count; i++)
        if (campaign->targets[i].key != NULL)
            campaign->targets[i].call_id = edge_rows_text(rows[IDS], i, "id");
    return NULL;
}

static json_t *variables_of(const struct campaign *campaign, const struct target *target)
{
    edge_ctx *ctx = campaign->ctx;
    json_t *variables = json_object();
    voice_set(variables, "call_log_id", target->call_id);
    voice_set(variables, "user_id", campaign->user);
    voice_set(variables, "user_email", campaign->email);
    call_agent_add_variables(
        ctx, json_object_get(campaign->in, "agentData"), campaign->config.phone_number, variables);
    voice_set(variables, "contact_name", target->contact.name);
    voice_set(variables, "contact_phone", target->number);
    voice_set(variables, "call_type", campaign->call_type);
    voice_set(variables, "campaign_name", campaign->name);
    voice_set(variables, "triggered_at", edge_iso_time(ctx, edge_now(ctx)));
    voice_set(variables, "property_address", target->contact.address);
    voice_set(variables, "lead_source", target->contact.source);
    voice_set(variables, "meeting_location", target->contact.meeting);
    voice_set(variables, "call_focus", voice_call_focus(campaign->call_type));
    contact_add_variables(ctx, &target->contact, variables);
    return variables;
}

static json_t *row_json(const struct campaign *campaign, const struct target *target)
{
    json_t *metadata =
        json_pack("{s:s, s:O}", "campaign_id", campaign->id, "dynamic_variables", target->variables);
    voice_set(metadata, "campaign_name", campaign->name);
    return json_pack("{s:s, s:s, s:s, s:O, s:o}", "id", target->call_id, "contact_name", target->contact.name,
        "phone_number", target->number, "form_data", target->contact.fields, "metadata", metadata);
}

/* The row of a target among those of a list; false when it is not there. */
static bool row_of(const edge_rows *rows, const struct target *target, size_t *row)
{
    for (*row = 0; *row < edge_rows_count(rows); (*row)++)
        if (strcmp(edge_rows_text(rows, *row, "id"), target->call_id) == 0)
            return true;
    return false;
}

/* A row that was inserted is dialled; one that was there tells its state. */
static void read_state(struct target *target, const edge_rows *inserted, const edge_rows *stored)
{
    size_t row;
    target->dials = row_of(inserted, target, &row);
    if (target->dials)
        return;
    bool known = row_of(stored, target, &row);
    const char *status = known ? edge_rows_text(stored, row, "status") : NULL;
    target->conversation_id = known ? edge_rows_text(stored, row, "conversation_id") : NULL;
    if (status != NULL && strcmp(status, "failed") == 0)
        target->error = "ElevenLabs API error";
    else if (target->conversation_id == NULL)
        target->error = "Call not confirmed yet";
}

/* One statement for all rows. A row that was there is not dialled again, and tells its state instead. */
static void insert_rows(struct campaign *campaign)
{
    json_t *list = json_array();
    for (size_t i = 0; i < campaign->count; i++) {
        struct target *target = &campaign->targets[i];
        if (target->error != NULL)
            continue;
        target->variables = variables_of(campaign, target);
        json_array_append_new(list, row_json(campaign, target));
    }
    edge_rows *rows[2];
    edge_query_batch(campaign->ctx, rows,
        EDGE_SQL(
            "INSERT INTO call_logs (id, user_id, call_type, contact_name, phone_number, status, form_data, "
            "metadata)"
            " SELECT id, $2, $3, contact_name, phone_number, 'pending_initiation', form_data, metadata"
            " FROM jsonb_to_recordset($1) AS c (id uuid, contact_name text, phone_number text, form_data jsonb,"
            " metadata jsonb)"
            " ON CONFLICT (id) DO NOTHING"
            " RETURNING id",
            edge_json(list), edge_text(campaign->user), edge_text(campaign->call_type)),
        EDGE_SQL("SELECT c.id, c.status, c.conversation_id FROM call_logs AS c"
                 " JOIN jsonb_to_recordset($1) AS l (id uuid) USING (id)",
            edge_json(list)));

    for (size_t i = 0; i < campaign->count; i++)
        if (campaign->targets[i].error == NULL)
            read_state(&campaign->targets[i], rows[0], rows[1]);
}

/* The webhook may have overtaken this: a call that has gone further stays what it is. */
static void note_call(edge_ctx *ctx, const struct target *target, const struct voice_call *call)
{
    if (call->started)
        edge_query(ctx,
            "UPDATE call_logs"
            " SET status = CASE WHEN status = 'pending_initiation' THEN 'initiated' ELSE status END,"
            " conversation_id = $2, call_sid = coalesce($3, call_sid)"
            " WHERE id = $1",
            edge_uuid(target->call_id), edge_text(call->conversation_id), edge_text(call->call_sid));
    else
        edge_query(ctx,
            "UPDATE call_logs"
            " SET status = CASE WHEN status = 'pending_initiation' THEN 'failed' ELSE status END,"
            " metadata = coalesce(metadata, '{}') || jsonb_build_object('error', $2)"
            " WHERE id = $1",
            edge_uuid(target->call_id), edge_text(call->error));
}

static void dial(const struct campaign *campaign, struct target *target)
{
    edge_ctx *ctx = campaign->ctx;
    json_t *override = json_object();
    if (campaign->config.voice_id != NULL)
        json_object_set_new(override, "tts", json_pack("{s:s}", "voice_id", campaign->config.voice_id));
    const struct voice_order order = { .agent_id = campaign->agent_id,
        .line_id = campaign->config.line_id,
        .to = target->number,
        .variables = target->variables,
        .override = override };

    const struct voice_call *call = voice_dial(ctx, &order);
    for (int i = 0; i < REPEATS_MAX && call->status == 429 && call->retry_after_seconds <= WAIT_MAX_S; i++) {
        edge_sleep(ctx, call->retry_after_seconds > 0 ? call->retry_after_seconds * 1000 : 1000);
        call = voice_dial(ctx, &order);
    }
    note_call(ctx, target, call);
    target->conversation_id = call->started ? call->conversation_id : NULL;
    if (!call->started)
        target->error = call->status > 0 ? "ElevenLabs API error" : "Network error";
}

/* One of the lines: takes contacts until there are no more. */
static void *dial_next(edge_ctx *ctx, void *arg)
{
    struct campaign *campaign = arg;
    (void)ctx;
    while (campaign->next < campaign->count) {
        struct target *target = &campaign->targets[campaign->next++];
        if (target->dials)
            dial(campaign, target);
    }
    return NULL;
}

static void dial_all(struct campaign *campaign)
{
    edge_task *lines[IN_FLIGHT_MAX];
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
        lines[i] = edge_spawn(campaign->ctx, dial_next, campaign);
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
        edge_await(campaign->ctx, lines[i]);
}

static json_t *answer_of(const struct campaign *campaign)
{
    json_t *results = json_array();
    size_t started = 0;
    for (size_t i = 0; i < campaign->count; i++) {
        const struct target *target = &campaign->targets[i];
        json_t *result =
            json_pack("{s:b, s:s}", "success", target->error == NULL, "contact", target->contact.name);
        voice_set(result, "error", target->error);
        voice_set(result, "callLogId", target->variables != NULL ? target->call_id : NULL);
        voice_set(result, "conversationId", target->conversation_id);
        json_array_append_new(results, result);
        started += target->error == NULL;
    }
    json_t *answer = json_pack("{s:b, s:s, s:I, s:I, s:I, s:o, s:s}", "success", started > 0, "campaignId",
        campaign->id, "totalContacts", (json_int_t)campaign->count, "successCount", (json_int_t)started,
        "failureCount", (json_int_t)(campaign->count - started), "results", results, "message",
        edge_format(campaign->ctx, "%zu of %zu calls were started", started, campaign->count));
    if (started == 0)
        voice_set(answer, "error", campaign->targets[0].error);
    return answer;
}

static json_t *send_contacts(edge_ctx *ctx, json_t *in)
{
    check_contacts(ctx, json_object_get(in, "contacts"));
    struct campaign *campaign = edge_alloc(ctx, sizeof *campaign);
    *campaign = (struct campaign){
        .ctx = ctx,
        .in = in,
        .user = edge_auth_user(ctx),
        .call_type = edge_json_text(in, "callType"),
        .name = edge_json_text(in, "campaignName"),
        .key = idempotency_key(ctx, in),
    };
    voice_require_key(ctx);
    read_targets(campaign);
    json_t *onboarding = prepare(campaign);
    if (onboarding != NULL)
        return onboarding;
    insert_rows(campaign);
    dial_all(campaign);
    return answer_of(campaign);
}

EDGE_FUNCTION(sendContactsToElevenLabs,
    .summary = "Starts outbound sales calls to a list of contacts",
    .input = input,
    .output = output,
    .handle = send_contacts);
