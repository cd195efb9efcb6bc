/*
 * Market trends of a territory (provider rapidapi_market: Redfin's data, sold at RapidAPI). One call, never
 * repeated by us; what goes wrong is a value, because whoever asks may have older data to show.
 */
#ifndef LIB_MARKET_H
#define LIB_MARKET_H

#include <edge/edge.h>

/* Why there is no data: an error answer in the making. */
struct market_failure {
    int status;
    const char *code, *message;
};

extern const struct market_failure market_not_storable;

/*
 * The trends as the provider tells them, an object or array; NULL with *failure set. state and city may be NULL
 * or empty. Parks for 10 s at most.
 */
json_t *market_trends(edge_ctx *ctx, const char *state, const char *city, const char *geography_type,
    const struct market_failure **failure);

#endif
