/*
 * getUserContext: all state that the front end's user provider shares with the app, asked for at sign-in.
 * Rows carry their columns under their own names and in camel case, because the pages read either.
 *
 * One round trip.
 */
#include <edge/edge.h>

#include <ctype.h>
#include <string.h>

#include "lib/account.h"
#include "lib/account_output.h"
#include "lib/text.h"

enum {
    ACTIONS_MAX = 50,
};

/* A section of the answer: its first row, all rows, or both, under their names and the provider's. */
static const struct shown {
    enum account_section section;
    const char *first, *all;
    const char *alias; /* one more name, of the rows if they are answered, else of the first */
} shown[] = {
    { ACCOUNT_PROFILE, "profile", NULL, NULL },
    { ACCOUNT_ONBOARDING, "onboarding", NULL, NULL },
    { ACCOUNT_MARKET, "marketConfig", NULL, NULL },
    { ACCOUNT_PREFERENCES, "preferences", NULL, NULL },
    { ACCOUNT_ACTIONS, NULL, "dailyActions", "actions" },
    { ACCOUNT_AGENTS, "agentConfig", "agentConfigs", NULL },
    { ACCOUNT_SUBSCRIPTIONS, "userAgentSubscription", "userAgentSubscriptions", NULL },
    { ACCOUNT_GOALS, NULL, "goals", NULL },
    { ACCOUNT_PLAN, "businessPlan", NULL, NULL },
    { ACCOUNT_PULSE_SCORES, "latestPulseScore", "pulseHistory", NULL },
    { ACCOUNT_PULSE_CONFIG, "pulseConfig", NULL, NULL },
    { ACCOUNT_INTELLIGENCE, "agentIntelligence", NULL, "agentProfile" },
};

enum {
    SHOWN_COUNT = sizeof shown / sizeof *shown,
};

static const char *const section_names[] = { "profile", "onboarding", "marketConfig", "preferences",
    "dailyActions", "agentConfig", "agentConfigs", "userAgentSubscription", "userAgentSubscriptions", "goals",
    "businessPlan", "latestPulseScore", "pulseHistory", "pulseConfig", "agentIntelligence", NULL };

static const edge_field section = { .name = "section", .type = EDGE_ENUM, .values = section_names };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "include", EDGE_ARRAY, .items = &section, .help = "Sections to answer beside the profile; absent: all" },
    { 0 },
};

static const edge_field action_item = { .type = EDGE_OBJECT, .fields = account_action_row };
static const edge_field agent_item = { .type = EDGE_OBJECT, .fields = account_agent_row };
static const edge_field subscription_item = { .type = EDGE_OBJECT, .fields = account_subscription_row };
static const edge_field goal_item = { .type = EDGE_OBJECT, .fields = account_goal_row };
static const edge_field score_item = { .type = EDGE_OBJECT, .fields = account_pulse_score_row };

static const edge_field output[] = {
    { "profile", EDGE_OBJECT, .fields = account_profile_row, .required = true, .help = "The caller's" },
    { "user", EDGE_OBJECT, .fields = account_user_row, .required = true, .help = "The profile, for display" },
    { "onboarding", EDGE_OBJECT, .fields = account_onboarding_row, .help = "How far it is" },
    { "marketConfig", EDGE_OBJECT, .fields = account_market_row, .help = "Market settings" },
    { "preferences", EDGE_OBJECT, .fields = account_preferences_row, .help = "Looks, styles, messages" },
    { "dailyActions", EDGE_ARRAY, .items = &action_item, .help = "50 at most, latest due date first" },
    { "actions", EDGE_ARRAY, .items = &action_item, .help = "dailyActions" },
    { "agentConfig", EDGE_OBJECT, .fields = account_agent_row, .help = "First of agentConfigs" },
    { "agentConfigs", EDGE_ARRAY, .items = &agent_item, .help = "Enabled ones first" },
    { "userAgentSubscription", EDGE_OBJECT, .fields = account_subscription_row,
        .help = "First of userAgentSubscriptions" },
    { "userAgentSubscriptions", EDGE_ARRAY, .items = &subscription_item, .help = "Active ones first" },
    { "goals", EDGE_ARRAY, .items = &goal_item, .help = "Oldest first" },
    { "businessPlan", EDGE_OBJECT, .fields = account_plan_row, .help = "The 12-month plan" },
    { "latestPulseScore", EDGE_OBJECT, .fields = account_pulse_score_row, .help = "First of pulseHistory" },
    { "pulseHistory", EDGE_ARRAY, .items = &score_item, .help = "30 days at most, latest first" },
    { "pulseConfig", EDGE_OBJECT, .fields = account_pulse_config_row, .help = "Weights of the score" },
    { "agentIntelligence", EDGE_OBJECT, .fields = account_intelligence_row, .help = "Answers of the survey" },
    { "agentProfile", EDGE_OBJECT, .fields = account_intelligence_row, .help = "agentIntelligence" },
    { 0 },
};

