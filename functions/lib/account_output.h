/*
 * Rows of a user's account in answers (lib/account): members of output tables.
 */
#ifndef LIB_ACCOUNT_OUTPUT_H
#define LIB_ACCOUNT_OUTPUT_H

#include <edge/edge.h>

/* Rows as they are stored. Of the profile and the market settings nothing is sure: {} stands for no row. */
extern const edge_field account_profile_columns[], account_market_columns[], account_goal_columns[],
    account_action_columns[];

/* Rows with their columns in camel case as well, and created_date and updated_date. */
extern const edge_field account_user_row[]; /* the profile, with firstName and lastName */
extern const edge_field account_profile_row[], account_onboarding_row[], account_market_row[],
    account_preferences_row[], account_action_row[], account_agent_row[], account_subscription_row[],
    account_goal_row[], account_plan_row[], account_pulse_score_row[], account_pulse_config_row[],
    account_intelligence_row[];

#endif
