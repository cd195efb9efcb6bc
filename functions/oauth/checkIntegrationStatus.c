/*
 * checkIntegrationStatus: the state of the platform's integrations, for the administrators' health page, which
 * asks every minute. Two round trips: what is known, and what has been found out. A service that was probed
 * within half a minute is not called again, unless force says so; then the calls run beside the first round
 * trip.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/oauth_client.h"
#include "lib/probe.h"

#define FRESH "interval '30 seconds'"

static const edge_field input[] = {
    { "userId", EDGE_TEXT, .help = "Not used" },
    { "force", EDGE_BOOL, .fallback = "false", .help = "Call every provider, however fresh its state is" },
    { 0 },
};

static const edge_field integration_fields[] = {
    { "name", EDGE_TEXT, .required = true, .help = "For people" },
    { "key", EDGE_TEXT, .required = true, .help = "For programs" },
    { "status", EDGE_ENUM, .values = integration_statuses, .required = true, .help = "How it is doing" },
    { "responseTime", EDGE_INT, .help = "Milliseconds of the call; null without one" },
    { "lastChecked", EDGE_DATETIME, .help = "null: never" },
    { "errorMessage", EDGE_TEXT, .help = "What is wrong" },
    { "metadata", EDGE_OBJECT, .required = true, .help = "What was found, by integration" },
    { "cached", EDGE_BOOL, .required = true, .help = "Whether it was found by an earlier call" },
    { 0 },
};
static const edge_field integration_item = { .type = EDGE_OBJECT, .fields = integration_fields };

static const edge_field summary_fields[] = {
    { "healthy", EDGE_INT, .required = true },
    { "degraded", EDGE_INT, .required = true },
    { "error", EDGE_INT, .required = true },
    { 0 },
};

static const edge_field output[] = {
    { "lastChecked", EDGE_DATETIME, .required = true, .help = "Now" },
    { "integrations", EDGE_ARRAY, .items = &integration_item, .required = true, .help = "In a fixed order" },
    { "summary", EDGE_OBJECT, .fields = summary_fields, .required = true, .help = "Integrations by status" },
    { 0 },
};

enum kind {
    LIVE,    /* probed by a call */
    MARKET,  /* judged by its data: a call costs quota */
    WEBHOOK, /* its row is its webhook's, and only read */
    OAUTH,   /* judged by the users' connections */
};

static const struct integration {
    const char *key, *name;
    enum kind kind;
    const char *services[2]; /* OAUTH: whose connections count */
} integrations[] = {
    { "resend", "Resend (Email)", LIVE, { 0 } },
    { "elevenlabs", "ElevenLabs (Voice)", LIVE, { 0 } },
    { "twilio", "Twilio (Phone)", LIVE, { 0 } },
    { "openai", "OpenAI (LLM)", LIVE, { 0 } },
    { "rapidapi", "RapidAPI (Market Data)", MARKET, { 0 } },
    { "shopify", "Shopify (Orders)", WEBHOOK, { 0 } },
    { "gohighlevel", "GoHighLevel (Subscriptions)", WEBHOOK, { 0 } },
    { "google_workspace", "Google Workspace", OAUTH, { "google_workspace" } },
    { "microsoft_365", "Microsoft 365", OAUTH, { "microsoft_365" } },
    { "meta", "Meta (Facebook/Instagram)", OAUTH, { "facebook", "instagram" } },
};

enum {
    COUNT = sizeof integrations / sizeof *integrations,
};

/* What the database knows. */
struct known {
    edge_rows *stored, *counts, *market;
};

/* The page shows a list whatever happens. */
EDGE_NORETURN static void fail(edge_ctx *ctx, const edge_error *error)
{
    edge_log(ctx, EDGE_LOG_ERROR, "integration_status_failed", { "detail", edge_text(error->detail) });
    edge_fail_with(ctx, error->status, error->code, .message = error->message,
        .extra = json_pack("{s:[]}", "integrations"));
}

