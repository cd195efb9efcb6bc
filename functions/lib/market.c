/*
 * Market trends: the call, and its failures told apart. The provider's own words go to the log.
 */
#include "lib/market.h"

#include "lib/text.h"

#include <string.h>

#define PROVIDER "rapidapi_market"
#define KEY "RAPIDAPI_MARKET_METRICS_API_KEY"

/* RapidAPI routes by this name, so it stays what it is when the base URL does not. */
#define RAPIDAPI_HOST "redfin-com-data.p.rapidapi.com"

enum {
    TIMEOUT_MS = 10000,
    ANSWER_MAX = 2 * 1024 * 1024,
};

static const struct market_failure not_configured = { 503, "not_configured",
    "Market data is not configured: " KEY " is not set" };
static const struct market_failure timed_out = { 504, "provider_timeout",
    "The market data provider did not answer in time" };
static const struct market_failure rate_limited = { 429, "provider_rate_limited",
    "The market data provider's limit has been reached, try again later" };
static const struct market_failure rejected = { 422, "provider_rejected",
    "The market data provider has no data for this request" };
static const struct market_failure failed = { 502, "provider_error",
    "The market data provider failed to answer" };
const struct market_failure market_not_storable = { 502, "provider_error",
    "The market data provider's answer could not be used" };

/* As forms encode it: a blank is a plus sign. */
static void add_parameter(struct text *query, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    text_add_format(query, "%c%s=", query->length == 0 ? '?' : '&', name);
    const char *encoded = edge_url_encode(query->ctx, value);
    for (const char *blank; (blank = strstr(encoded, "%20")) != NULL; encoded = blank + 3) {
        text_add_bytes(query, encoded, (size_t)(blank - encoded));
        text_add(query, "+");
    }
    text_add(query, encoded);
}

static const struct market_failure *failure_of(const edge_reply *reply)
{
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        return &timed_out;
    if (reply->failure != EDGE_HTTP_OK)
        return &failed;
    if (reply->status >= 200 && reply->status <= 299)
        return NULL;
    if (reply->status == 429)
        return &rate_limited;
    return reply->status >= 400 && reply->status <= 499 ? &rejected : &failed;
}

static void log_failure(edge_ctx *ctx, const edge_reply *reply, const struct market_failure *failure)
{
    const char *words = reply->failure != EDGE_HTTP_OK ? reply->message : reply->body;
    edge_log(ctx, EDGE_LOG_WARN, "market_data_failed", { "code", edge_text(failure->code) },
        { "status", edge_int(reply->status) },
        { "detail", edge_text(words != NULL ? text_cut(ctx, words, 500) : NULL) });
}

json_t *market_trends(edge_ctx *ctx, const char *state, const char *city, const char *geography_type,
    const struct market_failure **failure)
{
    *failure = &not_configured;
    if (edge_env(ctx, KEY) == NULL)
        return NULL;

    struct text path = { .ctx = ctx };
    add_parameter(&path, "state", state);
    add_parameter(&path, "city", city);
    add_parameter(&path, "geographyType", geography_type);
    edge_reply *reply =
        edge_try_fetch(ctx, PROVIDER, .path = edge_format(ctx, "/market-trends%s", text_value(&path)),
            .headers = (const edge_header[]){ { "x-rapidapi-host", RAPIDAPI_HOST }, { 0 } },
            .timeout_ms = TIMEOUT_MS, .retries = -1, .max_bytes = ANSWER_MAX);

    *failure = failure_of(reply);
    json_t *raw = *failure == NULL ? edge_json_parse(ctx, reply->body, reply->length) : NULL;
    if (*failure == NULL && !json_is_object(raw) && !json_is_array(raw))
        *failure = &failed;
    if (*failure == NULL)
        return raw;
    log_failure(ctx, reply, *failure);
    return NULL;
}
