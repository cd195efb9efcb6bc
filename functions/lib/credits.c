/*
 * Bookings. spend_credits takes and grant_credits gives: two functions of one ledger, so one of two statements.
 */
#include "lib/credits.h"

#include <string.h>

#define BOOKED                                                                                                 \
    "SELECT outcome, previous_balance, new_balance, amount_changed, transaction_id, replayed"                  \
    " FROM public."

static const char spend[] =
    BOOKED "spend_credits($1, $2, $3, $4, $5, _idempotency_key => $6, _allow_partial => $7 = 'collect')";
static const char grant[] =
    BOOKED "grant_credits($1, $2, $3, $4, $5, _idempotency_key => $6, _operation => $7)";

static const struct credit_change *read_change(edge_ctx *ctx, const edge_rows *rows)
{
    struct credit_change *change = edge_alloc(ctx, sizeof *change);
    *change = (struct credit_change){
        .outcome = edge_rows_text(rows, 0, "outcome"),
        .previous_balance = edge_rows_int(rows, 0, "previous_balance"),
        .new_balance = edge_rows_int(rows, 0, "new_balance"),
        .amount_changed = edge_rows_int(rows, 0, "amount_changed"),
        .transaction_id = edge_rows_text(rows, 0, "transaction_id"),
        .replayed = edge_rows_bool(rows, 0, "replayed"),
    };
    return change;
}

static const char *statement(const struct credit_booking *booking)
{
    bool takes = strcmp(booking->operation, "deduct") == 0 || strcmp(booking->operation, "collect") == 0;
    return takes ? spend : grant;
}

#define ARGUMENTS(booking)                                                                                     \
    edge_text((booking)->user), edge_int((booking)->amount), edge_text((booking)->type),                       \
        edge_text((booking)->description), edge_json((booking)->metadata), edge_text((booking)->key),          \
        edge_text((booking)->operation)

const struct credit_change *credits_book(edge_ctx *ctx, const struct credit_booking *booking)
{
    return read_change(ctx, edge_service_query(ctx, statement(booking), ARGUMENTS(booking)));
}

const struct credit_change *credits_book_in(edge_ctx *ctx, edge_tx *tx, const struct credit_booking *booking)
{
    return read_change(ctx, edge_tx_query(tx, statement(booking), ARGUMENTS(booking)));
}

void credits_require(edge_ctx *ctx, const struct credit_booking *booking, const struct credit_change *change)
{
    if (strcmp(change->outcome, "ok") == 0)
        return;
    if (strcmp(change->outcome, "insufficient_credits") == 0)
        edge_fail_with(ctx, 402, "insufficient_credits", .message = "Insufficient credits",
            .extra = json_pack("{s:I, s:I}", "currentBalance", (json_int_t)change->previous_balance, "required",
                (json_int_t)booking->amount));
    if (strcmp(change->outcome, "user_not_found") == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", booking->user);
    if (strcmp(change->outcome, "idempotency_conflict") == 0)
        edge_fail(ctx, 409, "idempotency_conflict", "The idempotency key was used for another booking");
    edge_fail(ctx, 409, change->outcome, "A balance is at most 1000000000 credits");
}
