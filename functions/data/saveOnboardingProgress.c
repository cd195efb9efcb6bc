/*
 * saveOnboardingProgress: saves the onboarding wizard's state after each step. One round trip: the row is made
 * where there is none, and steps are added to those that it holds by then, so two devices lose none.
 */
#include <edge/edge.h>

#include <string.h>

#define NAMES(camel_case)                                                                                      \
    (const char *const[])                                                                                      \
    {                                                                                                          \
        camel_case, NULL                                                                                       \
    }

static const edge_field step = { "", EDGE_TEXT, .min = 1, .max = 100, .required = true };

static const edge_field progress[] = {
    { "onboarding_completed", EDGE_BOOL, .aliases = NAMES("onboardingCompleted") },
    { "agent_onboarding_completed", EDGE_BOOL, .aliases = NAMES("agentOnboardingCompleted") },
    { "call_center_onboarding_completed", EDGE_BOOL, .aliases = NAMES("callCenterOnboardingCompleted") },
    { "agent_intelligence_completed", EDGE_BOOL, .aliases = NAMES("agentIntelligenceCompleted") },
    { "disclosure_accepted", EDGE_BOOL, .aliases = NAMES("disclosureAccepted") },
    { "completed_steps", EDGE_ARRAY, .min = 0, .max = 100, .items = &step, .aliases = NAMES("completedSteps") },
    { "onboarding_completion_date", EDGE_DATETIME, .aliases = NAMES("onboardingCompletionDate") },
    { "agent_intelligence_completion_date", EDGE_DATETIME,
        .aliases = NAMES("agentIntelligenceCompletionDate") },
    { "disclosure_acceptance_timestamp", EDGE_DATETIME, .aliases = NAMES("disclosureAcceptanceTimestamp") },
    { 0 },
};

static const edge_field input[] = {
    { "progressData", EDGE_OBJECT, .required = true,
        .help = "Columns of user_onboarding in either spelling: the five flags, completed_steps, three times" },
    { 0 },
};

static const edge_field step_item = { .type = EDGE_TEXT };
static const edge_field row_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The row" },
    { "user_id", EDGE_TEXT, .required = true, .help = "Whose it is" },
    { "onboarding_completed", EDGE_BOOL, .help = "The wizard" },
    { "agent_onboarding_completed", EDGE_BOOL, .help = "The agents" },
    { "call_center_onboarding_completed", EDGE_BOOL, .help = "The call center" },
    { "created_at", EDGE_DATETIME, .help = "When it was begun" },
    { "updated_at", EDGE_DATETIME, .help = "When it was changed last" },
    { "highlevel_webhook_sent", EDGE_BOOL, .help = "Whether HighLevel has been told" },
    { "completed_steps", EDGE_ARRAY, .items = &step_item, .required = true,
        .help = "In the order of completion" },
    { "onboarding_completion_date", EDGE_DATETIME, .help = "When the wizard was finished" },
    { "agent_intelligence_completion_date", EDGE_DATETIME, .help = "When the interview was finished" },
    { "disclosure_acceptance_timestamp", EDGE_DATETIME, .help = "When the disclosure was accepted" },
    { "agent_intelligence_completed", EDGE_BOOL, .help = "The interview" },
    { "disclosure_accepted", EDGE_BOOL, .help = "The disclosure" },
    { "goals_setup_completed", EDGE_BOOL, .help = "The goals" },
    { "goals_completion_date", EDGE_DATETIME, .help = "When the goals were set" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "data", EDGE_OBJECT, .fields = row_fields, .required = true, .help = "The state as it is now" },
    { "ignoredFields", EDGE_ARRAY, .items = &step_item, .required = true,
        .help = "What was given and not written" },
    { 0 },
};

static const edge_problem problems[] = {
    { 404, "user_not_found", "The caller has no profile yet" },
    { 0 },
};

static bool is_name_of(const edge_field *field, const char *name)
{
    return strcmp(field->name, name) == 0 || strcmp(field->aliases[0], name) == 0;
}

