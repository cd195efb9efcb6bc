/*
 * What a chat agent reads before it answers, in one pipeline.
 */
#include "lib/persona.h"

enum read {
    READ_CONVERSATION,
    READ_PROMPT,
    READ_PREFERENCES,
    READ_LOCAL_TIME,
    READ_AGENT,
    READ_GUIDELINES,
    READ_KNOWLEDGE,
    READ_PROFILE,
    READ_MARKET,
    READ_GOALS,
    READ_ACTIONS,
    READ_SCORES,
    READ_SERVICES,
    READ_CRMS,
    READ_PERMISSIONS,
    READ_DEALS,
    READ_COUNT,
};

static const char *const subjects[READ_COUNT] = { "ai_agent_conversations", "ai_prompt_configs",
    "user_preferences", "user_preferences.timezone", "agent_config", "user_guidelines", "user_knowledge",
    "profiles", "market_config", "goals", "daily_actions", "graph_context_cache",
    "external_service_connections", "crm_connections", "autopilot_permissions", "transactions" };

#define LOCAL_TIME(zone) "to_char($1 AT TIME ZONE " zone ", 'FMDay, YYYY-MM-DD HH24:MI')"
#define OFFSET_MINUTES(zone)                                                                                   \
    "(extract(epoch FROM ($1 AT TIME ZONE " zone ") - ($1 AT TIME ZONE 'UTC')) / 60)::bigint"

/*
 * Sends the wanted ones together; rows and errors are filled at their places. In place, and without a second
 * list: what a stack has touched stays with the turn for as long as it waits.
 */
static void run_wanted(
    edge_ctx *ctx, edge_rows **rows, edge_error *errors, edge_statement *reads, const bool *wanted)
{
    size_t count = 0;
    for (size_t i = 0; i < READ_COUNT; i++)
        if (wanted[i])
            reads[count++] = reads[i];
    edge_try_query_all(ctx, rows, errors, reads, count);

    for (size_t i = READ_COUNT; i-- > 0;) {
        if (!wanted[i]) {
            rows[i] = NULL;
            continue;
        }
        rows[i] = rows[--count];
        errors[i] = errors[count];
        if (rows[i] == NULL)
            edge_log(ctx, EDGE_LOG_WARN, "context_read_failed", { "subject", edge_text(subjects[i]) },
                { "code", edge_text(errors[i].code) }, { "detail", edge_text(errors[i].detail) });
    }
}

/*
 * A time zone that the server does not know fails the local time alone; the default zone's time comes with the
 * preferences, whose row is there even when the user has none.
 */
