/*
 * Postgres for functions. Statements run on the worker's pool; a call parks its fiber until the answer is
 * here, so the code around it stays in one piece.
 *
 * Two identities, two prefixes:
 *   edge_query          the caller: role "authenticated" (or "anon"), row security applies
 *   edge_service_query  the service: bypasses row security; for webhooks, cron, admin
 *
 * Every statement, or group of statements, is one transaction and one round trip: role, claims and statements
 * travel in one pipeline. Everything returned is owned by the invocation: valid until it ends, never freed.
 *
 * Failures that a call ends the invocation with:
 *   503 "database_busy"         no connection came free within [database].acquire_timeout
 *   503 "database_unavailable"  the server cannot be reached, or the connection broke
 *   504 "timeout"               the invocation's deadline passed; the statement has been cancelled
 *   500 "memory_limit"          the answer does not fit into the function's memory
 *   500 "internal_error"        anything else; SQLSTATE and statement go to the log, never to the client
 *
 * Of these, "database_unavailable", "timeout" and "memory_limit" say nothing about whether a statement that
 * writes has been committed: the answer is lost, and the server may have been done. To be sure that too large
 * an answer undoes what was written, ask for it in a transaction, which commits only after its answers are
 * here.
 */
#ifndef EDGE_DB_H
#define EDGE_DB_H

#include <edge/base.h>

#include <setjmp.h>

#pragma GCC visibility push(default)

typedef struct edge_rows edge_rows; /* a result: zero or more rows, columns by name */
typedef struct edge_tx edge_tx;     /* an open transaction */

#define EDGE_MAX_ARGS 64

/*
 * Runs one statement as the caller and returns its rows, in the statement's order.
 *
 * sql  One statement, parameters $1..$n; constant text only (it is the key of the prepared-statement cache),
 *      never built from input.
 * ...  One edge_arg per parameter, at most EDGE_MAX_ARGS. Their types are sent, so $1 needs no cast.
 *
 * edge_int is sent as integer (as bigint when it does not fit), edge_number as numeric, edge_text as text,
 * edge_null as whatever is wanted there. Where that is not the column's type, cast: $1::interval. A list is one
 * parameter: id = ANY($1) with edge_uuids.
 *
 * A violation you expect is not an error: write ON CONFLICT, or call edge_try_query.
 *
 *     edge_rows *open = edge_query(ctx, "SELECT id FROM goals WHERE status = $1", edge_text("active"));
 */
#define edge_query(ctx, sql, ...) edge_query_args((ctx), (sql), EDGE_ARGS(__VA_ARGS__))
#define edge_service_query(ctx, sql, ...) edge_service_query_args((ctx), (sql), EDGE_ARGS(__VA_ARGS__))
EDGE_RETURNS_NONNULL edge_rows *edge_query_args(
    edge_ctx *ctx, const char *sql, const edge_arg *args, size_t count);
EDGE_RETURNS_NONNULL edge_rows *edge_service_query_args(
    edge_ctx *ctx, const char *sql, const edge_arg *args, size_t count);

/*
 * As above, but returns when the statement fails: NULL, with *error filled (detail is the SQLSTATE).
 * Deadline and disconnect still end the invocation: nobody is left to carry on for.
 */
#define edge_try_query(ctx, error, sql, ...) edge_try_query_args((ctx), (error), (sql), EDGE_ARGS(__VA_ARGS__))
#define edge_try_service_query(ctx, error, sql, ...)                                                           \
    edge_try_service_query_args((ctx), (error), (sql), EDGE_ARGS(__VA_ARGS__))
EDGE_MUST_USE edge_rows *edge_try_query_args(
    edge_ctx *ctx, edge_error *error, const char *sql, const edge_arg *args, size_t count);
EDGE_MUST_USE edge_rows *edge_try_service_query_args(
    edge_ctx *ctx, edge_error *error, const char *sql, const edge_arg *args, size_t count);

/* One statement of a batch, made by EDGE_SQL. */
typedef struct edge_statement {
    const char *sql;
    const edge_arg *args;
    size_t count;
} edge_statement;

#define EDGE_SQL(sql, ...)                                                                                     \
    {                                                                                                          \
        (sql), EDGE_ARGS(__VA_ARGS__)                                                                          \
    }

