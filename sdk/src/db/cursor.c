/*
 * Large results in batches: DECLARE CURSOR in a transaction, a FETCH a batch.
 *
 * Each batch has an arena of its own, which is emptied before the next one comes, so an invocation that reads a
 * million rows holds some hundred of them. DECLARE travels with the first FETCH (and with BEGIN), so a result
 * that fits into one batch costs one round trip, and one for the end of its transaction.
 */
#include "db/tx.h"

#include <string.h>

struct edge_cursor {
    edge_tx *tx;
    bool own;  /* the transaction is the cursor's */
    bool over; /* nothing is left to be fetched */
    size_t fetch_size;
    const char *close;
    struct bound_statement fetch;
    struct arena batch;
};

static void drop_batch(void *arg)
{
    arena_free(&((struct edge_cursor *)arg)->batch);
}

static edge_cursor *open_cursor(
    edge_tx *tx, bool own, size_t fetch_size, const char *sql, const edge_arg *args, size_t count)
{
    edge_ctx *ctx = tx->ctx;
    tx_check(tx);
    edge_cursor *cursor = edge_alloc(ctx, sizeof *cursor);
    *cursor = (edge_cursor){ .tx = tx, .own = own, .fetch_size = fetch_size > 0 ? fetch_size : 1 };
    unsigned number = ++tx->cursor_count;
    cursor->close = edge_format(ctx, "CLOSE edge_cursor_%u", number);
    cursor->fetch = (struct bound_statement){
        .sql = edge_format(ctx, "FETCH FORWARD %zu FROM edge_cursor_%u", cursor->fetch_size, number),
        .unnamed = true,
    };
    edge_defer(ctx, drop_batch, cursor);

    struct bound_statement declare = tx_bind(
        tx, edge_format(ctx, "DECLARE edge_cursor_%u NO SCROLL CURSOR FOR %s", number, sql), args, count);
    declare.unnamed = true;
    tx_queue(tx, &declare);
    return cursor;
}

edge_cursor *edge_tx_cursor_args(
    edge_tx *tx, size_t fetch_size, const char *sql, const edge_arg *args, size_t count)
{
    return open_cursor(tx, false, fetch_size, sql, args, count);
}

static edge_cursor *open_alone(
    edge_ctx *ctx, bool service, size_t fetch_size, const char *sql, const edge_arg *args, size_t count)
{
    edge_tx *tx = edge_tx_begin(ctx, &(const edge_tx_options){ .service = service });
    edge_tx_next(tx);
    return open_cursor(tx, true, fetch_size, sql, args, count);
}

edge_cursor *edge_query_cursor_args(
    edge_ctx *ctx, size_t fetch_size, const char *sql, const edge_arg *args, size_t count)
{
    return open_alone(ctx, false, fetch_size, sql, args, count);
}

edge_cursor *edge_service_query_cursor_args(
    edge_ctx *ctx, size_t fetch_size, const char *sql, const edge_arg *args, size_t count)
{
    return open_alone(ctx, true, fetch_size, sql, args, count);
}

/* The last batch's memory goes; the next one may take what the invocation has left. */
static void renew_batch(edge_cursor *cursor)
{
    const struct arena *whole = &cursor->tx->ctx->arena;
    arena_free(&cursor->batch);
    arena_init(
        &cursor->batch, whole->limit_bytes > whole->used_bytes ? whole->limit_bytes - whole->used_bytes : 0);
}

static edge_rows *fetch(edge_cursor *cursor)
{
    edge_tx *tx = cursor->tx;
    tx_check(tx);
    renew_batch(cursor);
    tx_queue(tx, &cursor->fetch);

    /* Alone it is after the first time, as long as nothing else is queued: then a batch takes no memory here.
     */
    edge_rows *single = NULL;
    size_t last = tx->queued_count - 1;
    edge_rows **rows = last == 0 ? &single : edge_alloc(tx->ctx, (last + 1) * sizeof *rows);
    tx_run(tx, rows, &cursor->batch, false);
    return rows[last];
}

edge_rows *edge_cursor_next(edge_cursor *cursor)
{
    if (!cursor->over) {
        edge_rows *rows = fetch(cursor);
        cursor->over = edge_rows_count(rows) < cursor->fetch_size;
        if (edge_rows_count(rows) > 0)
            return rows;
    }
    edge_cursor_close(cursor);
    return NULL;
}

void edge_cursor_close(edge_cursor *cursor)
{
    arena_free(&cursor->batch);
    cursor->over = true;
    if (cursor->close == NULL || cursor->tx->state != TX_OPEN)
        return;
    if (cursor->own)
        edge_tx_next(cursor->tx);
    else
        edge_tx_send(cursor->tx, cursor->close);
    cursor->close = NULL;
}
