/*
 * marketDataFetcher: raw market trends of the user's territory, kept per user and geography, and fetched again
 * when they are older than the user's tier has them. When the provider fails, what is kept is answered.
 *
 * Two round trips for what is kept; a fetch has four more: the lease, another look, the write, the lease again.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/engine.h"
#include "lib/lease.h"
#include "lib/market.h"
#include "lib/text.h"

#define DAY_US ((int64_t)24 * 3600 * 1000000)

enum {
    LEASE_SECONDS = 30,
    WAIT_MS = 12000,
    SUBSCRIBER_DAYS = 7,
    FREE_DAYS = 30,
};

static const edge_shape shape = { .success_false = true };

static const char *const type_pattern[] = { "[a-z_]{1,32}", NULL };

static const edge_field geography_fields[] = {
    { "state", EDGE_TEXT, .min = 0, .max = 64, .help = "As the provider knows it: TX" },
    { "city", EDGE_TEXT, .min = 0, .max = 128, .help = "Austin" },
    { "market_name", EDGE_TEXT, .min = 0, .max = 200, .help = "Name to show; absent: city and state" },
    { "geography_type", EDGE_PATTERN, .values = type_pattern, .fallback = "city", .help = "Kind of territory" },
    { 0 },
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose data; required under the service key" },
    { "geography", EDGE_OBJECT, .fields = geography_fields, .help = "Territory; absent: the market settings'" },
    { "refresh", EDGE_BOOL, .fallback = "false", .help = "Fetch even if what is kept is fresh" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "userId", EDGE_TEXT, .required = true, .help = "Whose data" },
    { "geographyType", EDGE_TEXT, .required = true, .help = "Kind of territory" },
    { "geographyName", EDGE_TEXT, .required = true, .help = "Name to show" },
    { "geographyId", EDGE_TEXT, .required = true, .help = "State, city and type" },
    { "rawData", EDGE_JSON, .required = true, .help = "As the provider sent it: an object or an array" },
    { "dataDate", EDGE_DATETIME, .required = true, .help = "When it was fetched" },
    { "created_date", EDGE_DATETIME, .required = true, .help = "The same" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "marketData", EDGE_OBJECT, .fields = data_fields, .required = true, .help = "What is known" },
    { "cached", EDGE_BOOL, .required = true, .help = "Whether it was fetched by an earlier call" },
    { "stale", EDGE_BOOL, .required = true, .help = "Whether it is old because the provider failed" },
    { "error", EDGE_TEXT, .help = "How the provider failed" },
    { 0 },
};

struct request {
    edge_ctx *ctx;
    const char *user;
    int64_t now, period; /* what is kept is fresh for so long, in microseconds */
    const char *state, *city, *type, *name, *id;
    bool refresh;
};

/* What is kept, if it is data. */
struct kept {
    json_t *raw; /* NULL: none */
    const char *name;
    int64_t at;
};

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (strcmp(field->name, "geography") == 0 && edge_json_text(value, "state") == NULL &&
        edge_json_text(value, "city") == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = "geography",
            .message = "geography must name a state or a city");
    return value;
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text != NULL ? text : otherwise;
}

