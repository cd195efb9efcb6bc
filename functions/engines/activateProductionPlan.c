/*
 * activateProductionPlan: saves the 12-month planner's plan and its nine annual goals, and marks the user's
 * goals as set up.
 *
 * Two round trips, one transaction: the goals that there are, and all writes with the commit.
 */
#include <edge/edge.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/annual_goals.h"
#include "lib/field.h"
#include "lib/number.h"

enum {
    PLAN_BYTES_MAX = 256 * 1024,
    GOAL_COUNT = 9,
};

#define MONEY_MAX 9999999999.99

static const edge_shape shape = { .success_false = true };

#define TARGET(field_name, most)                                                                               \
    {                                                                                                          \
        field_name, EDGE_NUMBER, .min = 0, .max = (most), .required = true, .help = "From the planner"         \
    }

static const edge_field targets[] = {
    TARGET("gciRequired", MONEY_MAX),
    TARGET("totalDealsNeeded", 2147483647),
    TARGET("buyerDeals", MONEY_MAX),
    TARGET("listingDeals", MONEY_MAX),
    TARGET("totalSalesVolume", MONEY_MAX),
    TARGET("totalConversations", MONEY_MAX),
    TARGET("totalAppointments", MONEY_MAX),
    TARGET("totalAgreements", MONEY_MAX),
    TARGET("totalContracts", MONEY_MAX),
    { "monthlyBreakdown", EDGE_OBJECT, .help = "Kept as it is" },
    { 0 },
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "planData", EDGE_OBJECT, .required = true, .help = "The planner's state, at most 256 KiB" },
    { "calculatedTargets", EDGE_OBJECT, .required = true, .fields = targets, .help = "What the plan comes to" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "Answer the same and write nothing" },
    { 0 },
};

static const edge_field goal_fields[] = {
    { "id", EDGE_UUID, .help = "null: a goal that dryRun did not make" },
    { "title", EDGE_TEXT, .required = true, .help = "What it is about" },
    { "category", EDGE_TEXT, .required = true, .help = "production or activity" },
    { "unit", EDGE_TEXT, .required = true, .help = "What the values count" },
    { "target_value", EDGE_NUMBER, .required = true, .help = "To be reached" },
    { "current_value", EDGE_NUMBER, .required = true, .help = "Reached so far" },
    { "progress_percentage", EDGE_INT, .required = true, .help = "Per cent of the target, 100 at most" },
    { "status", EDGE_ENUM, .values = annual_goals_statuses, .required = true, .help = "Whether it is reached" },
    { "trend", EDGE_ENUM, .values = annual_goals_trends, .required = true, .help = "How it is going" },
    { "deadline", EDGE_DATE, .required = true, .help = "The plan year's last day" },
    { 0 },
};
static const edge_field goal_item = { .type = EDGE_OBJECT, .fields = goal_fields };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "goalsCreated", EDGE_INT, .required = true, .help = "How many there were not" },
    { "goalsUpdated", EDGE_INT, .required = true, .help = "How many there were" },
    { "planYear", EDGE_INT, .required = true, .help = "Which year is planned" },
    { "goals", EDGE_ARRAY, .items = &goal_item, .required = true, .help = "All nine, as they are now" },
    { "dryRun", EDGE_BOOL, .required = true, .help = "As sent: true when nothing was written" },
    { 0 },
};

/* The planner's figures and their columns: numbers or texts of numbers, as its form has them. */
static const struct figure {
    const char *name, *column;
    bool percent; /* stored as a fraction; what is missing is not known */
} figures[] = {
    { "netIncomeGoal", "net_income_goal", false },
    { "avgSalePrice", "avg_sale_price", false },
    { "brokerageCap", "brokerage_cap", false },
    { "taxRate", "tax_rate", true },
    { "commissionRate", "commission_rate", true },
    { "buyerSellerSplit", "buyer_seller_split", true },
    { "incomeSplit", "income_split", true },
    { "brokerageSplitBuyers", "brokerage_split_buyers", true },
    { "brokerageSplitSellers", "brokerage_split_sellers", true },
    { "teamSplitBuyers", "team_split_buyers", true },
    { "teamSplitSellers", "team_split_sellers", true },
};

/* Annual goals and the columns of the plan, by the target that they come from. */
static const struct goal {
    const char *title, *category, *unit, *target, *column;
} goals[GOAL_COUNT] = {
    { "Annual GCI", "production", "USD", "gciRequired", "gci_required" },
    { "Total Transactions", "production", "closings", "totalDealsNeeded", "total_deals_needed" },
    { "Buyer Transactions", "production", "closings", "buyerDeals", "buyer_deals" },
    { "Listing Transactions", "production", "closings", "listingDeals", "listing_deals" },
    { "Total Sales Volume", "production", "USD", "totalSalesVolume", "total_volume" },
    { "Total Conversations", "activity", "conversations", "totalConversations", "total_conversations" },
    { "Total Appointments", "activity", "appointments", "totalAppointments", "total_appointments" },
    { "Total Agreements", "activity", "agreements", "totalAgreements", "total_agreements" },
    { "Total Contracts", "activity", "contracts", "totalContracts", "total_contracts" },
};

