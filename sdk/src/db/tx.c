/*
 * Explicit transactions, as blocks that may run again.
 *
 * Nothing is sent when the block is entered: BEGIN, role and claims travel with its first statement, COMMIT
 * with what is still queued at its end. The connection is the transaction's from the first statement on; it
 * goes back to the pool clean, by COMMIT or by a ROLLBACK that nobody waits for.
 *
 * A retry is a longjmp from the statement that failed to the head of the block. Both are in frames of the same
 * fiber and the jump goes up its stack, so the frames it lands in are alive; that is why a transaction
 * refuses to be used by another fiber than the one that opened it.
 */
#include "db/tx.h"

#include <edge/log.h>
#include <edge/task.h>

#include "db/connection.h"
#include "db/pool.h"

#include <string.h>

static void release(void *arg)
{
    db_connection_release(arg);
}

/* Rolls back without waiting for it. */
static void let_go(struct edge_tx *tx)
{
    tx->queued_count = 0;
    tx->begun = false;
    if (tx->connection != NULL)
        fiber_on_loop(release, tx->connection);
}

/* The function believes that its work is done, and it is undone: whoever runs it is to know. */
static void report(edge_tx *tx)
{
    bool copies = tx->connection != NULL && tx->connection->copy != NULL;
    tx->ctx->usage.defect_count++;
    edge_log(tx->ctx, EDGE_LOG_WARN, "transaction_left_open",
        { "of", edge_text(copies                 ? "copy"
                          : tx->cursor_count > 0 ? "cursor"
                                                 : "transaction") });
}

/* The invocation has ended inside the block. One that failed, or was ended, could do nothing about it. */
static void invocation_ended(void *arg)
{
    struct edge_tx *tx = arg;
    if (tx->state == TX_OPEN && !tx->ctx->cut_short && (tx->begun || tx->queued_count > 0))
        report(tx);
    tx->state = TX_FINISHED;
    let_go(tx);
}

edge_tx *edge_tx_begin(edge_ctx *ctx, const edge_tx_options *options)
{
    struct edge_tx *tx = edge_alloc(ctx, sizeof *tx);
    tx->ctx = ctx;
    tx->fiber = fiber_current();
    tx->options = *options;
    /* Background work runs after the answer, when what is run at the answer has been. */
    if (ctx->finished)
        edge_defer(ctx, invocation_ended, tx);
    else
        context_at_finish(ctx, invocation_ended, tx);
    return tx;
}

jmp_buf *edge_tx_retry_point(edge_tx *tx)
{
    return &tx->retry_point;
}

static const char *begin_text(const edge_tx_options *options)
{
    static const char *const texts[][2] = {
        [EDGE_READ_COMMITTED] = { "BEGIN ISOLATION LEVEL READ COMMITTED",
            "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY" },
        [EDGE_REPEATABLE_READ] = { "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" },
        [EDGE_SERIALIZABLE] = { "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY" },
    };
    return texts[options->isolation][options->read_only];
}

void tx_check(const edge_tx *tx)
{
    if (tx->fiber != fiber_current())
        context_fail_detail(
            tx->ctx, 500, "internal_error", "A transaction belongs to the task that opened it", NULL);
    if (tx->state != TX_OPEN)
        context_fail_detail(tx->ctx, 500, "internal_error", "The transaction has ended", NULL);
}

/* Adds to what goes out next. The array doubles; what it leaves behind is the arena's. */
void tx_queue(edge_tx *tx, const struct bound_statement *statement)
{
    if (tx->queued_count == tx->queued_size) {
        size_t size = tx->queued_size == 0 ? 4 : tx->queued_size * 2;
        struct bound_statement *grown = edge_alloc(tx->ctx, size * sizeof *grown);
        if (tx->queued_count > 0)
            memcpy(grown, tx->queued, tx->queued_count * sizeof *grown);
        tx->queued = grown;
        tx->queued_size = size;
    }
    tx->queued[tx->queued_count++] = *statement;
}

static bool may_retry(const edge_tx *tx, const struct db_failure *failure)
{
    return tx->attempts < tx->options.retries && failure->kind == DB_REFUSED &&
           (strcmp(failure->sqlstate, "40001") == 0 || strcmp(failure->sqlstate, "40P01") == 0);
}

/* Waits 10 ms, 20 ms, 40 ms …, less some jitter, so that those who collided do not meet again. */
EDGE_NORETURN static void retry(edge_tx *tx)
{
    let_go(tx);
    tx->state = TX_READY;
    int doubled = tx->attempts < 6 ? tx->attempts : 6;
    tx->attempts++;
    edge_sleep(tx->ctx, (int64_t)(pool_jitter(0.02 * (1 << doubled)) * 1000));
    longjmp(tx->retry_point, 1);
}

