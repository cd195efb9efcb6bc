/*
 * Entities that only the host writes: scores, logs, caches, credits. Columns as the schema has them, in its
 * order; entity_catalogue.h says what the flags mean, and tests/functions/data/catalogue.test.mjs holds them
 * against a database.
 */
#include "lib/entity_catalogue.h"

static const struct entity_column pulse_scores[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "date", COLUMN_DATE, COLUMN_NOT_NULL | COLUMN_IMPORTED | COLUMN_IMPORT_REQUIRED },
    { "overall_score", COLUMN_INTEGER, COLUMN_NOT_NULL | COLUMN_IMPORTED | COLUMN_IMPORT_REQUIRED },
    { "production_score", COLUMN_INTEGER, COLUMN_IMPORTED },
    { "pipeline_score", COLUMN_INTEGER, COLUMN_IMPORTED },
    { "activities_score", COLUMN_INTEGER, COLUMN_IMPORTED },
    { "systems_score", COLUMN_INTEGER, COLUMN_IMPORTED },
    { "mindset_score", COLUMN_INTEGER, COLUMN_IMPORTED },
    { "metrics", COLUMN_JSON },
    { "created_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column market_intelligence[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "market_name", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "data_snapshot", COLUMN_JSON },
    { "insights", COLUMN_JSON },
    { "refreshed_at", COLUMN_TIMESTAMP },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column market_data[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "geography_type", COLUMN_TEXT },
    { "geography_id", COLUMN_TEXT },
    { "geography_name", COLUMN_TEXT },
    { "raw_data", COLUMN_JSON, COLUMN_NOT_NULL },
    { "data_date", COLUMN_TIMESTAMP },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column role_play_session_logs[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "scenario_id", COLUMN_UUID },
    { "session_duration_seconds", COLUMN_INTEGER },
    { "transcript", COLUMN_JSON },
    { "status", COLUMN_TEXT },
    { "created_at", COLUMN_TIMESTAMP },
    { "conversation_id", COLUMN_TEXT },
    { "call_sid", COLUMN_TEXT },
    { "metadata", COLUMN_JSON },
    { "recording_url", COLUMN_URL },
    { "ended_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias role_play_session_logs_aliases[] = {
    { "start_time", "created_at" },
    { 0 },
};

static const struct entity_column role_play_user_progress[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "scenario_id", COLUMN_UUID },
    { "attempts", COLUMN_INTEGER },
    { "best_score", COLUMN_INTEGER },
    { "last_attempt_at", COLUMN_TIMESTAMP },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column role_play_analysis_reports[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "session_id", COLUMN_UUID },
    { "overall_score", COLUMN_INTEGER },
    { "strengths", COLUMN_JSON },
    { "areas_for_improvement", COLUMN_JSON },
    { "detailed_feedback", COLUMN_TEXT },
    { "metrics", COLUMN_JSON },
    { "created_at", COLUMN_TIMESTAMP },
    { "overall_result", COLUMN_TEXT },
    { 0 },
};

static const struct entity_column ai_tool_usage[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT },
    { "tool_name", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "tool_args", COLUMN_JSON },
    { "tool_result", COLUMN_JSON },
    { "execution_time_ms", COLUMN_INTEGER },
    { "success", COLUMN_BOOLEAN, COLUMN_NOT_NULL },
    { "error_message", COLUMN_LONG },
    { "created_at", COLUMN_TIMESTAMP, COLUMN_NOT_NULL },
    { 0 },
};

static const struct entity_column graph_context_cache[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "context", COLUMN_JSON, COLUMN_NOT_NULL },
    { "expires_at", COLUMN_TIMESTAMP, COLUMN_NOT_NULL },
    { "created_at", COLUMN_TIMESTAMP, COLUMN_NOT_NULL },
    { "updated_at", COLUMN_TIMESTAMP, COLUMN_NOT_NULL },
    { 0 },
};

static const struct entity_column user_credits[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "credits_available", COLUMN_INTEGER },
    { "credits_used", COLUMN_INTEGER },
    { "last_reset_at", COLUMN_TIMESTAMP },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias user_credits_aliases[] = {
    { "credits_remaining", "credits_available" },
    { "reset_date", "last_reset_at" },
    { 0 },
};

static const struct entity_column credit_transactions[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "transaction_type", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "amount", COLUMN_INTEGER, COLUMN_NOT_NULL },
    { "balance_after", COLUMN_INTEGER, COLUMN_NOT_NULL },
    { "description", COLUMN_LONG },
    { "metadata", COLUMN_JSON },
    { "created_at", COLUMN_TIMESTAMP },
    { 0 },
};

const struct entity entities_records[] = {
    {
        .name = "PulseScore",
        .table = "pulse_scores",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .columns = pulse_scores,
        .unique = "user_id, date",
    },
    {
        .name = "MarketIntelligence",
        .table = "market_intelligence",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .columns = market_intelligence,
    },
    {
        .name = "MarketData",
        .table = "market_data",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .columns = market_data,
        .unique = "user_id, geography_id",
    },
    {
        .name = "RolePlaySessionLog",
        .table = "role_play_session_logs",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .columns = role_play_session_logs,
        .aliases = role_play_session_logs_aliases,
    },
    {
        .name = "RolePlayUserProgress",
        .table = "role_play_user_progress",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .columns = role_play_user_progress,
        .unique = "user_id, scenario_id",
    },
    {
        .name = "RolePlayAnalysisReport",
        .table = "role_play_analysis_reports",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .service_writes = true,
        .columns = role_play_analysis_reports,
    },
    {
        .name = "AiToolUsage",
        .table = "ai_tool_usage",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .service_writes = true,
        .columns = ai_tool_usage,
    },
    {
        .name = "GraphContextCache",
        .table = "graph_context_cache",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .service_writes = true,
        .columns = graph_context_cache,
        .unique = "user_id",
    },
    {
        .name = "UserCredit",
        .table = "user_credits",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "R",
        .service_writes = true,
        .columns = user_credits,
        .aliases = user_credits_aliases,
        .unique = "user_id",
    },
    {
        .name = "CreditTransaction",
        .table = "credit_transactions",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "R",
        .service_writes = true,
        .columns = credit_transactions,
    },
    { 0 },
};
