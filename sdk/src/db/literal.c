/*
 * Values as PostgreSQL reads them in text; see literal.h.
 */
#include "db/literal.h"

#include "base/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "-9223372036854775808" and a comma. */
#define INT_ITEM_SIZE 21

void number_literal(double value, char out[NUMBER_LITERAL_SIZE])
{
    if (!isfinite(value)) {
        const char *word = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        snprintf(out, NUMBER_LITERAL_SIZE, "%s", word);
        return;
    }
    if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
        char digits[DECIMAL_SIZE], *end = digits + sizeof digits, *at = decimal_before(end, (int64_t)value);
        *(char *)mempcpy(out, at, (size_t)(end - at)) = '\0';
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, NUMBER_LITERAL_SIZE, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
}

void time_literal(int64_t microseconds, char out[TIME_LITERAL_SIZE])
{
    if (microseconds == INT64_MAX || microseconds == INT64_MIN) {
        snprintf(out, TIME_LITERAL_SIZE, "%s", microseconds > 0 ? "infinity" : "-infinity");
        return;
    }
    struct tm parts = { 0 };
    int64_t fraction = microseconds % 1000000 + (microseconds % 1000000 < 0 ? 1000000 : 0);
    time_t seconds = (time_t)((microseconds - fraction) / 1000000);
    gmtime_r(&seconds, &parts);
    int year = parts.tm_year + 1900;
    snprintf(out, TIME_LITERAL_SIZE, "%04d-%02d-%02d %02d:%02d:%02d.%06d+00%s", year > 0 ? year : 1 - year,
        parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (int)fraction,
        year > 0 ? "" : " BC");
}

bool is_array(const edge_arg *arg)
{
    return arg->type == EDGE_ARG_TEXTS || arg->type == EDGE_ARG_INTS || arg->type == EDGE_ARG_UUIDS ||
           arg->type == EDGE_ARG_DECIMALS;
}

bool array_is_null(const edge_arg *arg)
{
    return arg->data == NULL && arg->length > 0;
}

size_t array_literal_size(const edge_arg *arg)
{
    if (arg->type == EDGE_ARG_INTS)
        return 3 + arg->length * INT_ITEM_SIZE;
    const char *const *items = arg->data;
    size_t size = 3;
    for (size_t i = 0; i < arg->length; i++)
        size += items[i] != NULL ? 2 * strlen(items[i]) + 3 : sizeof "NULL";
    return size;
}

/* Every item is quoted, so none needs to be looked at. */
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

static char *put_item(char *out, const edge_arg *arg, size_t i)
{
    if (arg->type == EDGE_ARG_INTS)
        return out + snprintf(out, INT_ITEM_SIZE, "%" PRId64, ((const int64_t *)arg->data)[i]);
    const char *item = ((const char *const *)arg->data)[i];
    return item != NULL ? quote_item(out, item) : stpcpy(out, "NULL");
}

void array_literal(const edge_arg *arg, char *out)
{
    *out++ = '{';
    for (size_t i = 0; i < arg->length; i++) {
        if (i > 0)
            *out++ = ',';
        out = put_item(out, arg, i);
    }
    *out++ = '}';
    *out = '\0';
}
