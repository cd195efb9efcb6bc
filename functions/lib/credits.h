/*
 * The credit ledger (data.md D6): every change of a balance, with its ledger row, in one statement. The
 * database decides all of it under the balance row's lock (sql/migrations/0009_credits.sql).
 *
 *     const struct credit_change *change = credits_book(ctx,
 *         &(struct credit_booking){ .user = user, .operation = "deduct", .amount = 15 });
 *     credits_require(ctx, &booking, change);
 */
#ifndef LIB_CREDITS_H
#define LIB_CREDITS_H

#include <edge/edge.h>

/* What to book; the service's right, so who may is to be checked before. */
struct credit_booking {
    const char *user;
    const char *operation; /* deduct, collect (what there is of amount), add, refund, set, adjust */
    int64_t amount;
    const char *type; /* transaction_type; NULL: what the operation is called */
    const char *description;
    const json_t *metadata; /* object, may be NULL; operation, requested_amount and key are added */
    const char *key;        /* of idempotency, NULL without */
};

struct credit_change {
    const char *outcome; /* "ok", or what credits_require fails with */
    int64_t previous_balance, new_balance, amount_changed;
    const char *transaction_id; /* NULL when the balance stayed the same */
    bool replayed;
};

/* What a change's answer tells, as members of an output table. */
#define CREDIT_CHANGE_FIELDS                                                                                   \
    { "previousBalance", EDGE_INT, .help = "Before the change" },                                              \
        { "newBalance", EDGE_INT, .help = "After it" },                                                        \
        { "amountChanged", EDGE_INT, .help = "Difference of both" },                                           \
    {                                                                                                          \
        "replayed", EDGE_BOOL, .help = "true: booked by an earlier call with this idempotency key"             \
    }

/* Books in a transaction of its own, or in an open one of the service. */
EDGE_RETURNS_NONNULL const struct credit_change *credits_book(
    edge_ctx *ctx, const struct credit_booking *booking);
EDGE_RETURNS_NONNULL const struct credit_change *credits_book_in(
    edge_ctx *ctx, edge_tx *tx, const struct credit_booking *booking);

/*
 * Returns when the outcome is "ok", else ends the invocation: 402 "insufficient_credits" with currentBalance
 * and required, 404 "user_not_found", 409 "idempotency_conflict", 409 "balance_limit".
 */
void credits_require(edge_ctx *ctx, const struct credit_booking *booking, const struct credit_change *change);

#endif
