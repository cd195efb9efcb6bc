/*
 * Tables on standard output; see table.h.
 */
#include "cli/table.h"

#include "cli/json_print.h"

#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
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

static void rows_free(struct table *table)
{
    for (size_t i = 0; i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
}

/* "BASE URL": baseUrl. */
static void key_of(const char *heading, char key[64])
{
    size_t length = 0;
    bool begins = false;
    for (; *heading != '\0' && length < 63; heading++) {
        if (*heading != ' ')
            key[length++] =
                (char)(begins ? toupper((unsigned char)*heading) : tolower((unsigned char)*heading));
        begins = *heading == ' ';
    }
    key[length] = '\0';
}

void table_print_json(struct table *table)
{
    json_t *rows = json_array();
    for (size_t row = 1; row < table->rows; row++) {
        json_t *object = json_object();
        for (size_t column = 0; column < table->columns; column++) {
            char key[64];
            const char *cell = table->cells[row * table->columns + column];
            key_of(table->cells[column], key);
            json_object_set_new(object, key, strcmp(cell, "-") == 0 ? json_null() : json_string(cell));
        }
        json_array_append_new(rows, object);
    }
    json_print_indented(stdout, rows);
    putchar('\n');
    json_decref(rows);
    rows_free(table);
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
    }
    rows_free(table);
}
