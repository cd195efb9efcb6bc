/*
 * Entities of the catalogue, which administrators maintain and everybody reads. Columns as the schema has them,
 * in its order; entity_catalogue.h says what the flags mean, and tests/functions/data/catalogue.test.mjs holds
 * them against a database.
 */
#include "lib/entity_catalogue.h"

static const struct entity_column task_templates[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "action_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "priority", COLUMN_TEXT, COLUMN_WRITABLE },
    { "trigger_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "trigger_value", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "impact_area", COLUMN_TEXT, COLUMN_WRITABLE },
    { "display_category", COLUMN_TEXT, COLUMN_WRITABLE },
    { "priority_weight", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "trigger_max", COLUMN_INTEGER, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_column objection_scripts[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "difficulty", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "situation", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "response", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "tips", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "is_free", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "is_popular", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "sort_order", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column client_personas[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "persona_key", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "persona_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "personality_traits", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "communication_style", COLUMN_TEXT, COLUMN_WRITABLE },
    { "objection_patterns", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "decision_making_style", COLUMN_TEXT, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias client_personas_aliases[] = {
    { "speaking_style", "communication_style" },
    { "typical_objections", "objection_patterns" },
    { 0 },
};

static const struct entity_column role_play_scenarios[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "difficulty_level", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "initial_context", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "client_persona", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "eleven_labs_agent_id", COLUMN_TEXT, COLUMN_WRITABLE },
    { "eleven_labs_phone_number_id", COLUMN_TEXT, COLUMN_WRITABLE },
    { "eleven_labs_voice_id", COLUMN_TEXT, COLUMN_WRITABLE },
    { "first_message_override", COLUMN_LONG, COLUMN_WRITABLE },
    { "avatar_image_url", COLUMN_URL, COLUMN_WRITABLE },
    { "passing_threshold", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "learning_objectives", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "average_duration_minutes", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "success_criteria", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "is_popular", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "is_premium", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column content_packs[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "pack_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "pack_key", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "is_premium", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "content_items", COLUMN_BIG_JSON, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "topic_id", COLUMN_UUID, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_column content_topics[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "topic_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "topic_key", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "prompts", COLUMN_JSON, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "week_number", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "social_feed_graphic_url", COLUMN_URL, COLUMN_WRITABLE },
    { "social_feed_caption", COLUMN_LONG, COLUMN_WRITABLE },
    { "social_hashtags", COLUMN_TEXT, COLUMN_WRITABLE },
    { "outreach_email_subject", COLUMN_TEXT, COLUMN_WRITABLE },
    { "outreach_email", COLUMN_LONG, COLUMN_WRITABLE },
    { "outreach_call_script", COLUMN_LONG, COLUMN_WRITABLE },
    { "outreach_dm_template", COLUMN_LONG, COLUMN_WRITABLE },
    { "user_id", COLUMN_TEXT },
    { "is_public", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_column featured_content_packs[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "icon", COLUMN_TEXT, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "content_items", COLUMN_BIG_JSON, COLUMN_WRITABLE },
    { "sort_order", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column campaign_templates[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "file_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "file_uri", COLUMN_URL, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column legal_documents[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "document_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "document_key", COLUMN_TEXT, COLUMN_WRITABLE | COLUMN_NOT_NULL, .copies = "document_type" },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "content", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "version", COLUMN_TEXT, COLUMN_WRITABLE },
    { "effective_date", COLUMN_DATE, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias legal_documents_aliases[] = {
    { "last_updated", "effective_date", .for_write = true },
    { "last_updated", "updated_at" },
    { 0 },
};

static const struct entity_column email_templates[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "template_key", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "template_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "subject", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "body_html", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "body_text", COLUMN_LONG, COLUMN_WRITABLE },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "variables", COLUMN_JSON, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column ai_prompt_configs[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "prompt_key", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "prompt_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "prompt_template", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "variables", COLUMN_JSON, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column feature_flags[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "flag_key", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "flag_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "description", COLUMN_LONG, COLUMN_WRITABLE },
    { "is_enabled", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "target_users", COLUMN_JSON, COLUMN_WRITABLE | COLUMN_FOR_ADMINS },
    { "config", COLUMN_JSON, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias feature_flags_aliases[] = {
    { "feature_key", "flag_key" },
    { "feature_name", "flag_name" },
    { "is_globally_enabled", "is_enabled" },
    { 0 },
};

const struct entity entities_content[] = {
    {
        .name = "TaskTemplate",
        .table = "task_templates",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = task_templates,
    },
    {
        .name = "ObjectionScript",
        .table = "objection_scripts",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = objection_scripts,
    },
    {
        .name = "ClientPersona",
        .table = "client_personas",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = client_personas,
        .aliases = client_personas_aliases,
        .unique = "persona_key",
    },
    {
        .name = "RolePlayScenario",
        .table = "role_play_scenarios",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = role_play_scenarios,
    },
    {
        .name = "ContentPack",
        .table = "content_packs",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = content_packs,
        .unique = "pack_key",
    },
    {
        .name = "ContentTopic",
        .table = "content_topics",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = content_topics,
        .unique = "topic_key",
    },
    {
        .name = "FeaturedContentPack",
        .table = "featured_content_packs",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = featured_content_packs,
    },
    {
        .name = "CampaignTemplate",
        .table = "campaign_templates",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = campaign_templates,
    },
    {
        .name = "LegalDocument",
        .table = "legal_documents",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = legal_documents,
        .aliases = legal_documents_aliases,
        .unique = "document_key",
    },
    {
        .name = "EmailTemplate",
        .table = "email_templates",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = email_templates,
        .unique = "template_key",
    },
    {
        .name = "AiPromptConfig",
        .table = "ai_prompt_configs",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = ai_prompt_configs,
        .unique = "prompt_key",
    },
    {
        .name = "FeatureFlag",
        .table = "feature_flags",
        .scope = ENTITY_CATALOGUE,
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = feature_flags,
        .aliases = feature_flags_aliases,
        .unique = "flag_key",
    },
    { 0 },
};