/*
 * Runs several statements in one transaction and one round trip, in order; rows[i] is the answer of the i-th.
 * One that fails ends the invocation and undoes all.
 *
 *     edge_rows *rows[2];
 *     edge_query_batch(ctx, rows, EDGE_SQL("SELECT ... $1", edge_text(id)), EDGE_SQL("SELECT ..."));
 */
#define edge_query_batch(ctx, rows, ...)                                                                       \
    edge_query_all((ctx), (rows), (const edge_statement[]){ __VA_ARGS__ },                                     \
        sizeof((const edge_statement[]){ __VA_ARGS__ }) / sizeof(edge_statement))
#define edge_service_query_batch(ctx, rows, ...)                                                               \
    edge_service_query_all((ctx), (rows), (const edge_statement[]){ __VA_ARGS__ },                             \
        sizeof((const edge_statement[]){ __VA_ARGS__ }) / sizeof(edge_statement))
void edge_query_all(edge_ctx *ctx, edge_rows **rows, const edge_statement *statements, size_t count);
void edge_service_query_all(edge_ctx *ctx, edge_rows **rows, const edge_statement *statements, size_t count);

/*
 * As edge_query_batch, but returns when a statement fails: false, with *error filled, and nothing of the batch
 * is kept. Deadline and disconnect still end the invocation.
 */
#define edge_try_query_batch(ctx, error, rows, ...)                                                            \
    edge_try_query_together((ctx), (error), (rows), (const edge_statement[]){ __VA_ARGS__ },                   \
        sizeof((const edge_statement[]){ __VA_ARGS__ }) / sizeof(edge_statement))
#define edge_try_service_query_batch(ctx, error, rows, ...)                                                    \
    edge_try_service_query_together((ctx), (error), (rows), (const edge_statement[]){ __VA_ARGS__ },           \
        sizeof((const edge_statement[]){ __VA_ARGS__ }) / sizeof(edge_statement))
EDGE_MUST_USE bool edge_try_query_together(
    edge_ctx *ctx, edge_error *error, edge_rows **rows, const edge_statement *statements, size_t count);
EDGE_MUST_USE bool edge_try_service_query_together(
    edge_ctx *ctx, edge_error *error, edge_rows **rows, const edge_statement *statements, size_t count);

/*
 * As edge_query_all, but each statement stands alone: in a transaction of its own, in the same round trip. A
 * statement that fails leaves rows[i] NULL and errors[i] filled; the others are not touched by it.
 */
void edge_try_query_all(
    edge_ctx *ctx, edge_rows **rows, edge_error *errors, const edge_statement *statements, size_t count);

/* How a transaction is opened; zero members are the defaults. */
typedef struct edge_tx_options {
    bool service; /* as the service instead of the caller */
    bool read_only;
    enum {
        EDGE_READ_COMMITTED,
        EDGE_REPEATABLE_READ,
        EDGE_SERIALIZABLE
    } isolation;
    int retries; /* how often the block is run again after 40001 or 40P01 */
} edge_tx_options;

#if defined(__GNUC__) && !defined(__clang__)
/* gcc warns of every variable that is assigned in a transaction's block, also of those that keep its rule. */
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

/*
 * A transaction as a block: committed when the block is left at its end, rolled back when the invocation ends
 * inside it. break and return out of it roll back too. It belongs to the task that opened it and holds one
 * connection from its first statement on: call no provider inside it, and no edge_query, which needs another.
 *
 * With .retries the block is run again from its start after a serialization failure or deadlock. Then a
 * variable declared outside of it may carry a result out, but is assigned in the block before it is read there:
 * the retry is a longjmp, which leaves it with any of the values that it had.
 *
 *     EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3) {
 *         edge_tx_query(tx, "INSERT INTO ...", edge_text(id));
 *     }
 */
#define EDGE_TRANSACTION(ctx, tx, ...)                                                                         \
    for (edge_tx * tx __attribute__((cleanup(edge_tx_leave))) =                                                \
             edge_tx_begin((ctx), &(const edge_tx_options){ __VA_ARGS__ });                                    \
         setjmp(*edge_tx_retry_point(tx)), edge_tx_next(tx);)

