/*
 * sandbox_external_backend: stand-in for the product's former database, read through PostgREST
 * (https://docs.postgrest.org/en/v14/references/api/tables_views.html): five tables, by pages of keys.
 *
 * Rows are computed from their number, not stored, and are the same each time; ids are UUIDs that sort as the
 * numbers do. A table has three rows; select=... of the request picks columns. An order's "rows" is how many a
 * table has: number i of 100,000 costs no more than the first.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/sandbox.h"

#define PROVIDER "external_backend"

enum {
    ROWS = 3,
    PAGE_MAX = 1000, /* Supabase's own limit (https://supabase.com/docs/reference/javascript/select) */
};

#define ID "5eed0000-0000-4000-8000-%012lld"

static const char *numbered(edge_ctx *ctx, const char *format, int64_t i)
{
    char *number = edge_format(ctx, "%lld", (long long)i);
    const char *at = strchr(format, '#');
    return edge_format(ctx, "%.*s%s%s", (int)(at - format), format, number, at + 1);
}

static json_t *numbered_json(edge_ctx *ctx, const char *format, int64_t i)
{
    return json_string(numbered(ctx, format, i));
}

static json_t *task_template(edge_ctx *ctx, int64_t i)
{
    static const char *const priorities[] = { "high", "medium", "low" };
    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "title", numbered_json(ctx, "Task #", i),
        "description", "Call five people of the sphere", "category", "power_hour", "actionType", "networking",
        "priority", priorities[i % 3], "triggerType", "pulse_score_range", "triggerValue", "21-60", "isActive",
        1, "pulseImpact", "3");
}

static json_t *client_persona(edge_ctx *ctx, int64_t i)
{
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:b}", "personaKey", numbered_json(ctx, "persona_#", i),
        "personaName", numbered_json(ctx, "Persona #", i), "description", "Wants to sell in spring",
        "personality", "careful, friendly", "speakingStyle", "short sentences", "typicalObjections",
        "[\"Too early\"]", "isActive", 1);
}

static json_t *agent_voice(edge_ctx *ctx, int64_t i)
{
    return json_pack("{s:o, s:o, s:o}", "name", numbered_json(ctx, "Voice #", i), "voice_id",
        numbered_json(ctx, "voice_#", i), "previewAudioUrl",
        numbered_json(ctx, "https://audio.example.com/#.mp3", i));
}

static json_t *call_log(edge_ctx *ctx, int64_t i)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:s, s:{s:s}}", "userEmail", "nobody@example.com",
        "contactName", "Sam Patel", "contactPhone",
        json_string(edge_format(ctx, "+1202555%04lld", (long long)(i % 10000))), "status", "completed",
        "duration", "95", "conversationId", numbered_json(ctx, "conv_#", i), "created_date",
        "2026-01-02T03:04:05Z", "metadata", "campaignName", "Spring");
}

static json_t *featured_pack(edge_ctx *ctx, int64_t i)
{
    return json_pack("{s:o, s:s, s:s, s:o, s:s, s:s, s:b, s:b, s:I}", "title", numbered_json(ctx, "Pack #", i),
        "description", "Pictures for a week", "type", "link", "url",
        numbered_json(ctx, "https://packs.example.com/#", i), "thumbnailUrl",
        "https://packs.example.com/thumb.png", "socialNetworks", "[\"facebook\"]", "isPremium", 0, "isActive",
        1, "sortOrder", (json_int_t)i);
}

static const struct table {
    const char *name;
    json_t *(*row)(edge_ctx *ctx, int64_t i);
} tables[] = {
    { "task_templates", task_template },
    { "client_personas", client_persona },
    { "agent_voices", agent_voice },
    { "call_logs", call_log },
    { "featured_content_packs", featured_pack },
};

static const struct table *find_table(const char *path)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strncmp(path, "/rest/v1/", 9) == 0 && strcmp(path + 9, tables[i].name) == 0)
            return &tables[i];
    return NULL;
}