static bool is(const char *name, const char *wanted)
{
    return name != NULL && strcmp(name, wanted) == 0;
}

static void want(bool wanted[ACCOUNT_SECTION_COUNT], json_t *include)
{
    for (size_t i = 0; i < SHOWN_COUNT; i++)
        wanted[shown[i].section] = include == NULL || shown[i].section == ACCOUNT_PROFILE;

    size_t at;
    json_t *one;
    json_array_foreach(include, at, one) for (size_t i = 0; i < SHOWN_COUNT; i++)
    {
        const char *name = json_string_value(one);
        wanted[shown[i].section] |= is(shown[i].first, name) || is(shown[i].all, name);
    }
}

static const char *camel_case(edge_ctx *ctx, const char *name)
{
    char *camel = edge_copy(ctx, name), *to = camel;
    for (const char *from = camel; *from != '\0'; from++) {
        if (*from == '_' && from[1] != '\0')
            *to++ = (char)toupper((unsigned char)*++from);
        else
            *to++ = *from;
    }
    *to = '\0';
    return camel;
}

static void add_alias(json_t *row, const char *alias, const char *column)
{
    json_t *value = json_object_get(row, column);
    if (value != NULL)
        json_object_set(row, alias, value);
}

/* The contents of jsonb columns keep their names. */
static json_t *with_aliases(edge_ctx *ctx, json_t *row)
{
    json_t *aliased = json_copy(row);
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(row, name, value) json_object_set(aliased, camel_case(ctx, name), value);

    add_alias(aliased, "created_date", "created_at");
    add_alias(aliased, "updated_date", "updated_at");
    return aliased;
}

static json_t *all_rows(edge_ctx *ctx, const edge_rows *rows, bool actions)
{
    json_t *list = json_array();
    for (size_t i = 0; i < edge_rows_count(rows); i++) {
        json_t *row = with_aliases(ctx, edge_row_json(rows, i));
        if (actions)
            add_alias(row, "actionDate", "due_date");
        json_array_append_new(list, row);
    }
    return list;
}

static void add_section(edge_ctx *ctx, json_t *body, const struct account *account, const struct shown *as)
{
    const edge_rows *rows = account->sections[as->section];
    json_t *all = as->all != NULL ? all_rows(ctx, rows, as->section == ACCOUNT_ACTIONS) : NULL;
    json_t *first = json_array_get(all, 0);
    if (all == NULL && edge_rows_count(rows) > 0)
        first = with_aliases(ctx, edge_row_json(rows, 0));
    if (first == NULL)
        first = json_null();

    if (as->first != NULL)
        json_object_set(body, as->first, first);
    if (all != NULL)
        json_object_set(body, as->all, all);
    if (as->alias != NULL)
        json_object_set(body, as->alias, all != NULL ? all : first);
}

static json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

/* The profile as the provider's user: a role for display, and the name in two. */
static json_t *user_of(edge_ctx *ctx, json_t *profile, bool is_admin)
{
    json_t *user = json_copy(profile);
    if (is_admin)
        json_object_set_new(user, "role", json_string("admin"));

    const char *name = edge_json_text(profile, "full_name");
    size_t first = name != NULL ? strcspn(name, " ") : 0;
    json_object_set_new(
        user, "firstName", text_or_null(name != NULL ? edge_copy_bytes(ctx, name, first) : NULL));
    json_object_set_new(user, "lastName", text_or_null(name != NULL ? text_trim(ctx, name + first) : NULL));
    return user;
}

static json_t *get_user_context(edge_ctx *ctx, json_t *in)
{
    bool wanted[ACCOUNT_SECTION_COUNT] = { [ACCOUNT_ROLE] = true };
    want(wanted, json_object_get(in, "include"));
    const struct account *account = account_read(ctx, wanted, ACTIONS_MAX);

    if (edge_rows_count(account->sections[ACCOUNT_PROFILE]) == 0)
        edge_fail(ctx, 404, "profile_not_found", "There is no profile of this user");
    bool is_admin = edge_rows_bool(account->sections[ACCOUNT_ROLE], 0, "is_admin");

    json_t *body = json_object();
    for (size_t i = 0; i < SHOWN_COUNT; i++)
        if (wanted[shown[i].section])
            add_section(ctx, body, account, &shown[i]);

    json_t *profile = json_object_get(body, "profile");
    json_object_set_new(body, "user", user_of(ctx, profile, is_admin));
    return body;
}

EDGE_FUNCTION(getUserContext,
    .summary = "All state of the signed-in user that the app shares",
    .input = input,
    .output = output,
    .handle = get_user_context);
