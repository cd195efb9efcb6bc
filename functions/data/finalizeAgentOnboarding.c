/*
 * finalizeAgentOnboarding: the last step of an agent's onboarding: its configuration, guidelines and knowledge
 * are stored, and the user marked as done. One round trip, one transaction; the same request again changes
 * nothing.
 */
#include <edge/edge.h>

#define OR(name)                                                                                               \
    (const char *const[])                                                                                      \
    {                                                                                                          \
        name, NULL                                                                                             \
    }

static const char *const agent_type_pattern[] = { "[a-z][a-z0-9_]{0,49}", NULL };
static const edge_field trait = { "", EDGE_TEXT, .min = 0, .max = 100 };

static const edge_field guideline_fields[] = {
    { "type", EDGE_TEXT, .max = 50, .required = true, .aliases = OR("guidelineType"), .help = "As do, dont" },
    { "category", EDGE_TEXT, .max = 100, .required = true, .aliases = OR("guidelineCategory"),
        .help = "As tone" },
    { "text", EDGE_TEXT, .min = 1, .max = 5000, .required = true, .aliases = OR("guidelineText"),
        .help = "The rule" },
    { 0 },
};
static const edge_field guideline = { "", EDGE_OBJECT, .fields = guideline_fields };

static const edge_field knowledge_fields[] = {
    { "type", EDGE_TEXT, .max = 50, .fallback = "note", .help = "As note, faq" },
    { "title", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "Names it within its type" },
    { "content", EDGE_TEXT, .min = 1, .max = 100000, .required = true, .help = "What the agent is to know" },
    { "metadata", EDGE_OBJECT, .max = 262144, .fallback = "{}", .help = "Kept beside it" },
    { 0 },
};
static const edge_field knowledge = { "", EDGE_OBJECT, .fields = knowledge_fields };

static const edge_field onboarding_fields[] = {
    { "agentType", EDGE_PATTERN, .values = agent_type_pattern, .fallback = "executive_assistant",
        .help = "Which agent" },
    { "responseStyle", EDGE_TEXT, .max = 50, .help = "Default professional for a new configuration" },
    { "personalityTraits", EDGE_ARRAY, .min = 0, .max = 20, .items = &trait, .help = "At most 20" },
    { "guidelines", EDGE_ARRAY, .min = 0, .max = 100, .items = &guideline, .fallback = "[]",
        .help = "New ones are added" },
    { "knowledge", EDGE_ARRAY, .min = 0, .max = 100, .items = &knowledge, .fallback = "[]",
        .help = "Stored under type and title" },
    { 0 },
};

static const edge_field input[] = {
    { "onboardingData", EDGE_OBJECT, .fields = onboarding_fields, .fallback = "{}",
        .help = "Without it: the defaults" },
    { 0 },
};

static const edge_field trait_item = { .type = EDGE_TEXT };
static const edge_field config_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The configuration" },
    { "user_id", EDGE_TEXT, .required = true, .help = "Whose it is" },
    { "agent_type", EDGE_TEXT, .required = true, .help = "Of which agent" },
    { "voice_id", EDGE_TEXT, .help = "How it speaks" },
    { "voice_name", EDGE_TEXT, .help = "The voice for people" },
    { "personality_traits", EDGE_ARRAY, .items = &trait_item, .help = "What it is like" },
    { "response_style", EDGE_TEXT, .help = "As professional" },
    { "enabled", EDGE_BOOL, .required = true, .help = "true" },
    { "created_at", EDGE_DATETIME, .help = "When it was made" },
    { "updated_at", EDGE_DATETIME, .help = "When it was changed last" },
    { "settings", EDGE_JSON, .required = true, .help = "Further settings by name" },
    { "eleven_labs_agent_id", EDGE_TEXT, .help = "The agent at ElevenLabs" },
    { "eleven_labs_phone_number_id", EDGE_TEXT, .help = "Its number there" },
    { "eleven_labs_voice_id", EDGE_TEXT, .help = "Its voice there" },
    { "twilio_phone_number", EDGE_TEXT, .help = "Number that it calls from" },
    { "eleven_labs_twilio_number_id", EDGE_TEXT, .help = "That number at ElevenLabs" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { "agentConfig", EDGE_OBJECT, .fields = config_fields, .required = true, .help = "Row of agent_config" },
    { "guidelinesSaved", EDGE_INT, .required = true, .help = "New ones" },
    { "knowledgeSaved", EDGE_INT, .required = true, .help = "New and changed ones" },
    { 0 },
};

static const edge_problem problems[] = {
    { 404, "user_not_found", "The caller has no profile yet" },
    { 0 },
};

/* Shape of the group's screens that look at "success" alone. */
static const edge_shape shape = { .success_false = true };

