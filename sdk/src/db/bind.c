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

#include "db/oids.h"
#include "db/statement.h"

#include <endian.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static const char *number_text(edge_ctx *ctx, double value)
{
    if (isnan(value))
        return "NaN";
    if (isinf(value))
        return value > 0 ? "Infinity" : "-Infinity";

    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return edge_copy(ctx, text);
}

static char *quote_item(char *out, const char *item)
{
    *out++ = '"';
    for (; *item != '\0'; item++) {
        if (*item == '"' || *item == '\\')
            *out++ = '\\';
        *out++ = *item;
    }
    *out++ = '"';
    return out;
}

/* An array literal: {"a","b\"c",NULL}. Every item is quoted, so none needs to be looked at. */
static const char *texts_literal(edge_ctx *ctx, const char *const *items, size_t count)
{
    size_t size = 3;
    for (size_t i = 0; i < count; i++)
        size += items[i] != NULL ? 2 * strlen(items[i]) + 3 : sizeof "NULL";

    char *literal = edge_alloc(ctx, size), *out = literal;
    *out++ = '{';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *out++ = ',';
        out = items[i] != NULL ? quote_item(out, items[i]) : stpcpy(out, "NULL");
    }
    *out++ = '}';
    *out = '\0';
    return literal;
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
        bind_text(param, OID_NUMERIC, number_text(ctx, arg->number));
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
        bind_binary(param, OID_TIMESTAMPTZ, htobe64((uint64_t)(arg->integer - POSTGRES_EPOCH_US)), 8);
        break;
    case EDGE_ARG_TEXTS:
        bind_text(param, OID_TEXT_ARRAY,
            arg->data != NULL || arg->length == 0 ? texts_literal(ctx, arg->data, arg->length) : NULL);
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