static json_t *ignored_fields(json_t *given)
{
    json_t *ignored = json_array(), *value;
    const char *name;
    json_object_foreach(given, name, value)
    {
        const edge_field *field = progress;
        while (field->name != NULL && !is_name_of(field, name))
            field++;
        if (field->name == NULL)
            json_array_append_new(ignored, json_string(name));
    }
    return ignored;
}

static bool is_null(const json_t *given, const edge_field *field)
{
    const json_t *value = json_object_get(given, field->name);
    return json_is_null(value != NULL ? value : json_object_get(given, field->aliases[0]));
}

/* The columns to change: what was given, and null where it clears a time. */
static json_t *checked(edge_ctx *ctx, json_t *given)
{
    json_t *columns = json_object(), *cleared = json_object();
    for (const edge_field *field = progress; field->name != NULL; field++)
        if (field->type == EDGE_DATETIME && is_null(given, field))
            json_object_set_new(cleared, field->name, json_null());
    edge_input_check(ctx, "progressData", progress, given);
    for (const edge_field *field = progress; field->name != NULL; field++)
        json_object_set(columns, field->name, json_object_get(given, field->name));
    json_object_update_missing(columns, cleared);
    return columns;
}

/*
 * An explicit onboarding_completed goes before what a date in the same request implies. Steps are added in
 * their order, each once.
 */
static const char save_sql[] =
    "UPDATE user_onboarding AS o"
    " SET (onboarding_completed, onboarding_completion_date, completed_steps, call_center_onboarding_completed,"
    "  agent_onboarding_completed, agent_intelligence_completed, agent_intelligence_completion_date,"
    "  disclosure_accepted, disclosure_acceptance_timestamp) = ("
    " SELECT n.onboarding_completed OR ($2 ->> 'onboarding_completion_date' IS NOT NULL"
    "   AND NOT $2 ? 'onboarding_completed'),"
    "  CASE WHEN $2 -> 'onboarding_completed' = 'false' THEN NULL"
    "  WHEN $2 -> 'onboarding_completed' = 'true' THEN coalesce(n.onboarding_completion_date, now())"
    "  ELSE n.onboarding_completion_date END,"
    "  steps.done,"
    "  n.call_center_onboarding_completed"
    "  OR steps.done @> ARRAY['phone', 'voice', 'identity', 'workspace', 'call-confirm'],"
    "  n.agent_onboarding_completed, n.agent_intelligence_completed, n.agent_intelligence_completion_date,"
    "  n.disclosure_accepted, n.disclosure_acceptance_timestamp"
    " FROM jsonb_populate_record(o, $2 - 'completed_steps') AS n"
    " CROSS JOIN LATERAL (SELECT o.completed_steps || ARRAY("
    "  SELECT step FROM jsonb_array_elements_text($2 -> 'completed_steps') WITH ORDINALITY AS given (step, n)"
    "  WHERE step <> ALL (o.completed_steps)"
    "  GROUP BY step ORDER BY min(n)) AS done) AS steps)"
    " WHERE user_id = $1"
    " RETURNING *";

static json_t *save_onboarding_progress(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_auth_user(ctx);
    json_t *given = json_object_get(in, "progressData");
    json_t *ignored = ignored_fields(given), *columns = checked(ctx, given);

    edge_rows *rows[2];
    edge_query_batch(ctx, rows,
        EDGE_SQL("INSERT INTO user_onboarding (user_id) SELECT id FROM profiles WHERE id = $1"
                 " ON CONFLICT (user_id) DO NOTHING",
            edge_text(user)),
        EDGE_SQL(save_sql, edge_text(user), edge_json(columns)));

    if (edge_rows_count(rows[1]) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    return json_pack(
        "{s:b, s:o, s:o}", "success", 1, "data", edge_row_json(rows[1], 0), "ignoredFields", ignored);
}

EDGE_FUNCTION(saveOnboardingProgress,
    .summary = "Saves the state of the onboarding wizard",
    .input = input,
    .output = output,
    .problems = problems,
    .handle = save_onboarding_progress);
