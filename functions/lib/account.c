/*
 * Sections of a user's account. Row security narrows each to the acting user's rows.
 */
#include "lib/account.h"

static const char *const section_sql[ACCOUNT_SECTION_COUNT] = {
    [ACCOUNT_PROFILE] = "SELECT * FROM profiles",
    [ACCOUNT_ROLE] = "SELECT has_role((SELECT edge.user_id()), 'admin') AS is_admin",
    [ACCOUNT_ONBOARDING] = "SELECT * FROM user_onboarding",
    [ACCOUNT_MARKET] = "SELECT * FROM market_config",
    [ACCOUNT_PREFERENCES] = "SELECT * FROM user_preferences",
    [ACCOUNT_ACTIONS] = "SELECT * FROM daily_actions"
                        " ORDER BY due_date DESC, created_at DESC, id DESC"
                        " LIMIT $1",
    [ACCOUNT_AGENTS] = "SELECT * FROM agent_config ORDER BY enabled DESC NULLS LAST, updated_at DESC, id",
    [ACCOUNT_SUBSCRIPTIONS] = "SELECT * FROM user_agent_subscriptions"
                              " ORDER BY is_active DESC NULLS LAST, (status = 'active') DESC NULLS LAST,"
                              " updated_at DESC, id",
    [ACCOUNT_GOALS] = "SELECT * FROM goals ORDER BY created_at, id",
    [ACCOUNT_PLAN] = "SELECT * FROM business_plans",
    [ACCOUNT_PULSE_SCORES] = "SELECT * FROM pulse_scores ORDER BY date DESC LIMIT 30",
    [ACCOUNT_PULSE_CONFIG] = "SELECT * FROM pulse_config",
    [ACCOUNT_INTELLIGENCE] = "SELECT * FROM agent_intelligence_profiles",
    [ACCOUNT_GRAPH] = "SELECT context, expires_at, updated_at FROM graph_context_cache",
};

const struct account *account_read(edge_ctx *ctx, const bool wanted[ACCOUNT_SECTION_COUNT], int64_t actions_max)
{
    const edge_arg limit = edge_int(actions_max);
    edge_statement statements[ACCOUNT_SECTION_COUNT];
    edge_rows *rows[ACCOUNT_SECTION_COUNT];
    size_t count = 0;
    for (int section = 0; section < ACCOUNT_SECTION_COUNT; section++)
        if (wanted[section])
            statements[count++] = (edge_statement){
                .sql = section_sql[section], .args = &limit, .count = section == ACCOUNT_ACTIONS ? 1 : 0
            };
    edge_query_all(ctx, rows, statements, count);

    struct account *account = edge_alloc(ctx, sizeof *account);
    count = 0;
    for (int section = 0; section < ACCOUNT_SECTION_COUNT; section++)
        if (wanted[section])
            account->sections[section] = rows[count++];
    return account;
}

json_t *account_first(const struct account *account, enum account_section section)
{
    const edge_rows *rows = account->sections[section];
    return edge_rows_count(rows) > 0 ? edge_row_json(rows, 0) : NULL;
}
