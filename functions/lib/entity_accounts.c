/*
 * Entities of what a person is connected with: services, a plan, people brought in, brands and voices. Columns
 * as the schema has them, in its order; entity_catalogue.h says what the flags mean, and
 * tests/functions/data/catalogue.test.mjs holds them against a database.
 */
#include "lib/entity_catalogue.h"

static const struct entity_column crm_connections[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "provider", COLUMN_TEXT, COLUMN_NOT_NULL | COLUMN_IMPORTED | COLUMN_IMPORT_REQUIRED },
    { "connection_status", COLUMN_TEXT },
    { "credentials", COLUMN_JSON, COLUMN_HIDDEN },
    { "sync_settings", COLUMN_JSON, COLUMN_WRITABLE | COLUMN_MERGED },
    { "last_sync_at", COLUMN_TIMESTAMP },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column external_service_connections[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "service_name", COLUMN_TEXT, COLUMN_NOT_NULL | COLUMN_IMPORTED | COLUMN_IMPORT_REQUIRED },
    { "connection_status", COLUMN_TEXT },
    { "credentials", COLUMN_JSON, COLUMN_HIDDEN },
    { "settings", COLUMN_JSON },
    { "last_sync_at", COLUMN_TIMESTAMP },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_column user_agent_subscriptions[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT, COLUMN_WRITABLE | COLUMN_NOT_NULL, .fallback = "core" },
    { "subscription_tier", COLUMN_TEXT, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "expires_at", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "minutes_allocated", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "current_minutes_used", COLUMN_INTEGER, COLUMN_WRITABLE },
    { "overage_rate", COLUMN_RATE, COLUMN_WRITABLE },
    { "plan_type", COLUMN_TEXT, COLUMN_WRITABLE },
    { "billing_cycle_start", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "billing_cycle_end", COLUMN_TIMESTAMP, COLUMN_WRITABLE },
    { "gohighlevel_order_id", COLUMN_TEXT },
    { "shopify_order_id", COLUMN_TEXT },
    { "source_platform", COLUMN_TEXT, COLUMN_WRITABLE },
    { "status", COLUMN_TEXT, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_alias user_agent_subscriptions_aliases[] = {
    { "billing_cycle_start_date", "billing_cycle_start" },
    { "billing_cycle_end_date", "billing_cycle_end" },
    { 0 },
};

static const struct entity_column referrals[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "referrer_user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "referred_email", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "referred_user_id", COLUMN_TEXT },
    { "status", COLUMN_TEXT },
    { "reward_granted", COLUMN_BOOLEAN },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

static const struct entity_alias referrals_aliases[] = {
    { "referrer_id", "referrer_user_id" },
    { "referred_user_email", "referred_email" },
    { "referral_date", "created_at" },
    { 0 },
};

static const struct entity_column brand_color_palettes[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "palette_name", COLUMN_TEXT, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "primary_color", COLUMN_COLOUR, COLUMN_REQUIRED | COLUMN_NOT_NULL },
    { "secondary_color", COLUMN_COLOUR, COLUMN_WRITABLE },
    { "accent_color", COLUMN_COLOUR, COLUMN_WRITABLE },
    { "is_active", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { "palette_id", COLUMN_TEXT, COLUMN_WRITABLE },
    { 0 },
};

static const struct entity_column agent_voices[] = {
    { "id", COLUMN_UUID, COLUMN_NOT_NULL },
    { "user_id", COLUMN_TEXT, COLUMN_NOT_NULL },
    { "agent_type", COLUMN_TEXT, COLUMN_WRITABLE | COLUMN_NOT_NULL, .fallback = "executive_assistant" },
    { "voice_id", COLUMN_TEXT, COLUMN_WRITABLE },
    { "voice_name", COLUMN_TEXT, COLUMN_WRITABLE },
    { "voice_settings", COLUMN_JSON, COLUMN_WRITABLE },
    { "is_default", COLUMN_BOOLEAN, COLUMN_WRITABLE },
    { "created_at", COLUMN_TIMESTAMP },
    { "updated_at", COLUMN_TIMESTAMP },
    { 0 },
};

const struct entity entities_accounts[] = {
    {
        .name = "CrmConnection",
        .table = "crm_connections",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "RU",
        .admin_operations = "RUD",
        .columns = crm_connections,
    },
    {
        .name = "ExternalServiceConnection",
        .table = "external_service_connections",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RUD",
        .columns = external_service_connections,
        .unique = "user_id, service_name",
    },
    {
        .name = "UserAgentSubscription",
        .table = "user_agent_subscriptions",
        .scope = ENTITY_OWN,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RCUD",
        .service_writes = true,
        .columns = user_agent_subscriptions,
        .aliases = user_agent_subscriptions_aliases,
        .unique = "user_id, agent_type",
    },
    {
        .name = "Referral",
        .table = "referrals",
        .scope = ENTITY_OWN,
        .owner = "referrer_user_id",
        .user_operations = "RC",
        .admin_operations = "RCUD",
        .columns = referrals,
        .aliases = referrals_aliases,
    },
    {
        .name = "BrandColorPalette",
        .table = "brand_color_palettes",
        .scope = ENTITY_MIXED,
        .owner = "user_id",
        .user_operations = "RCUD",
        .admin_operations = "RCUD",
        .columns = brand_color_palettes,
    },
    {
        .name = "AgentVoice",
        .table = "agent_voices",
        .scope = ENTITY_CATALOGUE,
        .owner = "user_id",
        .user_operations = "R",
        .admin_operations = "RCUD",
        .columns = agent_voices,
    },
    { 0 },
};
