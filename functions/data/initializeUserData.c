/*
 * initializeUserData: makes sure that a signed-in user has the default rows; called at every start of the app,
 * so most calls find everything there. One round trip, one transaction of the service: users may write neither
 * profiles' rights nor credits.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

enum {
    SIGNUP_CREDITS = 100,
};

/* The body says nothing, but has to be an object all the same. */
static const edge_field input[] = { { 0 } };

/* In the order of the answer. */
static const char *const tables[] = { "profiles", "user_onboarding", "market_config", "user_preferences",
    "business_plans", "user_credits", NULL };

enum {
    TABLES = sizeof tables / sizeof *tables - 1,
};

static const edge_field table_item = { .type = EDGE_ENUM, .values = tables };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "seededTables", EDGE_ARRAY, .items = &table_item, .required = true, .help = "Where a row was missing" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { 0 },
};

/* FREE_SIGNUP_CREDITS: digits, up to the largest balance that the ledger takes. */
static int64_t signup_credits(edge_ctx *ctx)
{
    const char *text = edge_env(ctx, "FREE_SIGNUP_CREDITS");
    if (text == NULL)
        return SIGNUP_CREDITS;
    size_t digits = strspn(text, "0123456789");
    if (text[digits] != '\0' || digits > 10 || atoll(text) > 1000000000)
        edge_fail(ctx, 503, "not_configured", "FREE_SIGNUP_CREDITS is no number from 0 to 1000000000");
    return atoll(text);
}

/*
 * Credits only with the balance row: a user who has one has had the grant. Where a ledger is left without its
 * balance row, the balance is what the ledger says.
 */
static const char credits_sql[] =
    "WITH ledger AS ("
    " SELECT sum(amount) AS balance FROM credit_transactions WHERE user_id = $1"
    "), seeded AS ("
    " INSERT INTO user_credits (user_id, credits_available, credits_used)"
    " SELECT $1, CASE WHEN balance IS NULL THEN $2 ELSE greatest(0, balance) END, 0 FROM ledger"
    " ON CONFLICT (user_id) DO NOTHING"
    " RETURNING user_id"
    "), granted AS ("
    " INSERT INTO credit_transactions (user_id, transaction_type, amount, "
    "balance_after, description, created_at)"
    " SELECT $1, 'initial_grant', $2, $2, 'Signup credits', clock_timestamp()"
    " FROM seeded, ledger"
    " WHERE ledger.balance IS NULL AND $2 > 0"
    ")"
    " SELECT user_id FROM seeded";

static json_t *initialize_user_data(edge_ctx *ctx, json_t *in)
{
    (void)in;
    const char *user = edge_auth_user(ctx);
    const json_t *claims = edge_auth_claims(ctx);
    edge_rows *rows[TABLES];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("INSERT INTO profiles (id, email, full_name) VALUES ($1, $2, $3)"
                 " ON CONFLICT DO NOTHING RETURNING id",
            edge_text(user), edge_text(edge_json_text(claims, "email")),
            edge_text(edge_json_text(claims, "name"))),
        EDGE_SQL("INSERT INTO user_onboarding (user_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING user_id",
            edge_text(user)),
        EDGE_SQL("INSERT INTO market_config (user_id, market_name) VALUES ($1, 'Primary Market')"
                 " ON CONFLICT DO NOTHING RETURNING user_id",
            edge_text(user)),
        EDGE_SQL("INSERT INTO user_preferences (user_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING user_id",
            edge_text(user)),
        EDGE_SQL(
            "INSERT INTO business_plans (user_id, annual_gci_goal, transactions_needed, average_commission)"
            " VALUES ($1, 100000, 12, 8333.33)"
            " ON CONFLICT DO NOTHING RETURNING user_id",
            edge_text(user)),
        EDGE_SQL(credits_sql, edge_text(user), edge_int(signup_credits(ctx))));

    json_t *seeded = json_array();
    for (size_t i = 0; i < TABLES; i++)
        if (edge_rows_count(rows[i]) > 0)
            json_array_append_new(seeded, json_string(tables[i]));
    const char *message = edge_format(ctx, "Initialized %zu default records", json_array_size(seeded));
    return json_pack("{s:b, s:o, s:s}", "success", 1, "seededTables", seeded, "message", message);
}

EDGE_FUNCTION(initializeUserData,
    .summary = "Makes sure that the user has the default rows",
    .input = input,
    .output = output,
    .handle = initialize_user_data);