static struct known read_known(edge_ctx *ctx)
{
    edge_error error;
    edge_rows *rows[3];
    bool read = edge_try_service_query_batch(ctx, &error, rows,
        EDGE_SQL("SELECT service, status, response_time_ms, last_checked, error_message, metadata,"
                 " last_checked > now() - " FRESH " AS fresh"
                 " FROM integration_status"),
        EDGE_SQL("SELECT service_name,"
                 " count(*) FILTER (WHERE connection_status = 'connected') AS active,"
                 " count(*) FILTER (WHERE connection_status = 'error') AS failing"
                 " FROM external_service_connections"
                 " WHERE connection_status IN ('connected', 'error')"
                 " GROUP BY service_name"),
        EDGE_SQL("SELECT max(data_date) AS newest, max(data_date) >= now() - interval '7 days' AS recent"
                 " FROM market_data"));
    if (!read)
        fail(ctx, &error);
    return (struct known){ rows[0], rows[1], rows[2] };
}

static struct integration_state *new_state(edge_ctx *ctx, const char *status, const char *error)
{
    struct integration_state *state = edge_alloc(ctx, sizeof *state);
    *state = (struct integration_state){ status, -1, error, json_object(), edge_iso_time(ctx, edge_now(ctx)),
        false };
    return state;
}

/* Index of a service's row, -1 without one. */
static int64_t row_of(const edge_rows *rows, const char *column, const char *service)
{
    for (size_t i = 0; i < edge_rows_count(rows); i++)
        if (strcmp(edge_rows_text(rows, i, column), service) == 0)
            return (int64_t)i;
    return -1;
}

static struct integration_state *stored_state(edge_ctx *ctx, const edge_rows *rows, size_t row)
{
    struct integration_state *state =
        new_state(ctx, edge_rows_text(rows, row, "status"), edge_rows_text(rows, row, "error_message"));
    json_t *metadata = edge_rows_value(rows, row, "metadata");
    if (!edge_rows_null(rows, row, "response_time_ms"))
        state->response_ms = edge_rows_int(rows, row, "response_time_ms");
    state->last_checked = edge_rows_null(rows, row, "last_checked")
                              ? NULL
                              : edge_iso_time(ctx, edge_rows_time(rows, row, "last_checked"));
    if (json_is_object(metadata))
        state->metadata = metadata;
    return state;
}

static struct integration_state *webhook_state(edge_ctx *ctx, const struct known *known, const char *key)
{
    int64_t row = row_of(known->stored, "service", key);
    if (row >= 0)
        return stored_state(ctx, known->stored, (size_t)row);
    struct integration_state *state = new_state(ctx, "degraded", "No webhooks received yet");
    state->last_checked = NULL;
    return state;
}

static struct integration_state *market_state(edge_ctx *ctx, const struct known *known)
{
    bool dated = !edge_rows_null(known->market, 0, "newest");
    struct integration_state *state;
    if (edge_env(ctx, "RAPIDAPI_MARKET_METRICS_API_KEY") == NULL)
        state = new_state(ctx, "error", "API key not configured");
    else if (edge_rows_bool(known->market, 0, "recent"))
        state = new_state(ctx, "healthy", NULL);
    else
        state = new_state(ctx, "degraded", "Live connectivity checks are disabled by default");
    json_object_set_new(
        state->metadata, "lastFetchedAt", dated ? edge_rows_value(known->market, 0, "newest") : json_null());
    return state;
}

static struct integration_state *oauth_state(
    edge_ctx *ctx, const struct known *known, const struct integration *integration)
{
    int64_t active = 0, failing = 0;
    for (size_t i = 0; i < 2 && integration->services[i] != NULL; i++) {
        int64_t row = row_of(known->counts, "service_name", integration->services[i]);
        if (row < 0)
            continue;
        active += edge_rows_int(known->counts, (size_t)row, "active");
        failing += edge_rows_int(known->counts, (size_t)row, "failing");
    }
    struct integration_state *state =
        new_state(ctx, active == 0 || failing > active ? "degraded" : "healthy", NULL);
    if (!oauth_client_is_configured(ctx, service_named(ctx, integration->services[0]))) {
        state->status = "error";
        state->error = "OAuth client not configured";
    }
    json_object_set_new(state->metadata, "activeConnections", json_integer(active));
    json_object_set_new(state->metadata, "failingConnections", json_integer(failing));
    return state;
}

