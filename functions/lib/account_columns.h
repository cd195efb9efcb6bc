/*
 * Columns of the sections of a user's account, for output tables: lists of ONE(name, type, ...), and of
 * TWO(name, camelCase, type, ...) for those whose name is another one in camel case. A column that cannot be
 * NULL is .required as REQUIRED says, which whoever uses a list defines: a row may be missing as a whole.
 */
#ifndef LIB_ACCOUNT_COLUMNS_H
#define LIB_ACCOUNT_COLUMNS_H

/* clang-format off */
#define PROFILE_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_TEXT, .required = REQUIRED) \
    ONE("email", EDGE_TEXT) \
    TWO("full_name", "fullName", EDGE_TEXT) \
    TWO("avatar_url", "avatarUrl", EDGE_TEXT) \
    ONE("phone", EDGE_TEXT) \
    TWO("license_number", "licenseNumber", EDGE_TEXT) \
    TWO("license_state", "licenseState", EDGE_TEXT) \
    ONE("brokerage", EDGE_TEXT) \
    ONE("role", EDGE_TEXT) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    TWO("subscription_tier", "subscriptionTier", EDGE_TEXT) \
    TWO("subscription_status", "subscriptionStatus", EDGE_TEXT)

#define ONBOARDING_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("onboarding_completed", "onboardingCompleted", EDGE_BOOL) \
    TWO("agent_onboarding_completed", "agentOnboardingCompleted", EDGE_BOOL) \
    TWO("call_center_onboarding_completed", "callCenterOnboardingCompleted", EDGE_BOOL) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    TWO("highlevel_webhook_sent", "highlevelWebhookSent", EDGE_BOOL) \
    TWO("completed_steps", "completedSteps", EDGE_ARRAY, .items = &account_word, .required = REQUIRED) \
    TWO("onboarding_completion_date", "onboardingCompletionDate", EDGE_DATETIME) \
    TWO("agent_intelligence_completion_date", "agentIntelligenceCompletionDate", EDGE_DATETIME) \
    TWO("disclosure_acceptance_timestamp", "disclosureAcceptanceTimestamp", EDGE_DATETIME) \
    TWO("agent_intelligence_completed", "agentIntelligenceCompleted", EDGE_BOOL) \
    TWO("disclosure_accepted", "disclosureAccepted", EDGE_BOOL) \
    TWO("goals_setup_completed", "goalsSetupCompleted", EDGE_BOOL) \
    TWO("goals_completion_date", "goalsCompletionDate", EDGE_DATETIME)

#define MARKET_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("market_name", "marketName", EDGE_TEXT, .required = REQUIRED) \
    ONE("state", EDGE_TEXT) \
    ONE("city", EDGE_TEXT) \
    TWO("average_price", "averagePrice", EDGE_NUMBER) \
    TWO("median_dom", "medianDom", EDGE_INT) \
    TWO("inventory_level", "inventoryLevel", EDGE_TEXT) \
    TWO("market_trend", "marketTrend", EDGE_TEXT) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME)

#define PREFERENCES_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("brand_primary_color", "brandPrimaryColor", EDGE_TEXT) \
    TWO("brand_secondary_color", "brandSecondaryColor", EDGE_TEXT) \
    TWO("brand_accent_color", "brandAccentColor", EDGE_TEXT) \
    TWO("communication_style", "communicationStyle", EDGE_TEXT) \
    TWO("content_themes", "contentThemes", EDGE_ARRAY, .items = &account_word) \
    TWO("email_categories", "emailCategories", EDGE_ARRAY, .items = &account_word) \
    TWO("auto_response_enabled", "autoResponseEnabled", EDGE_BOOL) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    TWO("coaching_style", "coachingStyle", EDGE_TEXT) \
    TWO("activity_mode", "activityMode", EDGE_TEXT) \
    ONE("timezone", EDGE_TEXT) \
    TWO("daily_reminders", "dailyReminders", EDGE_BOOL) \
    TWO("weekly_reports", "weeklyReports", EDGE_BOOL) \
    TWO("market_updates", "marketUpdates", EDGE_BOOL) \
    TWO("email_notifications", "emailNotifications", EDGE_BOOL)