/* A goal as it will be. */
struct goal_state {
    const char *id; /* NULL: there is none yet */
    double current, target, progress;
    const char *status, *trend;
};

/* A number or a text of one; null and "" are 0. NAN for anything else. */
static double figure_of(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return 0;
    if (json_is_string(value))
        return number_read(json_string_value(value), NAN);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void check_plan(edge_ctx *ctx, const json_t *plan)
{
    size_t length = 0;
    edge_json_dump(ctx, plan, &length);
    if (length > PLAN_BYTES_MAX)
        edge_fail_with(ctx, 413, "body_too_large", .field = "planData",
            .message = "planData has more than 256 KiB as JSON");

    double year = figure_of(json_object_get(plan, "planYear"));
    if (year != 0 && !(year >= 2000 && year <= 2100 && year == floor(year)))
        field_fail(ctx, "planData.planYear", "must be a year, 2000 to 2100");

    for (const struct figure *figure = figures; figure < figures + sizeof figures / sizeof *figures; figure++) {
        double value = figure_of(json_object_get(plan, figure->name));
        double most = figure->percent ? 100 : MONEY_MAX;
        if (!(value >= 0 && value <= most))
            field_fail(ctx, edge_format(ctx, "planData.%s", figure->name),
                "must be a number between 0 and %.15g", most);
    }
    const json_t *rates = json_object_get(plan, "conversionRates");
    if (rates != NULL && !json_is_null(rates) && !json_is_object(rates))
        field_fail(ctx, "planData.conversionRates", "must be an object");
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "planData"))
        check_plan(ctx, value);
    return value;
}

static json_t *object_or_empty(json_t *value)
{
    return json_is_object(value) ? json_incref(value) : json_object();
}

/* The row of business_plans, by column. */
static json_t *plan_row(edge_ctx *ctx, json_t *plan, json_t *calculated, int year)
{
    double price = figure_of(json_object_get(plan, "avgSalePrice"));
    double rate = figure_of(json_object_get(plan, "commissionRate"));
    json_t *row = json_pack("{s:s, s:O, s:I, s:f, s:o, s:o, s:i, s:s}", "user_id", edge_auth_user(ctx),
        "annual_gci_goal", json_object_get(calculated, "gciRequired"), "transactions_needed",
        (json_int_t)ceil(edge_json_number(calculated, "totalDealsNeeded", 0)), "average_commission",
        price * (rate / 100), "conversion_rates", object_or_empty(json_object_get(plan, "conversionRates")),
        "monthly_breakdown", object_or_empty(json_object_get(calculated, "monthlyBreakdown")), "plan_year",
        year, "detailed_plan", edge_json_dump(ctx, plan, NULL));

    for (const struct figure *figure = figures; figure < figures + sizeof figures / sizeof *figures; figure++) {
        const json_t *given = json_object_get(plan, figure->name);
        if (given != NULL || !figure->percent)
            json_object_set_new(
                row, figure->column, json_real(figure->percent ? figure_of(given) / 100 : figure_of(given)));
    }
    for (size_t i = 0; i < GOAL_COUNT; i++)
        json_object_set(row, goals[i].column, json_object_get(calculated, goals[i].target));
    return row;
}

#define PLAN_COLUMNS                                                                                           \
    "annual_gci_goal, transactions_needed, average_commission, conversion_rates, monthly_breakdown, "          \
    "plan_year,"                                                                                               \
    " detailed_plan, net_income_goal, avg_sale_price, brokerage_cap, tax_rate, commission_rate,"               \
    " buyer_seller_split, income_split, brokerage_split_buyers, brokerage_split_sellers, team_split_buyers,"   \
    " team_split_sellers, gci_required, total_deals_needed, buyer_deals, listing_deals, total_volume,"         \
    " total_conversations, total_appointments, total_agreements, total_contracts"

static void write_plan(edge_tx *tx, const json_t *row)
{
    edge_tx_send(tx,
        "INSERT INTO business_plans (user_id, is_active, " PLAN_COLUMNS ")"
        " SELECT user_id, true, " PLAN_COLUMNS " FROM jsonb_populate_record(NULL::business_plans, $1)"
        " ON CONFLICT (user_id) DO UPDATE SET (is_active, updated_at, " PLAN_COLUMNS ")"
        " = (SELECT true, now(), " PLAN_COLUMNS " FROM jsonb_populate_record(NULL::business_plans, $1))",
        edge_json(row));
}

