/*
 * What Lofty's leads and transactions become in our tables (spec crm.md, loftySync): one JSON object a row,
 * with the columns that lofty_state's statements read.
 */
#ifndef LIB_LOFTY_ROWS_H
#define LIB_LOFTY_ROWS_H

#include <edge/edge.h>

/* The row of a lead for contacts, of a deal for transactions; NULL when it has no id. */
json_t *lofty_contact(edge_ctx *ctx, const json_t *lead);
json_t *lofty_deal(edge_ctx *ctx, const json_t *transaction);

/* When it was changed last, Unix microseconds; false when that is not known. */
bool lofty_contact_changed(const json_t *lead, int64_t *at_us);
bool lofty_deal_changed(const json_t *transaction, int64_t *at_us);

#endif