#define ACTION_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    ONE("title", EDGE_TEXT, .required = REQUIRED) \
    ONE("description", EDGE_TEXT) \
    ONE("category", EDGE_TEXT, .required = REQUIRED) \
    ONE("priority", EDGE_TEXT) \
    ONE("status", EDGE_TEXT) \
    TWO("due_date", "dueDate", EDGE_DATE, .required = REQUIRED) \
    TWO("scheduled_time", "scheduledTime", EDGE_CLOCK) \
    TWO("duration_minutes", "durationMinutes", EDGE_INT) \
    TWO("completed_at", "completedAt", EDGE_DATETIME) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME)

#define AGENT_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("agent_type", "agentType", EDGE_TEXT, .required = REQUIRED) \
    TWO("voice_id", "voiceId", EDGE_TEXT) \
    TWO("voice_name", "voiceName", EDGE_TEXT) \
    TWO("personality_traits", "personalityTraits", EDGE_ARRAY, .items = &account_word) \
    TWO("response_style", "responseStyle", EDGE_TEXT) \
    ONE("enabled", EDGE_BOOL) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    ONE("settings", EDGE_JSON) \
    TWO("eleven_labs_agent_id", "elevenLabsAgentId", EDGE_TEXT) \
    TWO("eleven_labs_phone_number_id", "elevenLabsPhoneNumberId", EDGE_TEXT) \
    TWO("eleven_labs_voice_id", "elevenLabsVoiceId", EDGE_TEXT) \
    TWO("twilio_phone_number", "twilioPhoneNumber", EDGE_TEXT) \
    TWO("eleven_labs_twilio_number_id", "elevenLabsTwilioNumberId", EDGE_TEXT)

#define SUBSCRIPTION_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("agent_type", "agentType", EDGE_TEXT, .required = REQUIRED) \
    TWO("subscription_tier", "subscriptionTier", EDGE_TEXT) \
    TWO("is_active", "isActive", EDGE_BOOL) \
    TWO("expires_at", "expiresAt", EDGE_DATETIME) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    TWO("minutes_allocated", "minutesAllocated", EDGE_INT) \
    TWO("current_minutes_used", "currentMinutesUsed", EDGE_INT) \
    TWO("overage_rate", "overageRate", EDGE_NUMBER) \
    TWO("plan_type", "planType", EDGE_TEXT) \
    TWO("billing_cycle_start", "billingCycleStart", EDGE_DATETIME) \
    TWO("billing_cycle_end", "billingCycleEnd", EDGE_DATETIME) \
    TWO("gohighlevel_order_id", "gohighlevelOrderId", EDGE_TEXT) \
    TWO("shopify_order_id", "shopifyOrderId", EDGE_TEXT) \
    TWO("source_platform", "sourcePlatform", EDGE_TEXT) \
    ONE("status", EDGE_TEXT)

#define GOAL_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    ONE("title", EDGE_TEXT, .required = REQUIRED) \
    TWO("goal_type", "goalType", EDGE_TEXT, .required = REQUIRED) \
    TWO("target_value", "targetValue", EDGE_NUMBER) \
    TWO("current_value", "currentValue", EDGE_NUMBER) \
    ONE("unit", EDGE_TEXT) \
    ONE("timeframe", EDGE_TEXT) \
    ONE("deadline", EDGE_DATE) \
    TWO("confidence_score", "confidenceScore", EDGE_INT) \
    ONE("status", EDGE_TEXT) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    ONE("category", EDGE_TEXT) \
    TWO("progress_percentage", "progressPercentage", EDGE_INT) \
    ONE("trend", EDGE_TEXT) \
    TWO("is_active", "isActive", EDGE_BOOL)

