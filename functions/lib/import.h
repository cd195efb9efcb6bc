/*
 * Imports of CSV files into entities (spec data.md D9). The files:
 *
 *   import.c        a file from its header to its counts, in one transaction
 *   import_record.c a record, cell by cell
 *   import_plan.c   which column a header fills
 *   import_cell.c   a cell as its column takes it
 *   import_apply.c  from the staging table to the entity's
 *
 * A file is read as a stream and copied into a temporary table, because COPY into a table with row security is
 * refused, and because conflicts, references and repeated keys are questions to a table. From there it goes on
 * in a few statements. What is in memory is one record, the mistakes that are reported, and nothing per row.
 */
#ifndef LIB_IMPORT_H
#define LIB_IMPORT_H

#include "lib/entity_catalogue.h"
#include "lib/text.h"

struct import_counts {
    int64_t bytes, rows, errors;
};

/* A data set whose columns and identities are its own (importPlatformData). */
struct import_dataset {
    const char *name;
    const char *const
        *key_headers; /* of its identity when there is no id, NULL-terminated; NULL: natural key */
    const char *const (*mapping)[2];   /* header, column; ended by { NULL } */
    const char *const (*constants)[2]; /* column, SQL literal; ended by { NULL }; NULL: none */
    const char *const (*defaults)[2];  /* column, SQL literal instead of an empty cell; NULL: none */
    const char *owner_header;          /* header with the e-mail address of a row's owner */
    const char *const *required;       /* columns beside the catalogue's, NULL-terminated; NULL: none */
    const char *items_column;          /* jsonb column made of link headers (featured content) */
};

struct import_job {
    const struct entity *entity;
    const char *owner;    /* whose rows they become; NULL where rows have no owner */
    bool owned_by_system; /* instead: the system profile's, which is made when it is not there */
    bool service;         /* as the service instead of the caller */
    bool insert_only, abort_on_error, dry_run, replace;
    const json_t *mapping; /* header -> column, or NULL */
    char separator;
    const void *data;
    size_t length;
    const struct import_dataset *dataset; /* NULL: the entity's own columns */
    void (*progress)(edge_ctx *ctx, void *arg, const struct import_counts *counts); /* may be NULL */
    void *arg;
};

struct import_result {
    /* Why the file as a whole was not imported; code NULL when it was. */
    int status;
    const char *code, *message;
    json_t *extra;

    int64_t total, imported, updated, skipped, error_count;
    json_t *errors; /* the first 1,000 in the order of lines */
    json_t *ignored_columns;
};

/* Imports a file. A database failure ends the invocation; what the file does wrong is in the result. */
struct import_result import_run(edge_ctx *ctx, const struct import_job *job);

/* True when entity can be imported by its owner, or by administrators. */
bool import_allows(const struct entity *entity, bool *for_admins);

/* --- between the files of the engine --- */

enum {
    IMPORT_TARGETS_MAX = 48,
    IMPORT_FIELDS_MAX = 200,
    IMPORT_ERRORS_MAX = 1000,
};

/* A column of the staging table, and the headers that fill it. */
struct import_target {
    const struct entity_column *column;
    size_t field;         /* which field of a record; SIZE_MAX: none, only keys */
    const char *header;   /* as the file has it */
    const char *keys[16]; /* headers that become members of a jsonb column */
    size_t key_fields[16];
    size_t key_count;
};

struct import_plan {
    edge_ctx *ctx;
    struct import_target targets[IMPORT_TARGETS_MAX];
    size_t count;
    size_t field_count;
    const char *headers[IMPORT_FIELDS_MAX], *snakes[IMPORT_FIELDS_MAX];
    json_t *ignored;
    struct import_target *trigger_value, *trigger_type; /* of task templates */
};

/* Maps a header; false with result's failure filled when the file cannot be imported. */
bool import_plan_header(edge_ctx *ctx, const struct import_job *job, size_t count, const char *const *headers,
    struct import_plan *plan, struct import_result *result);

/* True when a column has to be there, and filled. */
bool import_requires(const struct import_job *job, const struct entity_column *column);

/* The target of a column, NULL when no header fills it. */
const struct import_target *import_plan_target(const struct import_plan *plan, const char *column);

/* The field under a header (in snake_case), or SIZE_MAX. */
size_t import_plan_field(const struct import_plan *plan, const char *snake);

/* Room for converted cells, used again for each record. */
struct import_scratch {
    char number[64], moment[64];
    struct text text, trimmed;
    char *json;
    size_t json_size;
};

/*
 * Converts a cell for COPY: NULL and *out (NULL is SQL NULL), which is valid until the next call with this
 * scratch; or the code of what is wrong with it.
 */
const char *import_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out);

/* What a run is about; the fibers that read and report share it. */
struct import_run {
    edge_ctx *ctx;
    struct import_job *job;
    struct import_plan *plan;
    struct import_result *result;
    struct import_scratch *scratch; /* one for each target */
    struct import_counts counts;
    int64_t reported_at;
    bool done;
};

/* True when there is nothing but white space. */
bool import_is_blank(const char *cell);

/* A record's cell under a header in snake_case, "" when there is no such header. */
EDGE_RETURNS_NONNULL const char *import_row_cell(
    const struct import_run *run, const edge_csv_row *row, const char *snake);

/* Fills values, one for each target; false when the record has a mistake, which has been noted. */
bool import_row_convert(struct import_run *run, const edge_csv_row *row, int64_t number, const char **values);

/* The id that a data set gives a record; NULL when the database makes one. */
const char *import_row_identity(struct import_run *run, const edge_csv_row *row);

/* Makes the staging table of a plan. */
void import_stage_make(edge_tx *tx, const struct import_plan *plan);

/* "COPY ... FROM STDIN" for it: _line, _row, _id, _owner_email, then the plan's columns. */
EDGE_RETURNS_NONNULL const char *import_stage_copy(edge_ctx *ctx, const struct import_plan *plan);

/*
 * Checks what is staged, and brings it into the entity's table unless there are errors that forbid it: then
 * result's code is "import_aborted".
 */
void import_apply(edge_ctx *ctx, edge_tx *tx, const struct import_job *job, const struct import_plan *plan,
    struct import_result *result);

/* Counts an error and keeps it when it is one of the first. column may be NULL. */
void import_note_error(edge_ctx *ctx, struct import_result *result, int64_t line, int64_t row,
    const char *column, const char *code, const char *cell);

#endif