EDGE_RETURNS_NONNULL edge_tx *edge_tx_begin(edge_ctx *ctx, const edge_tx_options *options);
EDGE_RETURNS_NONNULL jmp_buf *edge_tx_retry_point(edge_tx *tx);
bool edge_tx_next(edge_tx *tx);   /* true: enter the block; at its end commits and answers false */
void edge_tx_leave(edge_tx **tx); /* the block was left: rolls back unless it has been committed */

/* One statement of the transaction; fails as edge_query does. When nobody needs its rows, see edge_tx_send. */
#define edge_tx_query(tx, sql, ...) edge_tx_query_args((tx), (sql), EDGE_ARGS(__VA_ARGS__))
EDGE_RETURNS_NONNULL edge_rows *edge_tx_query_args(
    edge_tx *tx, const char *sql, const edge_arg *args, size_t count);

/*
 * Several statements of the transaction in one round trip; rows[i] is the answer of the i-th. When one fails:
 * false, with *error filled (detail is the SQLSTATE), and the transaction has been undone, so nothing more may
 * be done in its block. Deadline and disconnect still end the invocation.
 *
 *     edge_rows *made;
 *     edge_error error;
 *     if (!edge_tx_try_query_all(tx, &error, &made, &(const edge_statement)EDGE_SQL("INSERT ..."), 1))
 *         fail_for(ctx, &error);
 */
EDGE_MUST_USE bool edge_tx_try_query_all(
    edge_tx *tx, edge_error *error, edge_rows **rows, const edge_statement *statements, size_t count);

/*
 * Queues a statement whose rows nobody needs; it travels with the next edge_tx_query or the commit, so it
 * costs no round trip of its own. Its failure ends the invocation there.
 */
#define edge_tx_send(tx, sql, ...) edge_tx_send_args((tx), (sql), EDGE_ARGS(__VA_ARGS__))
void edge_tx_send_args(edge_tx *tx, const char *sql, const edge_arg *args, size_t count);

/* Undoes the transaction now; the block's remaining statements must not use it. */
void edge_tx_rollback(edge_tx *tx);

/*
 * A large result in batches of fetch_size rows: one is in memory at a time. As the caller, as the service, or
 * as part of a transaction; the first two are a transaction of their own, which holds a connection until the
 * cursor has been read to its end or closed: one that the function forgets is closed at the invocation's end,
 * and the log says transaction_left_open. sql is a SELECT or VALUES.
 *
 *     edge_cursor *cursor = edge_query_cursor(ctx, 500, "SELECT id, title FROM goals WHERE status = $1",
 *         edge_text("active"));
 *     edge_rows *rows;
 *     while ((rows = edge_cursor_next(cursor)) != NULL)
 *         for (size_t i = 0; i < edge_rows_count(rows); i++)
 *             write_line(ctx, rows, i);
 */
typedef struct edge_cursor edge_cursor;
#define edge_query_cursor(ctx, fetch_size, sql, ...)                                                           \
    edge_query_cursor_args((ctx), (fetch_size), (sql), EDGE_ARGS(__VA_ARGS__))
#define edge_service_query_cursor(ctx, fetch_size, sql, ...)                                                   \
    edge_service_query_cursor_args((ctx), (fetch_size), (sql), EDGE_ARGS(__VA_ARGS__))
#define edge_tx_cursor(tx, fetch_size, sql, ...)                                                               \
    edge_tx_cursor_args((tx), (fetch_size), (sql), EDGE_ARGS(__VA_ARGS__))
EDGE_RETURNS_NONNULL edge_cursor *edge_query_cursor_args(
    edge_ctx *ctx, size_t fetch_size, const char *sql, const edge_arg *args, size_t count);
EDGE_RETURNS_NONNULL edge_cursor *edge_service_query_cursor_args(
    edge_ctx *ctx, size_t fetch_size, const char *sql, const edge_arg *args, size_t count);
EDGE_RETURNS_NONNULL edge_cursor *edge_tx_cursor_args(
    edge_tx *tx, size_t fetch_size, const char *sql, const edge_arg *args, size_t count);

/*
 * The next batch, NULL behind the last one; parks, and fails as edge_query does. The rows, and the texts that
 * were read out of them, are valid until the next call only: what is to stay is copied (edge_copy). What is
 * made of them (edge_rows_value, edge_rows_texts, edge_rows_bytes) is the invocation's, and stays.
 */
edge_rows *edge_cursor_next(edge_cursor *cursor);

