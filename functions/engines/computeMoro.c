/*
 * computeMoro: scores the opportunity of a user's market by the saved market settings (0..100), and keeps a
 * snapshot of it.
 *
 * Two round trips: the reads in one transaction as the user, the lock and the write in one as the service. A
 * dry run (persist: false) is the first one alone.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/engine.h"

enum {
    UNKNOWN_MARKET_SCORE = 50,
    UNKNOWN_WORD_SCORE = 15,
};

struct word_score {
    const char *word;
    double score;
};

static const struct word_score trends[] = {
    { "hot", 30 },
    { "warming", 22 },
    { "cooling", 8 },
    { "cold", 0 },
    { 0 },
};

static const struct word_score inventories[] = {
    { "low", 30 },
    { "moderate", 20 },
    { "high", 10 },
    { 0 },
};

static double score_of_word(const struct word_score *scores, const char *word)
{
    for (; word != NULL && scores->word != NULL; scores++)
        if (strcmp(scores->word, word) == 0)
            return scores->score;
    return UNKNOWN_WORD_SCORE;
}

/* Median days on market; 0 is what an empty form saves. */
static double score_of_days(const edge_rows *market)
{
    int64_t days = edge_rows_int(market, 0, "median_dom");
    if (days == 0)
        return 10;
    if (days < 30)
        return 20;
    if (days < 60)
        return 15;
    return days < 90 ? 10 : 5;
}

static double score_market(const edge_rows *market, json_t *metrics)
{
    double trend = score_of_word(trends, edge_rows_text(market, 0, "market_trend"));
    double inventory = score_of_word(inventories, edge_rows_text(market, 0, "inventory_level"));
    double days = score_of_days(market);
    double price = edge_rows_number(market, 0, "average_price") != 0 ? 20 : 0;

    json_object_set_new(metrics, "hasMarketConfig", json_true());
    json_object_set_new(metrics, "marketTrend", edge_rows_value(market, 0, "market_trend"));
    json_object_set_new(metrics, "inventoryLevel", edge_rows_value(market, 0, "inventory_level"));
    json_object_set_new(metrics, "medianDOM", edge_rows_value(market, 0, "median_dom"));
    json_object_set_new(metrics, "averagePrice", edge_rows_value(market, 0, "average_price"));
    engine_metric(metrics, "trendScore", trend);
    engine_metric(metrics, "inventoryScore", inventory);
    engine_metric(metrics, "domScore", days);
    engine_metric(metrics, "priceScore", price);
    return ((trend + inventory) + days) + price;
}

static json_t *compute_moro(edge_ctx *ctx, json_t *in)
{
    edge_rows *rows[2];
    edge_query_batch(ctx, rows, EDGE_SQL("SELECT id FROM profiles"),
        EDGE_SQL("SELECT market_trend, inventory_level, median_dom, average_price FROM market_config"));
    engine_require_profile(ctx, rows[0]);

    json_t *metrics = json_object();
    double score = UNKNOWN_MARKET_SCORE;
    if (edge_rows_count(rows[1]) > 0)
        score = score_market(rows[1], metrics);
    else
        json_object_set_new(metrics, "hasMarketConfig", json_false());

    return engine_answer(ctx, in, &engine_moro, score, metrics, engine_now(ctx));
}

EDGE_FUNCTION(computeMoro,
    .summary = "Scores the opportunity of a user's market",
    .input = engine_input,
    .output = engine_output,
    .handle = compute_moro);
