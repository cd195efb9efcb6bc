/*
 * What the database holds about the acting user, by section: whoever builds a context for a page or an agent
 * reads the sections it wants, all of them in one round trip and as of one moment.
 */
#ifndef LIB_ACCOUNT_H
#define LIB_ACCOUNT_H

#include <edge/edge.h>

enum account_section {
    ACCOUNT_PROFILE,
    ACCOUNT_ROLE, /* is_admin: whether user_roles says so */
    ACCOUNT_ONBOARDING,
    ACCOUNT_MARKET,
    ACCOUNT_PREFERENCES,
    ACCOUNT_ACTIONS, /* latest due date first */
    ACCOUNT_AGENTS,  /* enabled ones first */
    ACCOUNT_SUBSCRIPTIONS,
    ACCOUNT_GOALS,
    ACCOUNT_PLAN,
    ACCOUNT_PULSE_SCORES, /* the last 30 days that have one, latest first */
    ACCOUNT_PULSE_CONFIG,
    ACCOUNT_INTELLIGENCE,
    ACCOUNT_GRAPH, /* the cached context of buildGraphContext: context, expires_at, updated_at */
    ACCOUNT_SECTION_COUNT,
};

struct account {
    const edge_rows *sections[ACCOUNT_SECTION_COUNT]; /* NULL: was not asked for */
};

/* Reads the sections for which wanted is true; at most actions_max actions. */
EDGE_RETURNS_NONNULL const struct account *account_read(
    edge_ctx *ctx, const bool wanted[ACCOUNT_SECTION_COUNT], int64_t actions_max);

/* A section's first row as an object; NULL when it has none. */
json_t *account_first(const struct account *account, enum account_section section);

#endif
