/*
 * From PGresult to the arena: one block that holds columns, cells and texts.
 */
#include "db/rows.h"

#include <stdlib.h>
#include <string.h>

static size_t texts_size(const PGresult *result, int row_count, int column_count)
{
    size_t size = 0;
    for (int column = 0; column < column_count; column++)
        size += strlen(PQfname(result, column)) + 1;
    for (int row = 0; row < row_count; row++)
        for (int column = 0; column < column_count; column++)
            if (!PQgetisnull(result, row, column))
                size += (size_t)PQgetlength(result, row, column) + 1;
    return size;
}

static const char *put(char **out, const char *text, size_t length)
{
    char *start = *out;
    memcpy(start, text, length);
    start[length] = '\0';
    *out += length + 1;
    return start;
}

static void copy_cells(struct edge_rows *rows, const PGresult *result, char *out)
{
    int column_count = (int)rows->column_count, row_count = (int)rows->row_count;
    for (int column = 0; column < column_count; column++) {
        const char *name = PQfname(result, column);
        rows->columns[column].name = put(&out, name, strlen(name));
        rows->columns[column].type = PQftype(result, column);
    }

    const char **cells = rows->cells;
    for (int row = 0; row < row_count; row++)
        for (int column = 0; column < column_count; column++, cells++)
            if (!PQgetisnull(result, row, column))
                *cells = put(&out, PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

struct edge_rows *rows_copy(edge_ctx *ctx, struct arena *arena, const PGresult *result)
{
    size_t row_count = (size_t)PQntuples(result), column_count = (size_t)PQnfields(result);
    size_t columns_size = column_count * sizeof(struct rows_column);
    size_t cells_size = row_count * column_count * sizeof(char *);
    size_t size = texts_size(result, (int)row_count, (int)column_count);

    struct edge_rows *rows = arena_alloc(arena, sizeof *rows + columns_size + cells_size + size);
    if (rows == NULL)
        return NULL;
    rows->ctx = ctx;
    rows->row_count = row_count;
    rows->column_count = column_count;
    rows->affected = strtoul(PQcmdTuples((PGresult *)result), NULL, 10);
    rows->columns = (struct rows_column *)(void *)(rows + 1);
    rows->cells = (const char **)(void *)((char *)(rows + 1) + columns_size);
    copy_cells(rows, result, (char *)(rows + 1) + columns_size + cells_size);
    return rows;
}