/* https://docs.postgrest.org/en/v14/references/errors.html */
static json_t *refuse(edge_ctx *ctx, const json_t *order, int status, const char *code, const char *message)
{
    return sandbox_send_json(ctx, order, status,
        json_pack("{s:s, s:n, s:n, s:s}", "code", code, "details", "hint", "message", message));
}

/* Both headers carry the key; the first one is looked at by the gateway before PostgREST. */
static bool has_access(edge_ctx *ctx)
{
    const char *api_key = edge_request_header(ctx, "apikey"),
               *bearer = edge_request_header(ctx, "authorization");
    const char *key = edge_env(ctx, "EXTERNAL_BACKEND_SERVICE_ROLE_KEY");
    bool given = api_key != NULL && bearer != NULL && strncmp(bearer, "Bearer ", 7) == 0;
    return given && (key == NULL || (strcmp(api_key, key) == 0 && strcmp(bearer + 7, key) == 0));
}

/* Number of the first row behind id=gt.<id>. -1: no such condition as this stand-in knows. */
static int64_t first_row(const char *condition)
{
    if (condition == NULL)
        return 0;
    if (strncmp(condition, "gt.", 3) != 0 || strlen(condition) != 3 + 36)
        return -1;
    return atoll(condition + 3 + 24) + 1;
}

static json_t *picked(json_t *row, const char *select)
{
    return strcmp(select, "id") == 0 ? json_pack("{s:O}", "id", json_object_get(row, "id")) : row;
}

/* Content-Range: 0-499/1234, with a star for the total when nobody asked for it. */
static void say_range(edge_ctx *ctx, int64_t count, int64_t total)
{
    const char *prefer = edge_request_header(ctx, "prefer");
    bool counted = prefer != NULL && strstr(prefer, "count=exact") != NULL;
    const char *all = counted ? edge_format(ctx, "%lld", (long long)total) : "*";
    edge_response_header(ctx, "Content-Range",
        count > 0 ? edge_format(ctx, "0-%lld/%s", (long long)count - 1, all) : edge_format(ctx, "*/%s", all));
    edge_response_header(ctx, "Range-Unit", "items");
}

static json_t *list(edge_ctx *ctx, const json_t *order, const struct table *table)
{
    const char *limit = edge_request_query(ctx, "limit"), *select = edge_request_query(ctx, "select");
    const char *sorted = edge_request_query(ctx, "order");
    int64_t total = edge_json_int(order, "rows", ROWS), first = first_row(edge_request_query(ctx, "id"));
    int64_t most = limit != NULL ? atoll(limit) : PAGE_MAX;
    if (first < 0 || (limit != NULL && most < 1))
        return refuse(ctx, order, 400, "PGRST100", "\"failed to parse filter\"");
    if (sorted == NULL || strcmp(sorted, "id.asc") != 0)
        return refuse(ctx, order, 400, "PGRST100", "\"failed to parse order\"");

    json_t *rows = json_array();
    for (int64_t i = first; i < total && i < first + most && i < first + PAGE_MAX; i++) {
        json_t *row = table->row(ctx, i);
        json_object_set_new(row, "id", json_string(edge_format(ctx, ID, (long long)i)));
        json_array_append(rows, picked(row, select != NULL ? select : "*"));
    }
    say_range(ctx, (int64_t)json_array_size(rows), total - first);
    return sandbox_send_json(ctx, order, 200, rows);
}

static json_t *sandbox_backend(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, PROVIDER);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (!has_access(ctx))
        return sandbox_send_json(ctx, order, 401,
            json_pack("{s:s, s:s}", "message", "Invalid API key", "hint",
                "Double check your Supabase `anon` or `service_role` API key."));
    const struct table *table = find_table(edge_request_rest(ctx));
    if (table == NULL)
        return refuse(ctx, order, 404, "PGRST205", "Could not find the table in the schema cache");
    return list(ctx, order, table);
}

EDGE_FUNCTION(sandbox_external_backend,
    .summary = "Stand-in for the product's former database",
    .handle = sandbox_backend,
    .methods = "GET",
    .raw_body = true,
    .streams = true);