/* Ends a cursor before its end; one that was read to its end is closed. Frees the last batch. */
void edge_cursor_close(edge_cursor *cursor);

/*
 * COPY, in memory that does not grow with the data: as the caller, as the service, or as part of a transaction.
 * Alone it is a transaction of its own: what fails leaves nothing behind. sql is constant text, without $n:
 * what a COPY (SELECT ...) depends on is set before it in its transaction, by set_config('edge.since', $1,
 * true), and read in it by current_setting('edge.since'). Formats text and csv; binary is refused.
 *
 * Fails as edge_query does. The time it may take is what is left of the function's, whatever
 * [database].statement_timeout says, and until it ends no other call may use its transaction.
 */
typedef struct edge_copier edge_copier;

/*
 * COPY table (columns) FROM STDIN. PostgreSQL refuses it for a table whose row security applies: there, COPY
 * into a temporary table (ON COMMIT DROP) in a transaction, and INSERT ... SELECT from that.
 *
 *     edge_copier *copy = edge_service_copy_in(ctx, "COPY leads (name, score) FROM STDIN");
 *     for (size_t i = 0; i < count; i++)
 *         edge_copy_row(copy, edge_text(leads[i].name), edge_int(leads[i].score));
 *     size_t added = edge_copy_end(copy);
 */
EDGE_RETURNS_NONNULL edge_copier *edge_copy_in(edge_ctx *ctx, const char *sql);
EDGE_RETURNS_NONNULL edge_copier *edge_service_copy_in(edge_ctx *ctx, const char *sql);
EDGE_RETURNS_NONNULL edge_copier *edge_tx_copy_in(edge_tx *tx, const char *sql);

/* Any piece of the data, in the format of the statement. Parks while the server is slower. */
void edge_copy_write(edge_copier *copy, const void *data, size_t length);

/* One row, a value a column. For a COPY in text format, which is the default, only. */
#define edge_copy_row(copy, ...) edge_copy_row_args((copy), EDGE_ARGS(__VA_ARGS__))
void edge_copy_row_args(edge_copier *copy, const edge_arg *args, size_t count);

/*
 * COPY table TO STDOUT, or COPY (SELECT ...) TO STDOUT (FORMAT csv, HEADER).
 *
 *     edge_copier *copy = edge_copy_out(ctx, "COPY (SELECT id, title FROM goals) TO STDOUT (FORMAT csv)");
 *     edge_stream_begin(ctx, 200, "text/csv");
 *     const char *piece;
 *     size_t length;
 *     while ((piece = edge_copy_read(copy, &length)) != NULL)
 *         edge_stream_bytes(ctx, piece, length);
 */
EDGE_RETURNS_NONNULL edge_copier *edge_copy_out(edge_ctx *ctx, const char *sql);
EDGE_RETURNS_NONNULL edge_copier *edge_service_copy_out(edge_ctx *ctx, const char *sql);
EDGE_RETURNS_NONNULL edge_copier *edge_tx_copy_out(edge_tx *tx, const char *sql);

/*
 * The next piece: one or several whole rows of length bytes, valid until the next call; NULL at the end, which
 * also ends a transaction of its own. Parks. While it is not called, the server waits.
 */
const char *edge_copy_read(edge_copier *copy, size_t *length);

/*
 * Ends the data, and a transaction of its own; answers how many rows were copied. Without it nothing that was
 * copied in is kept. A copy out that is ended before its end is stopped.
 */
size_t edge_copy_end(edge_copier *copy);

/*
 * Hears NOTIFY on a channel, until the invocation ends. All listeners of a worker share one connection beside
 * the pool, made again when it is lost; a transaction that notifies does so when it commits. Parks until
 * the channel is listened to: what is committed after it returns is heard, so listen first, then read the
 * state.
 *
 * 503 "database_unavailable" when that takes longer than [database].acquire_timeout; 503 "not_configured"
 * without a database, and behind PgBouncer (transaction pooling has no sessions that could listen).
 *
 *     edge_listener *listener = edge_listen(ctx, "goals_changed");
 *     for (const edge_notification *heard; !edge_client_gone(ctx);) {
 *         if ((heard = edge_listen_next(listener, 15000)) == NULL)
 *             continue;
 *         send_goals(ctx, heard->missed ? NULL : heard->payload);
 *     }
 */
