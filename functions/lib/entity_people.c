/*
 * Entities about the person: profile, onboarding, settings, agents. Columns as the schema has them, in its
 * order; entity_catalogue.h says what the flags mean, and tests/functions/data/catalogue.test.mjs holds them
 * against a database.
 */
#include "lib/entity_catalogue.h"

static const struct entity_column profiles[] = {
    { "id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "email", COLUMN_TEXT, COLUMN_IMPORTED | COLUMN_IMPORT_REQUIRED },
    { "full_name", COLUMN_TEXT, COLUMN_WRITABLE },
    { "avatar_url", COLUMN_URL, COLUMN_WRITABLE },
    { "phone", COLUMN_TEXT, COLUMN_WRITABLE },
    { "license_number", COLUMN_TEXT, COLUMN_WRITABLE },
    { "license_state", COLUMN_TEXT, COLUMN_WRITABLE },
    { "brokerage", COLUMN_TEXT, COLUMN_WRITABLE },
    { "role", COLUMN_TEXT },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "subscription_tier", COLUMN_TEXT },
    { "subscription_status", COLUMN_TEXT },
    { 0 },
};

static const struct entity_alias profiles_aliases[] = {
    { "brokerage_name", "brokerage" },
    { 0 },
};

static const char *const profiles_ignored[] = { "years_experience", "specialization", NULL };

static const struct entity_column user_onboarding[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "onboarding_completed", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "agent_onboarding_completed", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "call_center_onboarding_completed", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "highlevel_webhook_sent", COLUMN_BOOLEAN },
    { "completed_steps", COLUMN_TEXTS, COLUMN_WRITABLE | COLUMN_NOT_NULL },
    { "onboarding_completion_date", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "agent_intelligence_completion_date", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "disclosure_acceptance_timestamp", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "agent_intelligence_completed", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "disclosure_accepted", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "goals_setup_completed", COLUMN_BOOLEAN },
    { "goals_completion_date", COLUMN_TIMESTAMP },
    { 0 },
};

static const char *const user_onboarding_ignored[] = { "market_setup_completed", "market_completion_date",
    "preferences_completed", "preferences_completion_date", NULL };

