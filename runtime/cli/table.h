/*
 * Tables on standard output: columns as wide as their widest cell.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

enum {
    TABLE_COLUMNS_MAX = 16
};

struct table {
    size_t columns, rows;
    char **cells; /* row by row, the heading first */
};

/* Adds a row; cells are copied. The first row is the heading, and its length is the number of columns. */
void table_add(struct table *table, const char *const *cells);

/* Prints the table and frees it. */
void table_print(struct table *table);

/* The same as a JSON array with an object a row, by the heading's words: "BASE URL" is "baseUrl". */
void table_print_json(struct table *table);

#endif