static void read_wanted(edge_ctx *ctx, edge_rows **rows, edge_error *errors, const struct persona *persona,
    const char *conversation_id, const bool *wanted)
{
    edge_arg agent_type = edge_text(persona->agent_type), now = edge_time(edge_now(ctx));
    edge_statement reads[READ_COUNT] = {
        EDGE_SQL("SELECT agent_type, messages FROM ai_agent_conversations WHERE id = $1",
            edge_uuid(conversation_id)),
        EDGE_SQL(
            "SELECT prompt_template FROM ai_prompt_configs WHERE prompt_key = $1 AND is_active", agent_type),
        EDGE_SQL(
            "SELECT communication_style, coaching_style,"
            " 'America/New_York' AS zone,"
            " " LOCAL_TIME("'America/New_York'") " AS local_time,"
                                                 " " OFFSET_MINUTES(
                                                     "'America/New_York'") " AS offset_minutes"
                                                                           " FROM (VALUES (1)) AS always LEFT "
                                                                           "JOIN user_preferences ON true",
            now),
        EDGE_SQL("SELECT timezone AS zone,"
                 " " LOCAL_TIME("timezone") " AS local_time,"
                                            " " OFFSET_MINUTES(
                                                "timezone") " AS offset_minutes"
                                                            " FROM user_preferences WHERE timezone <> ''",
            now),
        EDGE_SQL("SELECT response_style, array_to_string(personality_traits, ', ') AS traits"
                 " FROM agent_config WHERE agent_type = $1",
            agent_type),
        EDGE_SQL("SELECT guideline_category, guideline_text FROM user_guidelines WHERE agent_type = $1"
                 " ORDER BY created_at, id LIMIT 50",
            agent_type),
        EDGE_SQL("SELECT title, left(content, 1000) AS content FROM user_knowledge WHERE agent_type = $1"
                 " ORDER BY updated_at DESC, id LIMIT 20",
            agent_type),
        EDGE_SQL("SELECT full_name, brokerage, license_state FROM profiles"),
        EDGE_SQL("SELECT market_name, city, state, market_trend FROM market_config"),
        EDGE_SQL("SELECT title, status FROM goals WHERE status = 'active' ORDER BY created_at DESC, id DESC "
                 "LIMIT 5"),
        EDGE_SQL("SELECT title, status FROM daily_actions ORDER BY due_date DESC, id DESC LIMIT 5"),
        EDGE_SQL("SELECT context -> 'scores' AS scores FROM graph_context_cache"),
        EDGE_SQL("SELECT service_name AS name FROM external_service_connections"
                 " WHERE connection_status = 'connected' ORDER BY service_name"),
        EDGE_SQL("SELECT provider AS name FROM crm_connections"
                 " WHERE connection_status = 'connected' ORDER BY provider"),
        EDGE_SQL("SELECT permission FROM autopilot_permissions WHERE NOT allowed"),
        EDGE_SQL("SELECT id, property_address, client_name, status, expected_close_date FROM transactions"
                 " WHERE status IS NULL OR status NOT IN ('closed', 'cancelled')"
                 " ORDER BY expected_close_date NULLS LAST, created_at, id LIMIT 10"),
    };
    run_wanted(ctx, rows, errors, reads, wanted);
}

/* What it cannot do without: which conversation it is, and what the user has forbidden. */
static void require(edge_ctx *ctx, edge_rows *const *rows, const edge_error *errors, enum read read)
{
    if (rows[read] == NULL)
        edge_fail_error(ctx, &errors[read]);
}

const struct persona_reads *persona_read(
    edge_ctx *ctx, const struct persona *persona, const char *conversation_id, bool with_account)
{
    edge_rows *rows[READ_COUNT] = { 0 };
    edge_error errors[READ_COUNT] = { 0 };
    bool progress = with_account && persona->knows_progress, tools = persona->tools != NULL;
    const bool wanted[READ_COUNT] = { [READ_CONVERSATION... READ_KNOWLEDGE] = true,
        [READ_PROFILE] = with_account,
        [READ_MARKET] = with_account,
        [READ_GOALS] = progress,
        [READ_ACTIONS] = progress,
        [READ_SCORES] = progress,
        [READ_SERVICES] = tools,
        [READ_CRMS] = tools,
        [READ_PERMISSIONS] = tools,
        [READ_DEALS] = persona->knows_deals };
    read_wanted(ctx, rows, errors, persona, conversation_id, wanted);

    require(ctx, rows, errors, READ_CONVERSATION);
    if (tools)
        require(ctx, rows, errors, READ_PERMISSIONS);

    struct persona_reads *reads = edge_alloc(ctx, sizeof *reads);
    *reads = (struct persona_reads){
        .conversation = rows[READ_CONVERSATION],
        .prompt = rows[READ_PROMPT],
        .preferences = rows[READ_PREFERENCES],
        .local_time = rows[READ_LOCAL_TIME],
        .agent = rows[READ_AGENT],
        .guidelines = rows[READ_GUIDELINES],
        .knowledge = rows[READ_KNOWLEDGE],
        .profile = rows[READ_PROFILE],
        .market = rows[READ_MARKET],
        .goals = rows[READ_GOALS],
        .actions = rows[READ_ACTIONS],
        .scores = rows[READ_SCORES],
        .services = rows[READ_SERVICES],
        .crms = rows[READ_CRMS],
        .permissions = rows[READ_PERMISSIONS],
        .deals = rows[READ_DEALS],
    };
    return reads;
}
