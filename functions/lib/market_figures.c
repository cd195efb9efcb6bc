/*
 * A market's figures.
 */
#include "lib/market_figures.h"

#include <math.h>
#include <string.h>

#include "lib/text.h"

#define NONE "N/A"

enum {
    TEXT_MAX = 60, /* of a figure that came as a text */
};

/* Whole, halves up, with commas between the thousands. */
static const char *with_commas(edge_ctx *ctx, double value)
{
    const char *digits = edge_format(ctx, "%.0f", floor(fabs(value) + 0.5));
    struct text out = { .ctx = ctx };
    if (value <= -0.5)
        text_add(&out, "-");
    for (size_t left = strlen(digits); left > 0; left--, digits++) {
        text_add_bytes(&out, digits, 1);
        if (left > 1 && left % 3 == 1)
            text_add(&out, ",");
    }
    return text_value(&out);
}

static bool is_there(const json_t *value)
{
    return json_is_number(value) || (json_is_string(value) && json_string_length(value) > 0);
}

/* A text as it is, a number with what is put before it. */
static const char *figure(edge_ctx *ctx, const json_t *value, const char *before, bool commas)
{
    if (!is_there(value))
        return NONE;
    if (json_is_string(value))
        return text_cut(ctx, json_string_value(value), TEXT_MAX);
    double number = json_number_value(value);
    return commas ? edge_format(ctx, "%s%s", before, with_commas(ctx, number))
                  : edge_format(ctx, "%.0f", floor(number + 0.5));
}

bool market_figures_of(edge_ctx *ctx, const json_t *price, const json_t *inventory, const json_t *days,
    const json_t *trend, struct market_figures *figures)
{
    *figures = (struct market_figures){
        .price = figure(ctx, price, "$", true),
        .inventory = figure(ctx, inventory, "", true),
        .days = figure(ctx, days, "", false),
        .trend = is_there(trend) ? figure(ctx, trend, "", true) : "flat",
    };
    return is_there(price) || is_there(inventory) || is_there(days);
}

static const json_t *either(const json_t *object, const char *name, const char *other)
{
    const json_t *value = json_object_get(object, name);
    return is_there(value) ? value : json_object_get(object, other);
}

bool market_figures_read(edge_ctx *ctx, const json_t *raw, struct market_figures *figures)
{
    const json_t *metrics = json_object_get(raw, "metrics");
    const json_t *from = json_is_object(metrics) ? metrics : raw;
    return market_figures_of(ctx, either(from, "median_sale_price", "medianPrice"),
        either(from, "inventory", "inventory_level"), either(from, "days_on_market", "dom"),
        either(from, "price_trend", "priceTrend"), figures);
}
