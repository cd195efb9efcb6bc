/*
 * Rows of a user's account in answers.
 */
#include "lib/account_output.h"

#include "lib/account_columns.h"

static const edge_field account_word = { .type = EDGE_TEXT };

/* clang-format off */
#define COLUMN(name, ...) { name, __VA_ARGS__ },
#define STORED(name, camel_case, ...) { name, __VA_ARGS__ },
#define BOTH(name, camel_case, ...) { name, __VA_ARGS__ }, { camel_case, __VA_ARGS__ },
/* clang-format on */

#define DATES                                                                                                  \
    { "created_date", EDGE_DATETIME, .help = "created_at" },                                                   \
    {                                                                                                          \
        "updated_date", EDGE_DATETIME, .help = "updated_at"                                                    \
    }

#define REQUIRED false
const edge_field account_profile_columns[] = { PROFILE_COLUMNS(COLUMN, STORED){ 0 } };
const edge_field account_market_columns[] = { MARKET_COLUMNS(COLUMN, STORED){ 0 } };
#undef REQUIRED

#define REQUIRED true
const edge_field account_goal_columns[] = { GOAL_COLUMNS(COLUMN, STORED){ 0 } };
const edge_field account_action_columns[] = { ACTION_COLUMNS(COLUMN, STORED){ 0 } };

const edge_field account_user_row[] = {
    PROFILE_COLUMNS(COLUMN, BOTH) DATES,
    { "firstName", EDGE_TEXT, .help = "full_name up to its first blank" },
    { "lastName", EDGE_TEXT, .help = "The rest of full_name" },
    { 0 },
};
const edge_field account_action_row[] = {
    ACTION_COLUMNS(COLUMN, BOTH) DATES,
    { "actionDate", EDGE_DATE, .required = true, .help = "due_date" },
    { 0 },
};
const edge_field account_pulse_score_row[] = {
    PULSE_SCORE_COLUMNS(COLUMN, BOTH){ "created_date", EDGE_DATETIME, .help = "created_at" },
    { 0 },
};
const edge_field account_profile_row[] = { PROFILE_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_onboarding_row[] = { ONBOARDING_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_market_row[] = { MARKET_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_preferences_row[] = { PREFERENCES_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_agent_row[] = { AGENT_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_subscription_row[] = { SUBSCRIPTION_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_goal_row[] = { GOAL_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_plan_row[] = { PLAN_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_pulse_config_row[] = { PULSE_CONFIG_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
const edge_field account_intelligence_row[] = { INTELLIGENCE_COLUMNS(COLUMN, BOTH) DATES, { 0 } };
