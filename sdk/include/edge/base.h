/*
 * What every function stands on: the invocation, its memory, and how it fails.
 *
 * An invocation (edge_ctx) is one call of one function. It has a fiber, so code that waits reads as if it
 * did not; an arena, so nothing is ever freed; and a deadline. A call that fails ends it: edge_fail never
 * returns, transactions roll back, the client gets the status and {"error","code","requestId"}.
 *
 * Everything an SDK call returns belongs to the invocation and is valid until it ends.
 */
#ifndef EDGE_BASE_H
#define EDGE_BASE_H

#include <jansson.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDGE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define EDGE_NORETURN __attribute__((noreturn, cold))
#define EDGE_RETURNS_NONNULL __attribute__((returns_nonnull))
#define EDGE_MUST_USE __attribute__((warn_unused_result))
#define EDGE_SENTINEL __attribute__((sentinel))

#pragma GCC visibility push(default)

typedef struct edge_ctx edge_ctx;

/* What a call that may fail without ending the invocation says about its failure. */
typedef struct edge_error {
    int status;          /* HTTP status that edge_fail would have used */
    const char *code;    /* stable snake_case code, never NULL after a failure */
    const char *message; /* for people; safe to show to the client */
    const char *detail;  /* for the log only, may be NULL: SQLSTATE or the provider's own words */
} edge_error;

/*
 * One bound value, made by the constructors below: a statement's parameter (db.h) or a log field (log.h).
 * Text is borrowed until the call returns. A NULL pointer binds SQL NULL.
 */
typedef struct edge_arg {
    enum {
        EDGE_ARG_NULL,
        EDGE_ARG_INT,
        EDGE_ARG_NUMBER,
        EDGE_ARG_BOOL,
        EDGE_ARG_TEXT,
        EDGE_ARG_UUID,
        EDGE_ARG_JSON,
        EDGE_ARG_BYTES,
        EDGE_ARG_TIME,
        EDGE_ARG_TEXTS,
        EDGE_ARG_DECIMAL,
        EDGE_ARG_DATE,
        EDGE_ARG_INTS,
        EDGE_ARG_UUIDS,
        EDGE_ARG_DECIMALS,
    } type;
    const void *data;
    size_t length; /* bytes (BYTES), items (the arrays) */
    int64_t integer;
    double number;
} edge_arg;

edge_arg edge_null(void);                             /* SQL NULL, JSON null */
edge_arg edge_int(int64_t value);                     /* integer, bigint when it does not fit */
edge_arg edge_number(double value);                   /* numeric: the shortest digits that read back as value */
edge_arg edge_bool(bool value);                       /* boolean */
edge_arg edge_text(const char *utf8);                 /* text */
edge_arg edge_uuid(const char *text);                 /* uuid: 36 characters */
edge_arg edge_json(const json_t *value);              /* jsonb; NULL is SQL NULL, json_null() is 'null' */
edge_arg edge_bytes(const void *data, size_t length); /* bytea */
edge_arg edge_time(int64_t microseconds);             /* timestamptz: Unix time in microseconds */
edge_arg edge_decimal(const char *text);              /* numeric, every digit kept: "12.50" */
edge_arg edge_date(const char *text);                 /* date: YYYY-MM-DD */

/* Arrays. A NULL item is NULL; items NULL with a count binds SQL NULL. The items are borrowed as text is. */
edge_arg edge_texts(const char *const *items, size_t count);    /* text[] */
edge_arg edge_ints(const int64_t *items, size_t count);         /* integer[], bigint[] when one does not fit */
edge_arg edge_uuids(const char *const *items, size_t count);    /* uuid[] */
edge_arg edge_decimals(const char *const *items, size_t count); /* numeric[] */

/* Counts and collects a macro's variable arguments; used by db.h and log.h. */
#define EDGE_ARGS(...)                                                                                         \
    (const edge_arg[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } },                                                     \
        sizeof((const edge_arg[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } }) / sizeof(edge_arg) - 1

/* size bytes of zeroed memory of the invocation, aligned for any type. Over the limit: 500 "memory_limit". */
EDGE_RETURNS_NONNULL void *edge_alloc(edge_ctx *ctx, size_t size);