typedef struct edge_listener edge_listener;
EDGE_RETURNS_NONNULL edge_listener *edge_listen(edge_ctx *ctx, const char *channel);

typedef struct edge_notification {
    const char *payload; /* "" without one */
    bool missed; /* none, but there may have been some: the connection was lost, or this listener too slow */
} edge_notification;

/* The next notification, valid until the next call; NULL after timeout_ms (negative: never). Parks. */
const edge_notification *edge_listen_next(edge_listener *listener, int64_t timeout_ms);

size_t edge_rows_count(const edge_rows *rows);    /* how many there are */
size_t edge_rows_affected(const edge_rows *rows); /* of INSERT, UPDATE, DELETE */

/*
 * Column of row 0 <= row < count. An unknown column ends the invocation, 500. SQL NULL reads as NULL, or as
 * 0 and false; edge_rows_null tells them apart. Text is UTF-8, NUL-terminated.
 */
bool edge_rows_null(const edge_rows *rows, size_t row, const char *column);

/* As PostgreSQL writes it (a time as "2026-03-10 12:00:00.5+00"); ISO 8601 is what edge_rows_value gives. */
const char *edge_rows_text(const edge_rows *rows, size_t row, const char *column);
int64_t edge_rows_int(const edge_rows *rows, size_t row, const char *column);
double edge_rows_number(const edge_rows *rows, size_t row, const char *column); /* numeric as a double */
bool edge_rows_bool(const edge_rows *rows, size_t row, const char *column);
int64_t edge_rows_time(const edge_rows *rows, size_t row, const char *column); /* timestamptz, Unix us */

/* Digits of a numeric or integer column as they are in the database, "12.50"; of another type: 500. */
const char *edge_rows_decimal(const edge_rows *rows, size_t row, const char *column);

/* Bytes of a bytea column (of any other its text), and how many. */
const void *edge_rows_bytes(const edge_rows *rows, size_t row, const char *column, size_t *length);

/*
 * An array column of one dimension as a C array of *count items; NULL and 0 for SQL NULL. A NULL item reads as
 * NULL or 0. uuid[], date[] and numeric[] with all their digits are texts. What is no such array, or holds no
 * 64-bit integers for edge_rows_ints: 500.
 */
const char *const *edge_rows_texts(const edge_rows *rows, size_t row, const char *column, size_t *count);
const int64_t *edge_rows_ints(const edge_rows *rows, size_t row, const char *column, size_t *count);
const double *edge_rows_numbers(const edge_rows *rows, size_t row, const char *column, size_t *count);

json_t *edge_rows_value(const edge_rows *rows, size_t row, const char *column); /* as edge_rows_json gives it */

/*
 * Rows as an array of objects, one row as an object: numeric as numbers, boolean, jsonb inline, arrays as
 * arrays, timestamptz as ISO 8601 with offset, date as YYYY-MM-DD, uuid and everything else as text.
 *
 * Integers are exact within 64 bits; a larger one, and a numeric with a fraction, becomes the nearest double,
 * also inside of jsonb. Where every digit counts: edge_rows_decimal, edge_rows_text, or the calls below for
 * jsonb.
 */
json_t *edge_rows_json(const edge_rows *rows);
json_t *edge_row_json(const edge_rows *rows, size_t row);

/*
 * The same as JSON text without the values in between: a list costs no more memory than its text. Inside of
 * json and jsonb the numbers keep the digits that they have in the database. length may be NULL.
 */
const char *edge_rows_json_text(const edge_rows *rows, size_t *length);

/*
 * Answers with rows in that way, status 200 unless edge_response_status has said another; the handler returns
 * NULL. Without members the answer is the bare array.
 *
 *     edge_respond_rows(ctx, rows, .with = json_pack("{s:b, s:I}", "success", 1, "total", total), .key =
 * "goals");
 */
typedef struct edge_rows_answer {
    const char *key; /* the rows are the last member, of this name, of an object */
    json_t *with;    /* object whose members come before; only with key */
} edge_rows_answer;
#define edge_respond_rows(ctx, rows, ...)                                                                      \
    edge_respond_rows_as((ctx), (rows), &(const edge_rows_answer){ __VA_ARGS__ })
void edge_respond_rows_as(edge_ctx *ctx, const edge_rows *rows, const edge_rows_answer *answer);

#pragma GCC visibility pop

#endif
