/*
 * getAgentContext: everything the copilot should know about the signed-in user, which the chats fetch before
 * each message. It shows the cached context of buildGraphContext as it is, and never has it built.
 *
 * One round trip.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/account.h"
#include "lib/account_output.h"
#include "lib/engine.h"

static const char *const section_names[] = { "profile", "goals", "recentActions", "intelligence", "market",
    NULL };

static const edge_field section = { .name = "section", .type = EDGE_ENUM, .values = section_names };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "include", EDGE_ARRAY, .items = &section, .help = "Sections to answer, each once; absent: all" },
    { "actionsLimit", EDGE_INT, .min = 1, .max = 100, .fallback = "20", .help = "Most actions to answer" },
    { 0 },
};

static const edge_field goal_item = { .type = EDGE_OBJECT, .fields = account_goal_columns };
static const edge_field action_item = { .type = EDGE_OBJECT, .fields = account_action_columns };
static const edge_field intelligence_fields[] = { ENGINE_CONTEXT_MEMBERS(false), { 0 } };

static const edge_field output[] = {
    { "profile", EDGE_OBJECT, .fields = account_profile_columns, .help = "{}: none" },
    { "goals", EDGE_ARRAY, .items = &goal_item, .help = "Oldest first" },
    { "recentActions", EDGE_ARRAY, .items = &action_item, .help = "Latest due date first" },
    { "intelligence", EDGE_OBJECT, .fields = intelligence_fields,
        .help = "buildGraphContext's answer, as it is kept; {}: none" },
    { "intelligenceStale", EDGE_BOOL, .help = "Whether it has expired, or is none" },
    { "market", EDGE_OBJECT, .fields = account_market_columns, .help = "Market settings; {}: none" },
    { "userId", EDGE_TEXT, .required = true, .help = "The caller" },
    { "email", EDGE_TEXT, .help = "Of the profile" },
    { 0 },
};

static bool includes(json_t *include, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach(include, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return include == NULL;
}

static void check_unique(edge_ctx *ctx, json_t *include)
{
    for (size_t i = 0; i < json_array_size(include); i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(include, i), json_array_get(include, j)))
                edge_fail_with(ctx, 400, "invalid_input", .field = "include",
                    .message = edge_format(
                        ctx, "include names \"%s\" twice", json_string_value(json_array_get(include, i))));
}

static json_t *or_empty(json_t *row)
{
    return row != NULL ? row : json_object();
}

static void add_intelligence(edge_ctx *ctx, json_t *body, const edge_rows *cached)
{
    bool there = edge_rows_count(cached) > 0;
    bool stale = !there || edge_rows_time(cached, 0, "expires_at") <= edge_now(ctx);
    json_object_set_new(body, "intelligence", there ? edge_rows_value(cached, 0, "context") : json_object());
    json_object_set_new(body, "intelligenceStale", json_boolean(stale));
}

static json_t *get_agent_context(edge_ctx *ctx, json_t *in)
{
    json_t *include = json_object_get(in, "include");
    check_unique(ctx, include);

    /* The profile is read in any case: the answer names its e-mail address. */
    const bool wanted[ACCOUNT_SECTION_COUNT] = {
        [ACCOUNT_PROFILE] = true,
        [ACCOUNT_GOALS] = includes(include, "goals"),
        [ACCOUNT_ACTIONS] = includes(include, "recentActions"),
        [ACCOUNT_GRAPH] = includes(include, "intelligence"),
        [ACCOUNT_MARKET] = includes(include, "market"),
    };
    const struct account *account = account_read(ctx, wanted, edge_json_int(in, "actionsLimit", 20));

    json_t *profile = or_empty(account_first(account, ACCOUNT_PROFILE)), *body = json_object();
    if (includes(include, "profile"))
        json_object_set(body, "profile", profile);
    if (wanted[ACCOUNT_GOALS])
        json_object_set_new(body, "goals", edge_rows_json(account->sections[ACCOUNT_GOALS]));
    if (wanted[ACCOUNT_ACTIONS])
        json_object_set_new(body, "recentActions", edge_rows_json(account->sections[ACCOUNT_ACTIONS]));
    if (wanted[ACCOUNT_GRAPH])
        add_intelligence(ctx, body, account->sections[ACCOUNT_GRAPH]);
    if (wanted[ACCOUNT_MARKET])
        json_object_set_new(body, "market", or_empty(account_first(account, ACCOUNT_MARKET)));
    json_object_set_new(body, "userId", json_string(edge_auth_user(ctx)));
    json_object_set_new(body, "email", json_pack("s?", edge_json_text(profile, "email")));
    return body;
}

EDGE_FUNCTION(getAgentContext,
    .summary = "What the copilot should know about the signed-in user",
    .input = input,
    .output = output,
    .handle = get_agent_context);
