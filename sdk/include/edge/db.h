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
 *   500 "internal_error"        anything else; SQLSTATE and statement go to the log, never to the client
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
 * edge_null as whatever is wanted there. Where that is not the column's type, cast: $1::date, ANY($1::uuid[]).
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
 * Queues a statement whose rows nobody needs; it travels with the next edge_tx_query or the commit, so it
 * costs no round trip of its own. Its failure ends the invocation there.
 */
#define edge_tx_send(tx, sql, ...) edge_tx_send_args((tx), (sql), EDGE_ARGS(__VA_ARGS__))
void edge_tx_send_args(edge_tx *tx, const char *sql, const edge_arg *args, size_t count);

/* Undoes the transaction now; the block's remaining statements must not use it. */
void edge_tx_rollback(edge_tx *tx);

size_t edge_rows_count(const edge_rows *rows);
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
int64_t edge_rows_time(const edge_rows *rows, size_t row, const char *column);  /* timestamptz, Unix us */
json_t *edge_rows_value(const edge_rows *rows, size_t row, const char *column); /* as edge_rows_json gives it */

/*
 * Rows as an array of objects, one row as an object: numeric as numbers, boolean, jsonb inline, arrays as
 * arrays, timestamptz as ISO 8601 with offset, date as YYYY-MM-DD, uuid and everything else as text.
 */
json_t *edge_rows_json(const edge_rows *rows);
json_t *edge_row_json(const edge_rows *rows, size_t row);

#pragma GCC visibility pop

#endif