static void write_goal(edge_tx *tx, const char *id, bool is_new, const struct goal *goal,
    const struct goal_state *state, const char *deadline)
{
    const edge_arg target = edge_number(state->target), status = edge_text(state->status),
                   progress = edge_int((int64_t)state->progress), trend = edge_text(state->trend);
    if (is_new)
        edge_tx_send(tx,
            "INSERT INTO goals (id, user_id, title, goal_type, category, unit, target_value, current_value,"
            " deadline, status, progress_percentage, trend, is_active)"
            " VALUES ($1, edge.user_id(), $2, 'annual', $3, $4, $5, 0, $6, $7, $8, $9, true)",
            edge_uuid(id), edge_text(goal->title), edge_text(goal->category), edge_text(goal->unit), target,
            edge_date(deadline), status, progress, trend);
    else
        edge_tx_send(tx,
            "UPDATE goals SET category = $2, unit = $3, target_value = $4, deadline = $5, status = $6,"
            " progress_percentage = $7, trend = $8, is_active = true, updated_at = now() WHERE id = $1",
            edge_uuid(id), edge_text(goal->category), edge_text(goal->unit), target, edge_date(deadline),
            status, progress, trend);
}

/* A target of nothing is reached at once, with no progress: the original's numbers. */
static struct goal_state state_of(const edge_rows *stored, size_t row, double target)
{
    struct goal_state state = {
        .id = edge_rows_text(stored, row, "id"),
        .current = edge_rows_number(stored, row, "current_value"),
        .target = target,
    };
    bool completed = state.current >= target;
    state.progress = target > 0 ? annual_goals_progress(state.current, target) : 0;
    state.status = completed ? "completed" : "active";
    state.trend = completed ? "completed" : annual_goals_trend(state.progress);
    return state;
}

static json_t *goal_json(
    const char *id, const struct goal *goal, const struct goal_state *state, const char *deadline)
{
    return json_pack("{s:s?, s:s, s:s, s:s, s:f, s:f, s:f, s:s, s:s, s:s}", "id", id, "title", goal->title,
        "category", goal->category, "unit", goal->unit, "target_value", state->target, "current_value",
        state->current, "progress_percentage", state->progress, "status", state->status, "trend", state->trend,
        "deadline", deadline);
}

static edge_rows *read_goals(edge_tx *tx)
{
    const char *titles[GOAL_COUNT];
    for (size_t i = 0; i < GOAL_COUNT; i++)
        titles[i] = goals[i].title;
    return annual_goals_read(tx, titles, GOAL_COUNT);
}

static json_t *activate(edge_ctx *ctx, const json_t *row, json_t *calculated, int year, bool dry_run)
{
    const char *deadline = edge_format(ctx, "%04d-12-31", year);
    json_t *list = NULL;
    json_int_t created = 0;
    EDGE_TRANSACTION(ctx, tx)
    {
        annual_goals_lock(tx, edge_auth_user(ctx));
        edge_rows *stored = read_goals(tx);
        list = json_array();
        created = 0;
        for (size_t i = 0; i < GOAL_COUNT; i++) {
            struct goal_state state = state_of(stored, i, edge_json_number(calculated, goals[i].target, 0));
            bool is_new = state.id == NULL;
            const char *id = is_new && !dry_run ? edge_uuid_v4(ctx) : state.id;
            if (!dry_run)
                write_goal(tx, id, is_new, &goals[i], &state, deadline);
            json_array_append_new(list, goal_json(id, &goals[i], &state, deadline));
            created += is_new;
        }
        if (!dry_run) {
            write_plan(tx, row);
            edge_tx_send(tx,
                "INSERT INTO user_onboarding (user_id, goals_setup_completed, goals_completion_date)"
                " VALUES ($1, true, now())"
                " ON CONFLICT (user_id) DO UPDATE SET goals_setup_completed = true, goals_completion_date = "
                "now()",
                edge_text(edge_auth_user(ctx)));
        }
    }
    return json_pack("{s:b, s:I, s:I, s:i, s:o, s:b}", "success", 1, "goalsCreated", created, "goalsUpdated",
        GOAL_COUNT - created, "planYear", year, "goals", list, "dryRun", dry_run);
}

static json_t *activate_production_plan(edge_ctx *ctx, json_t *in)
{
    json_t *plan = json_object_get(in, "planData"), *calculated = json_object_get(in, "calculatedTargets");
    int year = (int)figure_of(json_object_get(plan, "planYear"));
    if (year == 0)
        year = atoi(edge_iso_time(ctx, edge_now(ctx)));

    return activate(
        ctx, plan_row(ctx, plan, calculated, year), calculated, year, edge_json_bool(in, "dryRun", false));
}

static const edge_problem problems[] = {
    { 413, "body_too_large", "planData has more than 256 KiB" },
    { 0 },
};

EDGE_FUNCTION(activateProductionPlan,
    .summary = "Saves the 12-month plan and its nine annual goals",
    .input = input,
    .output = output,
    .handle = activate_production_plan,
    .shape = &shape,
    .check = check,
    .problems = problems);