/* All states but those that are being probed, which tasks[i] will tell. */
static void find_states(
    edge_ctx *ctx, const struct known *known, struct integration_state **states, edge_task **tasks)
{
    for (size_t i = 0; i < COUNT; i++) {
        const struct integration *integration = &integrations[i];
        int64_t row = row_of(known->stored, "service", integration->key);
        bool fresh = row >= 0 && edge_rows_bool(known->stored, (size_t)row, "fresh");
        if (integration->kind == WEBHOOK)
            states[i] = webhook_state(ctx, known, integration->key);
        else if (integration->kind == MARKET)
            states[i] = market_state(ctx, known);
        else if (integration->kind == OAUTH)
            states[i] = oauth_state(ctx, known, integration);
        else if (tasks[i] == NULL && fresh) {
            states[i] = stored_state(ctx, known->stored, (size_t)row);
            states[i]->cached = true;
        } else if (tasks[i] == NULL)
            tasks[i] = probe_begin(ctx, integration->key);
    }
}

static json_t *milliseconds(const struct integration_state *state)
{
    return state->response_ms >= 0 ? json_integer(state->response_ms) : json_null();
}

static void keep(edge_ctx *ctx, struct integration_state *const *states)
{
    json_t *found = json_array();
    for (size_t i = 0; i < COUNT; i++)
        if (integrations[i].kind != WEBHOOK && !states[i]->cached)
            json_array_append_new(
                found, json_pack("{s:s, s:s, s:o, s:s, s:s?, s:O}", "service", integrations[i].key, "status",
                           states[i]->status, "response_time_ms", milliseconds(states[i]), "last_checked",
                           states[i]->last_checked, "error_message", states[i]->error, "metadata",
                           states[i]->metadata));
    edge_error error;
    edge_rows *kept = edge_try_service_query(ctx, &error,
        "INSERT INTO integration_status"
        " (service, status, response_time_ms, last_checked, error_message, metadata)"
        " SELECT service, status, response_time_ms, last_checked, error_message, metadata"
        " FROM jsonb_to_recordset($1) AS found (service text, status text, response_time_ms integer,"
        " last_checked timestamptz, error_message text, metadata jsonb)"
        " ON CONFLICT (service) DO UPDATE"
        " SET status = EXCLUDED.status, response_time_ms = EXCLUDED.response_time_ms,"
        " last_checked = EXCLUDED.last_checked, error_message = EXCLUDED.error_message,"
        " metadata = EXCLUDED.metadata",
        edge_json(found));
    if (kept == NULL)
        fail(ctx, &error);
}

static json_t *answer(edge_ctx *ctx, struct integration_state *const *states)
{
    json_t *list = json_array(),
           *summary = json_pack("{s:i, s:i, s:i}", "healthy", 0, "degraded", 0, "error", 0);
    for (size_t i = 0; i < COUNT; i++) {
        const struct integration_state *state = states[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s?, s:O, s:b}", "name", integrations[i].name, "key",
                      integrations[i].key, "status", state->status, "responseTime", milliseconds(state),
                      "lastChecked", state->last_checked, "errorMessage", state->error, "metadata",
                      state->metadata, "cached", state->cached));
        json_object_set_new(summary, state->status, json_integer(edge_json_int(summary, state->status, 0) + 1));
    }
    return json_pack("{s:s, s:o, s:o}", "lastChecked", edge_iso_time(ctx, edge_now(ctx)), "integrations", list,
        "summary", summary);
}

static json_t *check_integration_status(edge_ctx *ctx, json_t *in)
{
    bool force = edge_json_bool(in, "force", false);
    struct integration_state *states[COUNT] = { 0 };
    edge_task *tasks[COUNT] = { 0 };
    for (size_t i = 0; force && i < COUNT; i++)
        if (integrations[i].kind == LIVE)
            tasks[i] = probe_begin(ctx, integrations[i].key);

    struct known known = read_known(ctx);
    find_states(ctx, &known, states, tasks);
    for (size_t i = 0; i < COUNT; i++)
        if (tasks[i] != NULL)
            states[i] = edge_await(ctx, tasks[i]);
    keep(ctx, states);
    return answer(ctx, states);
}

EDGE_FUNCTION(checkIntegrationStatus,
    .summary = "Tells administrators how the platform's integrations are doing",
    .input = input,
    .output = output,
    .handle = check_integration_status);