static const struct entity_column market_config[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "market_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "state", COLUMN_TEXT, COLUMN_WRITABLE },
    { "city", COLUMN_TEXT, COLUMN_WRITABLE },
    { "average_price", COLUMN_NUMERIC, COLUMN_WRITABLE },
    { "median_dom", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "inventory_level", COLUMN_TEXT, COLUMN_WRITABLE },
    { "market_trend", COLUMN_TEXT, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias market_config_aliases[] = {
    { "primary_territory", "market_name" },
    { 0 },
};

static const char *const coaching_styles[] = { "supportive", "balanced", "direct", NULL };
static const char *const activity_modes[] = { "get_moving", "building_momentum", "do_the_most", "tried_it_all",
    NULL };

static const struct entity_column user_preferences[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "brand_primary_color", COLUMN_COLOUR, COLUMN_WRITABLE },
    { "brand_secondary_color", COLUMN_COLOUR, COLUMN_WRITABLE },
    { "brand_accent_color", COLUMN_COLOUR, COLUMN_WRITABLE },
    { "communication_style", COLUMN_TEXT, COLUMN_WRITABLE },
    { "content_themes", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "email_categories", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "auto_response_enabled", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "coaching_style", COLUMN_ENUM, COLUMN_WRITABLE, .values = coaching_styles },
    { "activity_mode", COLUMN_ENUM, COLUMN_WRITABLE, .values = activity_modes },
    { "timezone", COLUMN_TIMEZONE, COLUMN_WRITABLE },
    { "daily_reminders", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "weekly_reports", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "market_updates", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "email_notifications", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_alias user_preferences_aliases[] = {
    { "weekly_report", "weekly_reports" },
    { 0 },
};

static const char *const user_preferences_ignored[] = { "eleven_labs_voice_id", "selected_palette_id", "theme",
    "notifications_enabled", NULL };

static const struct entity_column agent_config[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT, COLUMN_WRITABLE | COLUMN_NOT_NULL, .fallback = "executive_assistant" },
    { "voice_id", COLUMN_TEXT, COLUMN_WRITABLE },
    { "voice_name", COLUMN_TEXT, COLUMN_WRITABLE },
    { "personality_traits", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "response_style", COLUMN_TEXT, COLUMN_WRITABLE },
    { "enabled", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "settings", COLUMN_JSON, COLUMN_NOT_NULL },
    { "eleven_labs_agent_id", COLUMN_TEXT },
    { "eleven_labs_phone_number_id", COLUMN_TEXT },
    { "eleven_labs_voice_id", COLUMN_TEXT },
    { "twilio_phone_number", COLUMN_TEXT },
    { "eleven_labs_twilio_number_id", COLUMN_TEXT },
    { 0 },
};

static const struct entity_column business_plans[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "annual_gci_goal", COLUMN_NUMERIC, COLUMN_WRITABLE },
    { "transactions_needed", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "average_commission", COLUMN_NUMERIC, COLUMN_WRITABLE },
    { "lead_sources", COLUMN_JSON, COLUMN_WRITABLE },
    { "conversion_rates", COLUMN_JSON, COLUMN_WRITABLE },
    { "monthly_breakdown", COLUMN_JSON, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "plan_year", COLUMN_INTEGER },
    { "is_active", COLUMN_BOOLEAN },
    { "detailed_plan", COLUMN_TEXT },
    { "net_income_goal", COLUMN_NUMERIC },
    { "avg_sale_price", COLUMN_NUMERIC },
    { "brokerage_cap", COLUMN_NUMERIC },
    { "gci_required", COLUMN_NUMERIC },
    { "total_volume", COLUMN_NUMERIC },
    { "tax_rate", COLUMN_NUMERIC },
    { "commission_rate", COLUMN_NUMERIC },
    { "buyer_seller_split", COLUMN_NUMERIC },
    { "income_split", COLUMN_NUMERIC },
    { "brokerage_split_buyers", COLUMN_NUMERIC },
    { "brokerage_split_sellers", COLUMN_NUMERIC },
    { "team_split_buyers", COLUMN_NUMERIC },
    { "team_split_sellers", COLUMN_NUMERIC },
    { "total_deals_needed", COLUMN_NUMERIC },
    { "buyer_deals", COLUMN_NUMERIC },
    { "listing_deals", COLUMN_NUMERIC },
    { "total_conversations", COLUMN_NUMERIC },
    { "total_appointments", COLUMN_NUMERIC },
    { "total_agreements", COLUMN_NUMERIC },
    { "total_contracts", COLUMN_NUMERIC },
    { 0 },
};

static const struct entity_column agent_intelligence_profiles[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "experience_level", COLUMN_TEXT, COLUMN_WRITABLE },
    { "work_commitment", COLUMN_TEXT, COLUMN_WRITABLE },
    { "business_structure", COLUMN_TEXT, COLUMN_WRITABLE },
    { "database_size", COLUMN_TEXT, COLUMN_WRITABLE },
    { "sphere_warmth", COLUMN_TEXT, COLUMN_WRITABLE },
    { "previous_year_transactions", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "previous_year_volume", COLUMN_BIGINT, COLUMN_WRITABLE },
    { "average_price_point", COLUMN_TEXT, COLUMN_WRITABLE },
    { "business_consistency", COLUMN_TEXT, COLUMN_WRITABLE },
    { "biggest_challenges", COLUMN_TEXTS, COLUMN_WRITABLE },
    { "growth_timeline", COLUMN_TEXT, COLUMN_WRITABLE },
    { "learning_preference", COLUMN_TEXT, COLUMN_WRITABLE },
    { "survey_completed_at", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column user_guidelines[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "guideline_category", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "guideline_text", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "guideline_type", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column user_knowledge[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT, COLUMN_WRITABLE | COLUMN_NOT_NULL, .fallback = "executive_assistant" },
    { "knowledge_type", COLUMN_TEXT, COLUMN_WRITABLE | COLUMN_NOT_NULL, .fallback = "note" },
    { "title", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "content", COLUMN_LONG, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "metadata", COLUMN_JSON, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

const struct entity entities_people[] = {
    {
        .name = "Profile",
        .table = "profiles",
        .scope = ENTITY_OWN,
        .owner = "id",
        .user_operations = "RU",
        .admin_operations = "RU",
        .columns = profiles,
        .aliases = profiles_aliases,
        .ignored = profiles_ignored,
    },
    {
        .name = "UserOnboarding",
        .table = "user_onboarding",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCU",
        .admin_operations = "RCUD",
        .columns = user_onboarding,
        .ignored = user_onboarding_ignored,
        .unique = "user_id",
    },
    {
        .name = "UserMarketConfig",
        .table = "market_config",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = market_config,
        .aliases = market_config_aliases,
        .unique = "user_id",
    },
    {
        .name = "UserPreferences",
        .table = "user_preferences",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = user_preferences,
        .aliases = user_preferences_aliases,
        .ignored = user_preferences_ignored,
        .unique = "user_id",
    },
    {
        .name = "AgentConfig",
        .table = "agent_config",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = agent_config,
        .unique = "user_id, agent_type",
    },
    {
        .name = "BusinessPlan",
        .table = "business_plans",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = business_plans,
        .unique = "user_id",
    },
    {
        .name = "AgentIntelligenceProfile",
        .table = "agent_intelligence_profiles",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = agent_intelligence_profiles,
        .unique = "user_id",
    },
    {
        .name = "UserGuidelines",
        .table = "user_guidelines",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = user_guidelines,
    },
    {
        .name = "UserKnowledge",
        .table = "user_knowledge",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = user_knowledge,
    },
    { 0 },
};
