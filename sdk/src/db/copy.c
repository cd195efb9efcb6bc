/*
 * COPY for functions: straight-line code over copy_wire.c.
 *
 * A copy is a statement of a transaction, its own or the function's. Time: the server's limit is what is left
 * to the invocation, not [database].statement_timeout, for how long it takes is also the reader's doing.
 */
#include "db/copy.h"

#include <stdio.h>

struct copy_wait {
    struct fiber_wait wait; /* first member: what abandon gets */
    struct edge_copier *copy;
};

/* The transaction's end, which follows, closes the connection. */
static void abandoned(struct fiber_wait *wait)
{
    ((struct copy_wait *)(void *)wait)->copy->parked = NULL;
}

/* Its connection may have been lost while the function was elsewhere. */
static void check_failure(edge_copier *copy)
{
    if (copy->failure.kind != DB_NO_FAILURE)
        tx_failed(copy->tx, &copy->operation);
}

void copy_do(struct edge_copier *copy, void (*step)(void *copy))
{
    edge_ctx *ctx = copy->tx->ctx;
    tx_check(copy->tx);
    struct copy_wait parked = { .wait = { .abandon = abandoned, .reason = "copy" }, .copy = copy };
    int64_t since_us = clock_us();
    copy->parked = &parked.wait;
    fiber_on_loop(step, copy);
    fiber_wait(&parked.wait);
    ctx->usage.db_us += clock_us() - since_us;
    check_failure(copy);
}

static void free_piece(void *arg)
{
    buffer_free(&((struct edge_copier *)arg)->piece);
}

/* What is left to the deadline is the server's limit; this also sends what the transaction has queued. */
static void prepare(edge_copier *copy)
{
    edge_ctx *ctx = copy->tx->ctx;
    int64_t left_ms = context_remaining_ms(ctx);
    copy->operation.timeout_ms = left_ms > INT32_MAX ? 0 : left_ms;
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)copy->operation.timeout_ms);
    edge_tx_query(copy->tx, "SELECT set_config('statement_timeout', $1, true)", edge_text(limit));
}

static edge_copier *start(edge_tx *tx, bool own, bool wants_out, const char *sql)
{
    edge_copier *copy = edge_alloc(tx->ctx, sizeof *copy);
    copy->tx = tx;
    copy->own = own;
    copy->wants_out = wants_out;
    copy->statement.sql = sql;
    copy->operation = (struct operation){
        .ctx = tx->ctx,
        .statements = &copy->statement,
        .count = 1,
        .failures = &copy->failure,
    };
    edge_defer(tx->ctx, free_piece, copy);
    prepare(copy);
    tx->ctx->usage.query_count++;
    copy_do(copy, copy_send_statement);
    return copy;
}

static edge_copier *start_alone(edge_ctx *ctx, bool service, bool wants_out, const char *sql)
{
    edge_tx *tx = edge_tx_begin(ctx, &(const edge_tx_options){ .service = service });
    edge_tx_next(tx);
    return start(tx, true, wants_out, sql);
}

edge_copier *edge_copy_in(edge_ctx *ctx, const char *sql)
{
    return start_alone(ctx, false, false, sql);
}

edge_copier *edge_service_copy_in(edge_ctx *ctx, const char *sql)
{
    return start_alone(ctx, true, false, sql);
}

edge_copier *edge_tx_copy_in(edge_tx *tx, const char *sql)
{
    return start(tx, false, false, sql);
}

edge_copier *edge_copy_out(edge_ctx *ctx, const char *sql)
{
    return start_alone(ctx, false, true, sql);
}

edge_copier *edge_service_copy_out(edge_ctx *ctx, const char *sql)
{
    return start_alone(ctx, true, true, sql);
}

edge_copier *edge_tx_copy_out(edge_tx *tx, const char *sql)
{
    return start(tx, false, true, sql);
}

void copy_check(edge_copier *copy, bool out)
{
    check_failure(copy);
    if (copy->wants_out != out || (copy->state == COPY_ENDED && !out))
        context_fail_detail(copy->tx->ctx, 500, "internal_error",
            out ? "What is copied in cannot be read" : "Nothing can be written to this copy", NULL);
}

/* An own transaction ends with its copy. */
static void finish(edge_copier *copy)
{
    buffer_free(&copy->piece);
    if (copy->own && copy->tx->state == TX_OPEN)
        edge_tx_next(copy->tx);
}

void edge_copy_write(edge_copier *copy, const void *data, size_t length)
{
    copy_check(copy, false);
    for (const char *from = data; length > 0;) {
        size_t left = copy->piece.length < COPY_PIECE_BYTES ? COPY_PIECE_BYTES - copy->piece.length : 0;
        size_t part = length < left ? length : left;
        if (part > 0 && !buffer_put(&copy->piece, from, part))
            edge_fail(copy->tx->ctx, 503, "overloaded", "The host is out of memory");
        from += part;
        length -= part;
        if (copy->piece.length >= COPY_PIECE_BYTES)
            copy_do(copy, copy_send_piece);
    }
}

const char *edge_copy_read(edge_copier *copy, size_t *length)
{
    copy_check(copy, true);
    if (copy->state != COPY_ENDED)
        copy_do(copy, copy_want_piece);
    *length = copy->piece.length;
    if (copy->piece.length > 0 && copy->state != COPY_ENDED)
        return copy->piece.data;
    *length = 0;
    finish(copy);
    return NULL;
}

/* What was not read: of an own transaction the connection goes with it, another one is to go on. */
static void stop_reading(edge_copier *copy)
{
    size_t length = 0;
    if (copy->own) {
        edge_tx_rollback(copy->tx);
        copy->failure = (struct db_failure){ 0 };
        return;
    }
    while (edge_copy_read(copy, &length) != NULL)
        continue;
}

size_t edge_copy_end(edge_copier *copy)
{
    check_failure(copy);
    if (copy->state == COPY_IN) {
        if (copy->piece.length > 0)
            copy_do(copy, copy_send_piece);
        copy_do(copy, copy_send_end);
    } else if (copy->state != COPY_ENDED) {
        stop_reading(copy);
    }
    finish(copy);
    return copy->rows;
}
