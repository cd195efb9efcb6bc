/*
 * sandbox_rapidapi_market: stand-in for Redfin's data at RapidAPI (https://docs.rapidapi.com/docs/keys): trends
 * of a state or city, computed from its name, the same each time. Errors are RapidAPI's: {"message": ...}
 * (https://docs.rapidapi.com/docs/response-status-codes).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"

#define PROVIDER "rapidapi_market"
#define RAPIDAPI_HOST "redfin-com-data.p.rapidapi.com"

enum {
    MONTHS = 3,
};

struct refusal {
    int status;
    const char *message;
};

/* What is wrong with the request, NULL: nothing. */
static const struct refusal *check_request(edge_ctx *ctx)
{
    static const struct refusal no_key = { 401,
        "Invalid API key. Go to https://docs.rapidapi.com/docs/keys for more info." },
                                other_key = { 403, "You are not subscribed to this API." },
                                no_api = { 404, "API doesn't exists" },
                                no_endpoint = { 404, "Endpoint does not exist" },
                                no_place = { 400, "state or city, and geographyType, are required" };

    const char *given = edge_request_header(ctx, "x-rapidapi-key"),
               *host = edge_request_header(ctx, "x-rapidapi-host");
    const char *key = edge_env(ctx, "RAPIDAPI_MARKET_METRICS_API_KEY");
    if (given == NULL)
        return &no_key;
    if (key != NULL && strcmp(given, key) != 0)
        return &other_key;
    if (host == NULL || strcmp(host, RAPIDAPI_HOST) != 0)
        return &no_api;
    if (strcmp(edge_request_rest(ctx), "/market-trends") != 0)
        return &no_endpoint;
    bool placed = edge_request_query(ctx, "state") != NULL || edge_request_query(ctx, "city") != NULL;
    return placed && edge_request_query(ctx, "geographyType") != NULL ? NULL : &no_place;
}

static json_t *trends(const char *state, const char *city, const char *type)
{
    size_t seed = (state != NULL ? strlen(state) : 0) * 7 + (city != NULL ? strlen(city) : 0) * 13;
    json_t *months = json_array();
    for (int month = 1; month <= MONTHS; month++)
        json_array_append_new(months,
            json_pack("{s:o, s:I, s:I, s:I}", "period", json_sprintf("2026-%02d", month), "medianSalePrice",
                (json_int_t)(300000 + seed * 1000 + (size_t)month * 500), "homesSold",
                (json_int_t)(100 + seed + (size_t)month), "medianDaysOnMarket", (json_int_t)(20 + seed % 40)));
    return json_pack("{s:b, s:{s:s?, s:s?, s:s, s:o}}", "status", 1, "data", "state", state, "city", city,
        "geographyType", type, "trends", months);
}

static json_t *sandbox_market(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, PROVIDER);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    const struct refusal *refusal = check_request(ctx);
    if (refusal != NULL)
        return sandbox_send_json(ctx, order, refusal->status, json_pack("{s:s}", "message", refusal->message));
    return sandbox_send_json(ctx, order, 200,
        trends(edge_request_query(ctx, "state"), edge_request_query(ctx, "city"),
            edge_request_query(ctx, "geographyType")));
}

EDGE_FUNCTION(sandbox_rapidapi_market,
    .summary = "Stand-in for Redfin's market data at RapidAPI",
    .handle = sandbox_market,
    .methods = "GET",
    .raw_body = true,
    .streams = true);
