/*
 * edge_arg to libpq parameter: types are sent with every statement, so the server guesses nothing.
 *
 * An integer goes out as int4 when it fits: PostgreSQL casts int4 to int8 and numeric by itself but not back,
 * so make_interval(days => $1), left(x, $1) and date + $1 take it only so. A number goes out as numeric for
 * the same reason, and because float8 to numeric keeps 15 digits where the shortest text keeps all of them.
 */
#include "db/bind.h"

#include <edge/json.h>

#include <context.h>

#include "db/literal.h"
#include "db/oids.h"
#include "db/statement.h"

#include <endian.h>
#include <limits.h>

/* 2000-01-01, PostgreSQL's epoch, in Unix microseconds. */
#define POSTGRES_EPOCH_US INT64_C(946684800000000)

static void bind_binary(struct param *param, Oid type, uint64_t network_order, int length)
{
    param->type = type;
    param->scratch = network_order;
    param->length = length;
    param->binary = true;
}

static void bind_text(struct param *param, Oid type, const char *text)
{
    param->type = type;
    param->data = text;
    param->null = text == NULL;
}

static void bind_int(struct param *param, int64_t value)
{
    if (value >= INT32_MIN && value <= INT32_MAX)
        bind_binary(param, OID_INT4, htobe32((uint32_t)(int32_t)value), 4);
    else
        bind_binary(param, OID_INT8, htobe64((uint64_t)value), 8);
}

static void bind_number(edge_ctx *ctx, struct param *param, double value)
{
    char text[NUMBER_LITERAL_SIZE];
    number_literal(value, text);
    bind_text(param, OID_NUMERIC, edge_copy(ctx, text));
}

/* The infinities are what edge_rows_time reads them as, and what PostgreSQL sends for them. */
static void bind_time(struct param *param, int64_t microseconds)
{
    bool infinite = microseconds == INT64_MAX || microseconds == INT64_MIN;
    int64_t value = infinite ? microseconds : microseconds - POSTGRES_EPOCH_US;
    bind_binary(param, OID_TIMESTAMPTZ, htobe64((uint64_t)value), 8);
}

static Oid integers_type(const edge_arg *arg)
{
    const int64_t *items = arg->data;
    for (size_t i = 0; items != NULL && i < arg->length; i++)
        if (items[i] < INT32_MIN || items[i] > INT32_MAX)
            return OID_INT8_ARRAY;
    return OID_INT4_ARRAY;
}

static void bind_array(edge_ctx *ctx, struct param *param, const edge_arg *arg)
{
    Oid type = arg->type == EDGE_ARG_INTS       ? integers_type(arg)
               : arg->type == EDGE_ARG_UUIDS    ? OID_UUID_ARRAY
               : arg->type == EDGE_ARG_DECIMALS ? OID_NUMERIC_ARRAY
                                                : OID_TEXT_ARRAY;
    char *literal = array_is_null(arg) ? NULL : edge_alloc(ctx, array_literal_size(arg));
    if (literal != NULL)
        array_literal(arg, literal);
    bind_text(param, type, literal);
}

static void bind_json(edge_ctx *ctx, struct param *param, const json_t *value)
{
    bind_text(param, OID_JSONB, value != NULL ? edge_json_dump(ctx, value, NULL) : NULL);
}

static void bind_bytes(edge_ctx *ctx, struct param *param, const edge_arg *arg)
{
    if (arg->length > INT_MAX)
        context_fail_detail(ctx, 500, "internal_error", "A bound value is larger than 2 GiB", NULL);
    param->type = OID_BYTEA;
    param->binary = true;
    param->null = arg->data == NULL;
    param->data = arg->data;
    param->length = (int)arg->length;
}

static void bind_arg(edge_ctx *ctx, struct param *param, const edge_arg *arg)
{
    switch (arg->type) {
    case EDGE_ARG_NULL:
        bind_text(param, OID_INFERRED, NULL);
        break;
    case EDGE_ARG_INT:
        bind_int(param, arg->integer);
        break;
    case EDGE_ARG_NUMBER:
        bind_number(ctx, param, arg->number);
        break;
    case EDGE_ARG_BOOL:
        bind_text(param, OID_BOOL, arg->integer != 0 ? "t" : "f");
        break;
    case EDGE_ARG_TEXT:
        bind_text(param, OID_TEXT, arg->data);
        break;
    case EDGE_ARG_UUID:
        bind_text(param, OID_UUID, arg->data);
        break;
    case EDGE_ARG_JSON:
        bind_json(ctx, param, arg->data);
        break;
    case EDGE_ARG_BYTES:
        bind_bytes(ctx, param, arg);
        break;
    case EDGE_ARG_TIME:
        bind_time(param, arg->integer);
        break;
    case EDGE_ARG_DECIMAL:
        bind_text(param, OID_NUMERIC, arg->data);
        break;
    case EDGE_ARG_DATE:
        bind_text(param, OID_DATE, arg->data);
        break;
    case EDGE_ARG_TEXTS:
    case EDGE_ARG_INTS:
    case EDGE_ARG_UUIDS:
    case EDGE_ARG_DECIMALS:
        bind_array(ctx, param, arg);
        break;
    }
}

struct bound_statement bind_statement(edge_ctx *ctx, const char *sql, const edge_arg *args, size_t count)
{
    if (count > EDGE_MAX_ARGS)
        context_fail_detail(ctx, 500, "internal_error", "A statement has too many arguments", sql);

    struct param *params = count > 0 ? edge_alloc(ctx, count * sizeof *params) : NULL;
    for (size_t i = 0; i < count; i++)
        bind_arg(ctx, &params[i], &args[i]);

    return (struct bound_statement){
        .sql = sql,
        .params = params,
        .count = count,
        .hash = statement_hash(sql, params, count),
    };
}
