/*
 * Tables on standard output; see table.h.
 */
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_add(struct table *table, const char *const *cells)
{
    size_t used = table->rows * table->columns;
    char **grown = realloc(table->cells, (used + table->columns) * sizeof *grown);
    if (grown == NULL)
        abort();
    table->cells = grown;
    table->rows++;
    for (size_t i = 0; i < table->columns; i++)
        if ((grown[used + i] = strdup(cells[i])) == NULL)
            abort();
}

void table_print(struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        size_t length = strlen(table->cells[i]);
        if (length > widths[i % table->columns])
            widths[i % table->columns] = length;
    }
    for (size_t i = 0; i < table->rows * table->columns; i++) {
        size_t column = i % table->columns;
        if (column == table->columns - 1)
            printf("%s\n", table->cells[i]);
        else
            printf("%-*s  ", (int)widths[column], table->cells[i]);
        free(table->cells[i]);
    }
    free(table->cells);
}
