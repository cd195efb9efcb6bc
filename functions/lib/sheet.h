/*
 * The rows of a new spreadsheet: a header and data rows, given as arrays of cells or as objects.
 */
#ifndef LIB_SHEET_H
#define LIB_SHEET_H

#include <edge/edge.h>

/* Input and check of createGoogleSheetTool. */
extern const edge_field sheet_input[];
json_t *sheet_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value);

struct sheet {
    const json_t *header; /* array of cells; NULL without a header row */
    const json_t *rows;   /* arrays or objects; NULL without any */
    size_t column_count;  /* of the widest row */
};

struct sheet sheet_read(const json_t *in);

/* Rows with the header. */
size_t sheet_row_count(const struct sheet *sheet);

/* The body of Google's spreadsheets.create. */
json_t *sheet_request(const char *title, const struct sheet *sheet);

#endif