static void name_geography(struct request *request, const char *market_name)
{
    edge_ctx *ctx = request->ctx;
    const char *place = edge_format(ctx, "%s, %s", or_else(request->city, ""), or_else(request->state, ""));
    request->name = market_name != NULL ? market_name : text_trim(ctx, place);
    request->id = edge_format(
        ctx, "%s-%s-%s", or_else(request->state, "unknown"), or_else(request->city, "unknown"), request->type);
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static void take_settings(struct request *request, const edge_rows *market)
{
    bool there = edge_rows_count(market) > 0;
    request->state = there ? edge_rows_text(market, 0, "state") : NULL;
    request->city = there ? edge_rows_text(market, 0, "city") : NULL;
    request->type = "city";
    if (is_empty(request->state) && is_empty(request->city))
        edge_fail(request->ctx, 400, "market_config_missing", "Market configuration missing");
    name_geography(request, edge_rows_text(market, 0, "market_name"));
}

static void take_geography(struct request *request, json_t *geography)
{
    request->state = edge_json_text(geography, "state");
    request->city = edge_json_text(geography, "city");
    request->type = edge_json_text(geography, "geography_type");
    name_geography(request, edge_json_text(geography, "market_name"));
}

/* Administrators always fetch. */
static int64_t period_of(const edge_rows *profile)
{
    const char *role = or_else(edge_rows_text(profile, 0, "role"), "");
    const char *tier = or_else(edge_rows_text(profile, 0, "subscription_tier"), "");
    if (strcmp(role, "admin") == 0 || edge_rows_bool(profile, 0, "is_admin") || strcmp(tier, "Admin") == 0)
        return 0;
    return (strcmp(tier, "Subscriber") == 0 ? SUBSCRIBER_DAYS : FREE_DAYS) * DAY_US;
}

static void read_request(struct request *request, json_t *geography)
{
    edge_rows *rows[2];
    edge_query_batch(request->ctx, rows,
        EDGE_SQL("SELECT role, subscription_tier, has_role(id, 'admin') AS is_admin FROM profiles"),
        EDGE_SQL("SELECT state, city, market_name FROM market_config"));
    engine_require_profile(request->ctx, rows[0]);

    request->period = period_of(rows[0]);
    if (geography != NULL)
        take_geography(request, geography);
    else
        take_settings(request, rows[1]);
}

static struct kept read_kept(const struct request *request)
{
    edge_rows *rows = edge_query(request->ctx,
        "SELECT raw_data, geography_name, data_date FROM market_data"
        " WHERE geography_id = $1 AND raw_data <> '{}' AND data_date IS NOT NULL",
        edge_text(request->id));
    if (edge_rows_count(rows) == 0)
        return (struct kept){ 0 };
    return (struct kept){ edge_rows_value(rows, 0, "raw_data"),
        or_else(edge_rows_text(rows, 0, "geography_name"), request->name),
        edge_rows_time(rows, 0, "data_date") };
}

static json_t *answer(const struct request *request, const struct kept *kept, bool cached, const char *error)
{
    const char *at = edge_iso_time(request->ctx, kept->at);
    return json_pack("{s:b, s:{s:s, s:s, s:s, s:s, s:O, s:s, s:s}, s:b, s:b, s:s?}", "success", 1, "marketData",
        "userId", request->user, "geographyType", request->type, "geographyName", kept->name, "geographyId",
        request->id, "rawData", kept->raw, "dataDate", at, "created_date", at, "cached", cached, "stale",
        error != NULL, "error", error);
}

/*
 * True when this call need not fetch. What came since the call began was fetched by another one, which this one
 * has waited for; an administrator's, whose period is nothing, takes that as well.
 */
static bool will_do(const struct request *request, const struct kept *kept)
{
    if (kept->raw == NULL)
        return false;
    return kept->at > request->now || (kept->at > request->now - request->period && !request->refresh);
}

static void refuse_early_refresh(const struct request *request, const struct kept *kept)
{
    bool fresh = kept->raw != NULL && kept->at > request->now - request->period;
    if (!request->refresh || !fresh || edge_auth_caller(request->ctx) == EDGE_CALLER_SERVICE)
        return;
    int64_t next = kept->at + request->period;
    edge_fail_with(request->ctx, 429, "market_refresh_too_soon",
        .message = "The market data is still fresh and cannot be refreshed yet",
        .retry_after_seconds = (int)((next - request->now + 999999) / 1000000),
        .extra = json_pack("{s:s}", "nextRefreshAt", edge_iso_time(request->ctx, next)));
}

/* False when PostgreSQL cannot hold the data (a string with U+0000). */
static bool keep(const struct request *request, const struct kept *fetched)
{
    edge_error error;
    edge_rows *written = edge_try_query(request->ctx, &error,
        "INSERT INTO market_data (user_id, geography_type, geography_id, geography_name, raw_data, data_date)"
        " VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (user_id, geography_id) DO UPDATE"
        " SET geography_type = EXCLUDED.geography_type, geography_name = EXCLUDED.geography_name,"
        " raw_data = EXCLUDED.raw_data, data_date = EXCLUDED.data_date",
        edge_text(request->user), edge_text(request->type), edge_text(request->id), edge_text(request->name),
        edge_json(fetched->raw), edge_time(fetched->at));
    if (written == NULL && (error.detail == NULL || strcmp(error.detail, "22P05") != 0))
        edge_fail_error(request->ctx, &error);
    return written != NULL;
}

/* Fetches and keeps; when that fails nothing is written, and what was kept is answered as stale. */
static json_t *fetch(const struct request *request, const struct kept *old)
{
    const struct market_failure *failure = NULL;
    struct kept fetched = { .name = request->name };
    fetched.raw = market_trends(request->ctx, request->state, request->city, request->type, &failure);
    fetched.at = edge_now_exact() / 1000 * 1000;

    if (fetched.raw != NULL && !keep(request, &fetched))
        failure = &market_not_storable;
    if (failure == NULL)
        return answer(request, &fetched, false, NULL);
    if (old->raw != NULL)
        return answer(request, old, true, failure->message);
    edge_fail(request->ctx, failure->status, failure->code, "%s", failure->message);
}

/* One fetch at a time for a user and geography, in whatever worker or host. */
static json_t *fetch_alone(const struct request *request)
{
    const char *name = edge_format(request->ctx, "marketDataFetcher:%s:%s", request->user, request->id);
    struct lease *lease = NULL;
    while ((lease = lease_take(request->ctx, name, LEASE_SECONDS)) == NULL)
        if (!lease_wait(request->ctx, name, WAIT_MS))
            edge_fail(
                request->ctx, 504, "provider_timeout", "The market data is still being fetched, try again");

    struct kept kept = read_kept(request);
    json_t *body = will_do(request, &kept) ? answer(request, &kept, true, NULL) : fetch(request, &kept);
    lease_release(lease);
    return body;
}

static json_t *market_data_fetcher(edge_ctx *ctx, json_t *in)
{
    struct request request = {
        .ctx = ctx,
        .user = edge_auth_user(ctx),
        .now = engine_now(ctx),
        .refresh = edge_json_bool(in, "refresh", false),
    };
    read_request(&request, json_object_get(in, "geography"));

    struct kept kept = read_kept(&request);
    refuse_early_refresh(&request, &kept);
    return will_do(&request, &kept) ? answer(&request, &kept, true, NULL) : fetch_alone(&request);
}

EDGE_FUNCTION(marketDataFetcher,
    .summary = "Market trends of the user's territory",
    .input = input,
    .output = output,
    .handle = market_data_fetcher,
    .shape = &shape,
    .check = check);
