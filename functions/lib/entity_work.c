/*
 * Entities a person works with: actions, goals, content, deals, calls. Columns as the schema has them, in its
 * order; entity_catalogue.h says what the flags mean, and tests/functions/data/catalogue.test.mjs holds them
 * against a database.
 */
#include "lib/entity_catalogue.h"

static const char *const priorities[] = { "low", "medium", "high", NULL };
static const char *const action_statuses[] = { "pending", "not_started", "in_progress", "completed", "skipped",
    NULL };

static const struct entity_column daily_actions[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "priority", COLUMN_ENUM, COLUMN_WRITABLE, .values = priorities },
    { "status", COLUMN_ENUM, COLUMN_WRITABLE, .values = action_statuses },
    { "due_date", COLUMN_DATE, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "scheduled_time", COLUMN_TIME, COLUMN_WRITABLE },
    { "duration_minutes", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "completed_at", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias daily_actions_aliases[] = {
    { "action_date", "due_date" },
    { "completion_date", "completed_at" },
    { 0 },
};

static const char *const daily_actions_ignored[] = { "action_type", "frequency", "is_recurring", "generated",
    "pulse_impact", "display_category", "priority_weight", "impact_area", "metadata", NULL };

static const char *const goal_statuses[] = { "active", "at-risk", "completed", "paused", "cancelled", NULL };
static const char *const goal_trends[] = { "on-track", "behind", "at-risk", "completed", NULL };

static const struct entity_column goals[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "goal_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "target_value", COLUMN_NUMERIC, COLUMN_WRITABLE },
    { "current_value", COLUMN_NUMERIC, COLUMN_WRITABLE },
    { "unit", COLUMN_TEXT, COLUMN_WRITABLE },
    { "timeframe", COLUMN_TEXT, COLUMN_WRITABLE },
    { "deadline", COLUMN_DATE, COLUMN_WRITABLE },
    { "confidence_score", COLUMN_PERCENT, COLUMN_WRITABLE },
    { "status", COLUMN_ENUM, COLUMN_WRITABLE, .values = goal_statuses },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "category", COLUMN_TEXT, COLUMN_WRITABLE },
    { "progress_percentage", COLUMN_PERCENT, COLUMN_WRITABLE },
    { "trend", COLUMN_ENUM, COLUMN_WRITABLE, .values = goal_trends },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_column generated_content[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "content_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "title", COLUMN_TEXT, COLUMN_WRITABLE },
    { "content", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "metadata", COLUMN_JSON, COLUMN_WRITABLE },
    { "prompt_used", COLUMN_LONG, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias generated_content_aliases[] = {
    { "content_title", "title" },
    { "content_body", "content" },
    { 0 },
};

static const char *const generated_content_ignored[] = { "credits_used", NULL };

static const struct entity_column email_campaigns[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "campaign_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "template_id", COLUMN_UUID, COLUMN_WRITABLE },
    { "status", COLUMN_TEXT, COLUMN_WRITABLE },
    { "recipients", COLUMN_JSON, COLUMN_WRITABLE },
    { "scheduled_at", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "sent_at", COLUMN_TIMESTAMP },
    { "metrics", COLUMN_JSON },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column ai_agent_conversations[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "messages", COLUMN_BIG_JSON, COLUMN_WRITABLE },
    { "context", COLUMN_JSON, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias ai_agent_conversations_aliases[] = {
    { "conversation_history", "messages" },
    { 0 },
};

static const char *const ai_agent_conversations_ignored[] = { "status", NULL };

static const struct entity_column transactions[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "transaction_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "property_address", COLUMN_TEXT, COLUMN_WRITABLE },
    { "client_name", COLUMN_TEXT, COLUMN_WRITABLE },
    { "status", COLUMN_TEXT, COLUMN_WRITABLE },
    { "expected_close_date", COLUMN_DATE, COLUMN_WRITABLE },
    { "commission_amount", COLUMN_NUMERIC, COLUMN_WRITABLE },
    { "notes", COLUMN_LONG, COLUMN_WRITABLE },
    { "metadata", COLUMN_JSON, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

/* "completed" is what old clients say, stored as "success". */
static const char *const log_statuses[] = { "pending", "success", "failed", NULL };

static const struct entity_column ai_actions_log[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "action_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "action_data", COLUMN_JSON, COLUMN_WRITABLE | COLUMN_NOT_NULL },
    { "status", COLUMN_ENUM, COLUMN_REQUIRED | COLUMN_NOT_NULL, .values = log_statuses },
    { "resource_url", COLUMN_URL, COLUMN_WRITABLE },
    { "error_message", COLUMN_LONG, COLUMN_WRITABLE },
    { "executed_at", COLUMN_TIMESTAMP, COLUMN_NOT_NULL },
    { "created_at", COLUMN_TIMESTAMP, COLUMN_NOT_NULL },
    { 0 },
};

static const struct entity_column call_logs[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "call_type", COLUMN_TEXT, COLUMN_NOT_NULL | COLUMN_IMPORTED, .fallback = "outbound" },
    { "contact_name", COLUMN_TEXT, COLUMN_IMPORTED },
    { "phone_number", COLUMN_TEXT, COLUMN_IMPORTED },
    { "duration_seconds", COLUMN_INTEGER, COLUMN_IMPORTED },
    { "status", COLUMN_TEXT, COLUMN_IMPORTED },
    { "notes", COLUMN_LONG, COLUMN_WRITABLE },
    { "recording_url", COLUMN_URL, COLUMN_IMPORTED },
    { "metadata", COLUMN_JSON, COLUMN_IMPORTED },
    { "created_at", COLUMN_TIMESTAMP },
    { "conversation_id", COLUMN_TEXT, COLUMN_IMPORTED },
    { "call_sid", COLUMN_TEXT, COLUMN_IMPORTED },
    { "ended_at", COLUMN_TIMESTAMP, COLUMN_IMPORTED },
    { "transcript", COLUMN_JSON, COLUMN_IMPORTED },
    { "analysis", COLUMN_JSON, COLUMN_IMPORTED },
    { "form_data", COLUMN_JSON, COLUMN_IMPORTED },
    { 0 },
};

static const struct entity_alias call_logs_aliases[] = {
    { "contact_phone", "phone_number" },
    { 0 },
};

const struct entity entities_work[] = {
    {
        .name = "DailyAction",
        .table = "daily_actions",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = daily_actions,
        .aliases = daily_actions_aliases,
        .ignored = daily_actions_ignored,
    },
    {
        .name = "Goal",
        .table = "goals",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = goals,
    },
    {
        .name = "GeneratedContent",
        .table = "generated_content",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = generated_content,
        .aliases = generated_content_aliases,
        .ignored = generated_content_ignored,
    },
    {
        .name = "EmailCampaign",
        .table = "email_campaigns",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = email_campaigns,
    },
    {
        .name = "AiAgentConversation",
        .table = "ai_agent_conversations",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = ai_agent_conversations,
        .aliases = ai_agent_conversations_aliases,
        .ignored = ai_agent_conversations_ignored,
    },
    {
        .name = "Transaction",
        .table = "transactions",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = transactions,
    },
    {
        .name = "AiActionsLog",
        .table = "ai_actions_log",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RC",
        .admin_operations = "RCUD",
        .service_writes = true,
        .columns = ai_actions_log,
    },
    {
        .name = "CallLog",
        .table = "call_logs",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RUD",
        .admin_operations = "RUD",
        .columns = call_logs,
        .aliases = call_logs_aliases,
    },
    { 0 },
};
