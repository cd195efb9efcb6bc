/*
 * What closed transactions add up to: the one rule of which count, on whose side, and for how much. The sums
 * are JavaScript's, row by row, so rows come in a fixed order.
 */
#ifndef LIB_CLOSED_DEALS_H
#define LIB_CLOSED_DEALS_H

#include <edge/edge.h>

/* Columns, and the condition for a row to count; for statements on transactions. */
#define CLOSED_DEAL_COLUMNS                                                                                    \
    "commission_amount,"                                                                                       \
    " CASE WHEN lower(transaction_type) LIKE '%buyer%' THEN 'buyer'"                                           \
    " WHEN lower(transaction_type) ~ 'listing|seller' THEN 'listing' END AS side,"                             \
    " coalesce(nullif(metadata -> 'sale_price', 'null'), nullif(metadata -> 'sales_price', 'null'),"           \
    " nullif(metadata -> 'close_price', 'null'), nullif(metadata -> 'price', 'null')) AS price"
#define CLOSED_DEAL_CONDITION "lower(status) ~ 'closed|completed|won|finished|settled'"

struct closed_deals {
    double gci, deals, buyers, listings, volume;
};

/* Adds rows of the columns above. */
void closed_deals_add(struct closed_deals *sums, const edge_rows *rows);

#endif
