/*
 * Rate limits, counted for the whole host in memory that its workers share.
 *
 * A limit of 60/min is a bucket of 60 that refills by one a second (GCRA, ITU-T I.371): a caller may use all of
 * it at once, and a minute's worth over any longer time. Each bucket is one 64-bit word, changed by one
 * compare-and-swap: there is no lock that a dying worker could hold, and no state it could leave half written.
 * A bucket that is full again is the same as none, so its place is anyone's to take. When a set of places has
 * no such bucket, the fullest one is forgotten: a crowded table errs on the caller's side.
 */
#ifndef HTTP_RATE_H
#define HTTP_RATE_H

#include <config/config.h>
#include <context.h>

struct rate_table;

/*
 * Makes the table in shared memory; by the supervisor, before it forks. slots: how many callers are told
 * apart at a time, rounded up to a power of two; 8 bytes each. NULL when memory is short.
 */
struct rate_table *rate_table_create(size_t slots);
void rate_table_free(struct rate_table *table);

/* Key of a bucket: scope's id (a user, an address, "") of a function. Keyed by a secret of the table. */
uint64_t rate_key(const struct rate_table *table, const char *function, enum rate_scope scope, const char *id);

/* Takes one call out of a bucket: 0, or the whole seconds until there is one. now_us is monotonic. */
uint32_t rate_take(struct rate_table *table, uint64_t key, const struct rate_limit *limit, int64_t now_us);

/* The table that this worker's invocations are counted in; NULL: none are. */
void rate_use(struct rate_table *table);

/*
 * Count the invocation against its function's limit; over it they fail with 429 "rate_limited" and Retry-After.
 *   rate_admit    before auth_identify: limits per address, which hold for guesses at a secret as well
 *   rate_enforce  behind it: limits per user, and in total, which nobody without a right to call uses up
 * A limit per user counts callers without a user by their address, and does not count the service. Addresses of
 * IPv6 count by their /64, which is what one subscriber has.
 */
void rate_admit(edge_ctx *ctx, const struct function_config *function);
void rate_enforce(edge_ctx *ctx, const struct function_config *function);

#endif