void tx_failed(edge_tx *tx, struct operation *operation)
{
    if (may_retry(tx, &operation->failures[0]))
        retry(tx);
    tx->state = TX_FINISHED;
    let_go(tx);
    failure_end(operation, operation->failures[0].statement);
}

/* Sends what is queued; operation says how it went. */
static void run(edge_tx *tx, struct operation *operation)
{
    if (tx->connection != NULL && tx->connection->copy != NULL)
        context_fail_detail(
            tx->ctx, 500, "internal_error", "A transaction does nothing else before its COPY has ended", NULL);
    if (tx->caller.claims == NULL)
        tx->caller = caller_of(tx->ctx, tx->options.service);
    operation->ctx = tx->ctx;
    operation->caller = tx->caller;
    operation->statements = tx->queued;
    operation->count = tx->queued_count;
    operation->holder = &tx->connection;
    operation->begin = tx->begun ? NULL : begin_text(&tx->options);
    if (tx->begun && tx->connection == NULL) {
        operation->failures[0] =
            (struct db_failure){ .kind = DB_UNAVAILABLE, .message = "the transaction's connection broke" };
    } else {
        tx->begun = true;
        operation_run(operation);
    }
}

void tx_run(edge_tx *tx, edge_rows **rows, struct arena *arena, bool commit)
{
    struct db_failure failure = { 0 };
    struct operation operation = { .rows = rows, .arena = arena, .failures = &failure, .commit = commit };
    run(tx, &operation);
    if (failure.kind != DB_NO_FAILURE)
        tx_failed(tx, &operation);
    tx->queued_count = 0;
}

bool edge_tx_next(edge_tx *tx)
{
    if (tx->state == TX_READY) {
        tx->state = TX_OPEN;
        return true;
    }
    if (tx->state == TX_OPEN) {
        tx_check(tx);
        if (tx->begun || tx->queued_count > 0)
            tx_run(tx, NULL, NULL, true);
        tx->state = TX_FINISHED;
        let_go(tx);
    }
    return false;
}

edge_rows *edge_tx_query_args(edge_tx *tx, const char *sql, const edge_arg *args, size_t count)
{
    tx_check(tx);
    struct bound_statement statement = bind_statement(tx->ctx, sql, args, count);
    tx_queue(tx, &statement);
    edge_rows **rows = edge_alloc(tx->ctx, tx->queued_count * sizeof *rows);
    size_t last = tx->queued_count - 1;
    tx_run(tx, rows, &tx->ctx->arena, false);
    return rows[last];
}

bool edge_tx_try_query_all(
    edge_tx *tx, edge_error *error, edge_rows **rows, const edge_statement *statements, size_t count)
{
    tx_check(tx);
    size_t before = tx->queued_count;
    for (size_t i = 0; i < count; i++) {
        struct bound_statement statement =
            bind_statement(tx->ctx, statements[i].sql, statements[i].args, statements[i].count);
        tx_queue(tx, &statement);
    }
    if (tx->queued_count == 0)
        return true;
    edge_rows **all = edge_alloc(tx->ctx, tx->queued_count * sizeof *all);
    struct db_failure failure = { 0 };
    struct operation operation = { .rows = all, .arena = &tx->ctx->arena, .failures = &failure };
    run(tx, &operation);

    if (failure.kind == DB_NO_FAILURE) {
        memcpy(rows, all + before, count * sizeof *rows);
        tx->queued_count = 0;
        return true;
    }
    if (may_retry(tx, &failure) || failure_ends(&failure))
        tx_failed(tx, &operation);
    tx->state = TX_FINISHED;
    let_go(tx);
    failure_describe(&operation, failure.statement, error);
    return false;
}

/* Texts are borrowed until the call returns, so those that wait to be sent are copied. */
static void keep_texts(edge_tx *tx, struct bound_statement *statement)
{
    struct param *params = (struct param *)statement->params;
    for (size_t i = 0; i < statement->count; i++) {
        struct param *param = &params[i];
        if (param->data == NULL || param->null)
            continue;
        size_t length = param->binary ? (size_t)param->length : strlen(param->data);
        param->data = edge_copy_bytes(tx->ctx, param->data, length);
    }
}

struct bound_statement tx_bind(edge_tx *tx, const char *sql, const edge_arg *args, size_t count)
{
    struct bound_statement statement = bind_statement(tx->ctx, sql, args, count);
    keep_texts(tx, &statement);
    return statement;
}

void edge_tx_send_args(edge_tx *tx, const char *sql, const edge_arg *args, size_t count)
{
    tx_check(tx);
    struct bound_statement statement = tx_bind(tx, sql, args, count);
    tx_queue(tx, &statement);
}

void edge_tx_rollback(edge_tx *tx)
{
    tx_check(tx);
    tx->state = TX_FINISHED;
    let_go(tx);
}

void edge_tx_leave(edge_tx **tx)
{
    if ((*tx)->state == TX_OPEN && (*tx)->fiber == fiber_current())
        edge_tx_rollback(*tx);
}