#define PLAN_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("annual_gci_goal", "annualGciGoal", EDGE_NUMBER) \
    TWO("transactions_needed", "transactionsNeeded", EDGE_INT) \
    TWO("average_commission", "averageCommission", EDGE_NUMBER) \
    TWO("lead_sources", "leadSources", EDGE_JSON) \
    TWO("conversion_rates", "conversionRates", EDGE_JSON) \
    TWO("monthly_breakdown", "monthlyBreakdown", EDGE_JSON) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME) \
    TWO("plan_year", "planYear", EDGE_INT) \
    TWO("is_active", "isActive", EDGE_BOOL) \
    TWO("detailed_plan", "detailedPlan", EDGE_TEXT) \
    TWO("net_income_goal", "netIncomeGoal", EDGE_NUMBER) \
    TWO("avg_sale_price", "avgSalePrice", EDGE_NUMBER) \
    TWO("brokerage_cap", "brokerageCap", EDGE_NUMBER) \
    TWO("gci_required", "gciRequired", EDGE_NUMBER) \
    TWO("total_volume", "totalVolume", EDGE_NUMBER) \
    TWO("tax_rate", "taxRate", EDGE_NUMBER) \
    TWO("commission_rate", "commissionRate", EDGE_NUMBER) \
    TWO("buyer_seller_split", "buyerSellerSplit", EDGE_NUMBER) \
    TWO("income_split", "incomeSplit", EDGE_NUMBER) \
    TWO("brokerage_split_buyers", "brokerageSplitBuyers", EDGE_NUMBER) \
    TWO("brokerage_split_sellers", "brokerageSplitSellers", EDGE_NUMBER) \
    TWO("team_split_buyers", "teamSplitBuyers", EDGE_NUMBER) \
    TWO("team_split_sellers", "teamSplitSellers", EDGE_NUMBER) \
    TWO("total_deals_needed", "totalDealsNeeded", EDGE_NUMBER) \
    TWO("buyer_deals", "buyerDeals", EDGE_NUMBER) \
    TWO("listing_deals", "listingDeals", EDGE_NUMBER) \
    TWO("total_conversations", "totalConversations", EDGE_NUMBER) \
    TWO("total_appointments", "totalAppointments", EDGE_NUMBER) \
    TWO("total_agreements", "totalAgreements", EDGE_NUMBER) \
    TWO("total_contracts", "totalContracts", EDGE_NUMBER)

#define PULSE_SCORE_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    ONE("date", EDGE_DATE, .required = REQUIRED) \
    TWO("overall_score", "overallScore", EDGE_INT, .required = REQUIRED) \
    TWO("production_score", "productionScore", EDGE_INT) \
    TWO("pipeline_score", "pipelineScore", EDGE_INT) \
    TWO("activities_score", "activitiesScore", EDGE_INT) \
    TWO("systems_score", "systemsScore", EDGE_INT) \
    TWO("mindset_score", "mindsetScore", EDGE_INT) \
    ONE("metrics", EDGE_JSON) \
    TWO("created_at", "createdAt", EDGE_DATETIME)

#define PULSE_CONFIG_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("weight_prospecting", "weightProspecting", EDGE_NUMBER) \
    TWO("weight_listing", "weightListing", EDGE_NUMBER) \
    TWO("weight_transaction", "weightTransaction", EDGE_NUMBER) \
    TWO("weight_relationship", "weightRelationship", EDGE_NUMBER) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME)

#define INTELLIGENCE_COLUMNS(ONE, TWO) \
    ONE("id", EDGE_UUID, .required = REQUIRED) \
    TWO("user_id", "userId", EDGE_TEXT, .required = REQUIRED) \
    TWO("experience_level", "experienceLevel", EDGE_TEXT) \
    TWO("work_commitment", "workCommitment", EDGE_TEXT) \
    TWO("business_structure", "businessStructure", EDGE_TEXT) \
    TWO("database_size", "databaseSize", EDGE_TEXT) \
    TWO("sphere_warmth", "sphereWarmth", EDGE_TEXT) \
    TWO("previous_year_transactions", "previousYearTransactions", EDGE_INT) \
    TWO("previous_year_volume", "previousYearVolume", EDGE_INT) \
    TWO("average_price_point", "averagePricePoint", EDGE_TEXT) \
    TWO("business_consistency", "businessConsistency", EDGE_TEXT) \
    TWO("biggest_challenges", "biggestChallenges", EDGE_ARRAY, .items = &account_word) \
    TWO("growth_timeline", "growthTimeline", EDGE_TEXT) \
    TWO("learning_preference", "learningPreference", EDGE_TEXT) \
    TWO("survey_completed_at", "surveyCompletedAt", EDGE_DATETIME) \
    TWO("created_at", "createdAt", EDGE_DATETIME) \
    TWO("updated_at", "updatedAt", EDGE_DATETIME)
/* clang-format on */

#endif