static const char config_sql[] =
    "INSERT INTO agent_config AS c (user_id, agent_type, enabled, response_style, personality_traits)"
    " SELECT id, $2, true, coalesce($3, 'professional'),"
    " coalesce(ARRAY(SELECT jsonb_array_elements_text($4)), '{}')"
    " FROM profiles WHERE id = $1"
    " ON CONFLICT (user_id, agent_type) DO UPDATE"
    " SET enabled = true, response_style = coalesce($3, c.response_style),"
    " personality_traits = CASE WHEN $4::jsonb IS NULL THEN c.personality_traits"
    "  ELSE EXCLUDED.personality_traits END"
    " RETURNING c.*";

static const char guidelines_sql[] =
    "INSERT INTO user_guidelines (user_id, agent_type, guideline_type, guideline_category, guideline_text)"
    " SELECT p.id, $2, g.type, g.category, g.text"
    " FROM profiles AS p, jsonb_to_recordset($3) AS g (type text, category text, text text)"
    " WHERE p.id = $1"
    " AND NOT EXISTS ("
    "  SELECT FROM user_guidelines AS s"
    "  WHERE s.user_id = $1 AND s.agent_type = $2 AND s.guideline_type = g.type"
    "  AND s.guideline_category = g.category AND s.guideline_text = g.text)"
    " GROUP BY p.id, g.type, g.category, g.text";

/* Of two in one request with the same type and title the later one is stored. */
static const char knowledge_sql[] =
    "WITH given AS ("
    " SELECT DISTINCT ON (k.value ->> 'type', k.value ->> 'title')"
    "  k.value ->> 'type' AS type, k.value ->> 'title' AS title, k.value ->> 'content' AS content,"
    "  k.value -> 'metadata' AS metadata"
    " FROM jsonb_array_elements($3) WITH ORDINALITY AS k (value, n)"
    " ORDER BY k.value ->> 'type', k.value ->> 'title', n DESC"
    "), updated AS ("
    " UPDATE user_knowledge AS s SET content = g.content, metadata = g.metadata"
    " FROM given AS g"
    " WHERE s.user_id = $1 AND s.agent_type = $2 AND s.knowledge_type = g.type AND s.title = g.title"
    " RETURNING g.type, g.title"
    "), inserted AS ("
    " INSERT INTO user_knowledge (user_id, agent_type, knowledge_type, title, content, metadata)"
    " SELECT p.id, $2, g.type, g.title, g.content, g.metadata"
    " FROM profiles AS p, given AS g"
    " WHERE p.id = $1 AND NOT EXISTS (SELECT FROM updated AS u WHERE u.type = g.type AND u.title = g.title)"
    " RETURNING id"
    ")"
    " SELECT (SELECT count(*) FROM inserted) + (SELECT count(*) FROM (SELECT DISTINCT type, title FROM "
    "updated) AS u)"
    " AS saved";

static json_t *finalize_agent_onboarding(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_auth_user(ctx);
    json_t *data = json_object_get(in, "onboardingData");
    /* Without one, its own fallbacks have not been filled in. */
    edge_input_check(ctx, "onboardingData", onboarding_fields, data);
    edge_arg id = edge_text(user), agent_type = edge_text(edge_json_text(data, "agentType"));

    /* Two requests at once are put in order by the configuration's row: what both bring is stored once. */
    edge_rows *rows[4];
    edge_query_batch(ctx, rows,
        EDGE_SQL(config_sql, id, agent_type, edge_text(edge_json_text(data, "responseStyle")),
            edge_json(json_object_get(data, "personalityTraits"))),
        EDGE_SQL(guidelines_sql, id, agent_type, edge_json(json_object_get(data, "guidelines"))),
        EDGE_SQL(knowledge_sql, id, agent_type, edge_json(json_object_get(data, "knowledge"))),
        EDGE_SQL("INSERT INTO user_onboarding (user_id, agent_onboarding_completed)"
                 " SELECT id, true FROM profiles WHERE id = $1"
                 " ON CONFLICT (user_id) DO UPDATE SET agent_onboarding_completed = true",
            id));

    if (edge_rows_count(rows[0]) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    return json_pack("{s:b, s:s, s:o, s:I, s:o}", "success", 1, "message", "Agent onboarding completed",
        "agentConfig", edge_row_json(rows[0], 0), "guidelinesSaved", (json_int_t)edge_rows_affected(rows[1]),
        "knowledgeSaved", edge_rows_value(rows[2], 0, "saved"));
}

EDGE_FUNCTION(finalizeAgentOnboarding,
    .summary = "Finishes an agent's onboarding: configuration, guidelines, knowledge",
    .input = input,
    .output = output,
    .problems = problems,
    .shape = &shape,
    .handle = finalize_agent_onboarding);