/* A copy of text (NULL gives NULL), of its first length bytes, or a formatted string, NUL-terminated. */
char *edge_copy(edge_ctx *ctx, const char *text);
EDGE_RETURNS_NONNULL char *edge_copy_bytes(edge_ctx *ctx, const void *data, size_t length);
EDGE_RETURNS_NONNULL EDGE_PRINTF(2, 3) char *edge_format(edge_ctx *ctx, const char *format, ...);
EDGE_RETURNS_NONNULL char *edge_vformat(edge_ctx *ctx, const char *format, va_list args);

/*
 * Ends the invocation: status 400..599, a stable snake_case code, and a sentence for people (what is wrong
 * with which object, no full stop). Never returns.
 *
 *     edge_fail(ctx, 404, "goal_not_found", "Goal \"%s\" does not exist", id);
 */
EDGE_NORETURN EDGE_PRINTF(4, 5) void edge_fail(
    edge_ctx *ctx, int status, const char *code, const char *format, ...);

/* What an error answer may say beyond its code; unset members are left out of the answer. */
typedef struct edge_failure {
    const char *message;     /* "error": for people */
    const char *suggestion;  /* "suggestion": what a person can try */
    const char *field;       /* "field": path of the input field at fault, as items[2].price */
    int retry_after_seconds; /* header Retry-After, and "retryAfter" */
    json_t *extra;           /* an object whose members are added to the answer; stolen */
} edge_failure;

/* As edge_fail, with named members: edge_fail_with(ctx, 409, "not_connected", .message = "...", .field =
 * "..."). */
#define edge_fail_with(ctx, status, code, ...)                                                                 \
    edge_fail_as((ctx), (status), (code), &(const edge_failure){ __VA_ARGS__ })
EDGE_NORETURN void edge_fail_as(edge_ctx *ctx, int status, const char *code, const edge_failure *failure);

/* Ends the invocation with an error that a try call reported. */
EDGE_NORETURN void edge_fail_error(edge_ctx *ctx, const edge_error *error);

/*
 * Calls fn(arg) when the invocation ends, however it ends, newest first. For what the SDK does not own.
 * fn may neither wait nor fail, and edge_ctx is not to be used in it.
 */
void edge_defer(edge_ctx *ctx, void (*fn)(void *arg), void *arg);

/*
 * What the function's .init made for this worker; NULL without one. It is shared by all invocations of the
 * worker, which is one thread: between two calls that park, nobody else touches it. .exit frees it.
 */
void *edge_state(edge_ctx *ctx);

/* Value of an environment variable that functions.toml lists in the function's env; NULL when unset or empty.
 */
const char *edge_env(edge_ctx *ctx, const char *name);

/* As edge_env; unset ends the invocation with 503 "not_configured", naming the variable. */
EDGE_RETURNS_NONNULL const char *edge_env_required(edge_ctx *ctx, const char *name);

/*
 * The bytes of a file that the operator provides, in a directory that configuration names; path may not lead
 * out of it. length of them, no NUL behind, valid until the invocation ends. NULL when there is no such regular
 * file.
 *
 *     const char *csv = edge_file_read(ctx, edge_env_required(ctx, "SEED_DIR"), "people.csv", &length);
 */
const void *edge_file_read(edge_ctx *ctx, const char *directory, const char *path, size_t *length);

/* Wall clock, Unix time in microseconds: read once an invocation, so every window in it agrees. */
int64_t edge_now(edge_ctx *ctx);

/* Wall clock at this instant, Unix time in microseconds. */
int64_t edge_now_exact(void);

/* Instant as ISO 8601 UTC with milliseconds, 2026-03-10T12:00:00.000Z. */
EDGE_RETURNS_NONNULL const char *edge_iso_time(edge_ctx *ctx, int64_t microseconds);

/* Id of this invocation, as in x-request-id, the error envelope and the log. */
EDGE_RETURNS_NONNULL const char *edge_request_id(edge_ctx *ctx);

/* Parks the fiber. A deadline that passes meanwhile ends the invocation with 504 "timeout". */
void edge_sleep(edge_ctx *ctx, int64_t milliseconds);

#pragma GCC visibility pop

#endif
