/*
 * Content of the former platform as rows of ours (spec crm.md, syncExternalPlatformData): what a source row's
 * columns, camelCase or snake_case, become, and the statements that write a page of them and take away what is
 * gone.
 */
#ifndef LIB_PLATFORM_ROWS_H
#define LIB_PLATFORM_ROWS_H

#include <edge/edge.h>

struct platform_table {
    const char *name;
    /*
     * Writes a page: $1 the rows, $2 the system profile's id, $3 the run's id; one row of counts "created",
     * "updated". Rows that have been there keep their id.
     */
    const char *write_sql;
    /* Takes away what this run has not seen: $1 the run's start, $2 the system profile's id, $3 the run's id.
     */
    const char *prune_sql;
    bool needs_system;
    json_t *(*map)(edge_ctx *ctx, const json_t *row); /* without the id */
    const char *const *required;                      /* columns, NULL-terminated */
};

/* Ended by one without a name. */
extern const struct platform_table platform_tables[];

/* A source row as ours, its id made a UUID; NULL with *error saying why when it cannot be one. */
json_t *platform_row(
    edge_ctx *ctx, const struct platform_table *table, const json_t *source, const char **error);

#endif
