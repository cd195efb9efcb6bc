/*
 * syncGoalProgressFromCrm: brings the five annual production goals up to date with the user's closed
 * transactions. Goals are never made here.
 *
 * Three round trips, one transaction: the transactions, the goals and the plan, and the updates with the
 * commit.
 */
#include <edge/edge.h>

#include <math.h>

#include "lib/annual_goals.h"
#include "lib/closed_deals.h"

static const edge_shape shape = { .success_false = true };

static const char *const providers[] = { "lofty", "follow_up_boss", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "provider", EDGE_ENUM, .values = providers, .help = "Echoed; the user's transactions are the source" },
    { "year", EDGE_INT, .min = 2000, .max = 2100, .help = "Only deals expected to close in it; absent: all" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "Answer the same and write nothing" },
    { 0 },
};

static const edge_field metrics_fields[] = {
    { "totalGci", EDGE_NUMBER, .required = true, .help = "Gross commission income" },
    { "totalDeals", EDGE_NUMBER, .required = true, .help = "Closed transactions" },
    { "totalBuyerDeals", EDGE_NUMBER, .required = true, .help = "Of buyers" },
    { "totalListingDeals", EDGE_NUMBER, .required = true, .help = "Of sellers" },
    { "totalVolume", EDGE_NUMBER, .required = true, .help = "Prices together" },
    { 0 },
};

static const edge_field update_fields[] = {
    { "title", EDGE_TEXT, .required = true, .help = "Of the goal" },
    { "previous", EDGE_NUMBER, .required = true, .help = "Value before" },
    { "current", EDGE_NUMBER, .required = true, .help = "Value now" },
    { "target", EDGE_NUMBER, .required = true, .help = "Value to be reached" },
    { "progress", EDGE_INT, .required = true, .help = "Per cent of the target, 100 at most" },
    { "status", EDGE_ENUM, .values = annual_goals_statuses, .required = true, .help = "Whether it is reached" },
    { "trend", EDGE_ENUM, .values = annual_goals_trends, .required = true, .help = "How it is going" },
    { 0 },
};
static const edge_field update_item = { .type = EDGE_OBJECT, .fields = update_fields };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "provider", EDGE_ENUM, .values = providers, .help = "As sent" },
    { "goalsUpdated", EDGE_INT, .required = true, .help = "How many have another value now" },
    { "metrics", EDGE_OBJECT, .fields = metrics_fields, .required = true, .help = "What was counted" },
    { "updates", EDGE_ARRAY, .items = &update_item, .required = true, .help = "Goals with another value" },
    { "dryRun", EDGE_BOOL, .required = true, .help = "As sent: true when nothing was written" },
    { 0 },
};

enum {
    METRIC_COUNT = 5,
};

static const char *const titles[METRIC_COUNT] = { "Annual GCI", "Total Transactions", "Buyer Transactions",
    "Listing Transactions", "Total Sales Volume" };

struct state {
    double progress;
    const char *status, *trend;
};

/* An edge that the pages know: without a target a goal is done as soon as there is anything. */
static struct state state_of(double value, double target)
{
    if (target <= 0)
        return (struct state){ 0, value > 0 ? "completed" : "active", "on-track" };

    double progress = annual_goals_progress(value, target);
    if (value >= target)
        return (struct state){ progress, "completed", "completed" };
    return (struct state){ progress, "active", annual_goals_trend(progress) };
}

static struct closed_deals read_deals(edge_tx *tx, edge_arg year)
{
    struct closed_deals deals = { 0 };
    edge_rows *rows = edge_tx_query(tx,
        "SELECT " CLOSED_DEAL_COLUMNS " FROM transactions"
        " WHERE " CLOSED_DEAL_CONDITION
        " AND ($1::integer IS NULL OR (expected_close_date >= make_date($1, 1, 1)"
        " AND expected_close_date < make_date($1 + 1, 1, 1)))"
        " ORDER BY created_at, id",
        year);
    closed_deals_add(&deals, rows);
    return deals;
}

/* Where no price is known, the plan's average stands for each deal's. */
static double fallback_volume(edge_tx *tx, double deals)
{
    edge_rows *plan = edge_tx_query(tx, "SELECT avg_sale_price FROM business_plans");
    return edge_rows_count(plan) > 0 ? deals * edge_rows_number(plan, 0, "avg_sale_price") : 0;
}

static void write_goal(edge_tx *tx, const char *id, double value, const struct state *state)
{
    edge_tx_send(tx,
        "UPDATE goals SET current_value = $2, status = $3, progress_percentage = $4, trend = $5, updated_at = "
        "now()"
        " WHERE id = $1",
        edge_uuid(id), edge_number(value), edge_text(state->status), edge_int((int64_t)state->progress),
        edge_text(state->trend));
}

/* The goals whose value is another one by a cent at least, as they are now. */
static json_t *update_goals(edge_tx *tx, const double values[METRIC_COUNT], bool dry_run)
{
    edge_rows *goals = annual_goals_read(tx, titles, METRIC_COUNT);
    json_t *updates = json_array();
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        double current = edge_rows_number(goals, i, "current_value");
        double target = edge_rows_number(goals, i, "target_value");
        if (edge_rows_null(goals, i, "id") || fabs(values[i] - current) < 0.01)
            continue;

        struct state state = state_of(values[i], target);
        if (!dry_run)
            write_goal(tx, edge_rows_text(goals, i, "id"), values[i], &state);
        json_array_append_new(
            updates, json_pack("{s:s, s:f, s:f, s:f, s:f, s:s, s:s}", "title", titles[i], "previous", current,
                         "current", values[i], "target", target, "progress", state.progress, "status",
                         state.status, "trend", state.trend));
    }
    return updates;
}

static json_t *sync_goals(edge_ctx *ctx, const char *provider, edge_arg year, bool dry_run)
{
    json_t *answer = NULL;
    EDGE_TRANSACTION(ctx, tx)
    {
        annual_goals_lock(tx, edge_auth_user(ctx));
        struct closed_deals deals = read_deals(tx, year);
        double volume = deals.volume > 0 ? deals.volume : 0;
        if (volume == 0 && deals.deals > 0)
            volume = fallback_volume(tx, deals.deals);

        const double values[METRIC_COUNT] = { deals.gci, deals.deals, deals.buyers, deals.listings, volume };
        json_t *updates = update_goals(tx, values, dry_run);
        answer = json_pack("{s:b, s:s?, s:I, s:{s:f, s:f, s:f, s:f, s:f}, s:o, s:b}", "success", 1, "provider",
            provider, "goalsUpdated", (json_int_t)json_array_size(updates), "metrics", "totalGci", deals.gci,
            "totalDeals", deals.deals, "totalBuyerDeals", deals.buyers, "totalListingDeals", deals.listings,
            "totalVolume", volume, "updates", updates, "dryRun", dry_run);
    }
    return answer;
}

static json_t *sync_goal_progress(edge_ctx *ctx, json_t *in)
{
    json_t *year = json_object_get(in, "year");
    return sync_goals(ctx, edge_json_text(in, "provider"),
        year != NULL ? edge_int(json_integer_value(year)) : edge_null(), edge_json_bool(in, "dryRun", false));
}

EDGE_FUNCTION(syncGoalProgressFromCrm,
    .summary = "Brings the annual production goals up to date with closed transactions",
    .input = input,
    .output = output,
    .handle = sync_goal_progress,
    .shape = &shape);
