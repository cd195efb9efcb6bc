/*
 * Array columns as C arrays. One dimension: what has more is for edge_rows_value.
 */
#include "db/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

EDGE_NORETURN static void fail_shape(const edge_rows *rows, const char *column)
{
    context_fail_detail(rows->ctx, 500, "internal_error",
        "The function asked for a list of a column that is none",
        edge_format(rows->ctx, "\"%s\" is no array of one dimension", column));
}

const char *const *edge_rows_texts(const edge_rows *rows, size_t row, const char *column, size_t *count)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    *count = 0;
    if (rows_item_type(type) == 0)
        fail_shape(rows, column);
    if (text == NULL)
        return NULL;
    const char *const *items = rows_array_items(rows->ctx, text, count);
    if (items == NULL)
        fail_shape(rows, column);
    return items;
}

const int64_t *edge_rows_ints(const edge_rows *rows, size_t row, const char *column, size_t *count)
{
    const char *const *texts = edge_rows_texts(rows, row, column, count);
    if (texts == NULL)
        return NULL;
    int64_t *items = edge_alloc(rows->ctx, *count * sizeof *items);
    for (size_t i = 0; i < *count; i++) {
        char *end = NULL;
        errno = 0;
        if (texts[i] != NULL)
            items[i] = strtoll(texts[i], &end, 10);
        if (end != NULL && (*end != '\0' || errno != 0))
            context_fail_detail(rows->ctx, 500, "internal_error",
                "The function asked for integers of a column that has others",
                edge_format(rows->ctx, "\"%s\" holds %s", column, texts[i]));
    }
    return items;
}

const double *edge_rows_numbers(const edge_rows *rows, size_t row, const char *column, size_t *count)
{
    const char *const *texts = edge_rows_texts(rows, row, column, count);
    if (texts == NULL)
        return NULL;
    double *items = edge_alloc(rows->ctx, *count * sizeof *items);
    for (size_t i = 0; i < *count; i++)
        items[i] = texts[i] != NULL ? strtod(texts[i], NULL) : 0;
    return items;
}
