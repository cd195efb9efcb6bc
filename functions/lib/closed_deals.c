/*
 * Sums of closed transactions.
 */
#include "lib/closed_deals.h"

#include "lib/number.h"

#include <math.h>
#include <string.h>

static double price_of(const json_t *price)
{
    double value = 0;
    if (json_is_number(price))
        value = json_number_value(price);
    else if (json_is_string(price))
        value = number_read(json_string_value(price), 0);
    return isfinite(value) ? value : 0;
}

void closed_deals_add(struct closed_deals *sums, const edge_rows *rows)
{
    for (size_t i = 0; i < edge_rows_count(rows); i++) {
        const char *side = edge_rows_text(rows, i, "side");
        sums->deals++;
        sums->buyers += side != NULL && strcmp(side, "buyer") == 0;
        sums->listings += side != NULL && strcmp(side, "listing") == 0;
        sums->gci += edge_rows_number(rows, i, "commission_amount");
        sums->volume += price_of(edge_rows_value(rows, i, "price"));
    }
}
