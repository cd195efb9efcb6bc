/*
 * A market's figures as people read them (spec events.md, triggerMarketUpdateEmails): out of what the provider
 * told, or out of what the user has set up.
 */
#ifndef LIB_MARKET_FIGURES_H
#define LIB_MARKET_FIGURES_H

#include <edge/edge.h>

struct market_figures {
    const char *price, *inventory, *days, *trend;
};

/*
 * Reads them from raw market data; a missing one is "N/A", a missing trend "flat". False when there is neither
 * price nor inventory nor days: nothing worth a mail.
 */
bool market_figures_read(edge_ctx *ctx, const json_t *raw, struct market_figures *figures);

/* The same from values by their own names; each may be NULL. */
bool market_figures_of(edge_ctx *ctx, const json_t *price, const json_t *inventory, const json_t *days,
    const json_t *trend, struct market_figures *figures);

#endif
