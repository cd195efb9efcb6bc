/*
 * Generic reading and writing of the catalogue's entities, for entityOperations and adminEntityCRUD. The files:
 *
 *   entity.c         who calls, and what he may do
 *   entity_data.c    a request's data: which columns with which values
 *   entity_filter.c  a request's filters: conditions, order, page
 *   entity_read.c    list, count, get
 *   entity_write.c   create, update, delete
 *
 * A caller is a user first, under row security. He is asked to be an administrator only where being one makes a
 * difference, because the question costs a round trip.
 */
#ifndef LIB_ENTITY_H
#define LIB_ENTITY_H

#include "lib/entity_catalogue.h"
#include "lib/sql.h"

struct entity_call {
    edge_ctx *ctx;
    const struct entity *entity;
    const char *user;      /* the caller's id */
    const char *data_name; /* what the request calls its data, for the field of an error */
    bool everybody;        /* an administrator's function: as the service, no rows left out */
    bool self_only;        /* nobody is looked at as an administrator */
    bool bulk;             /* create takes an array of 1..500 rows */
    const char *key;       /* create happens once for it (lib/idempotency), NULL without one */
    const char *scope;     /* the function's name, for the key */
    bool asked, admin;     /* whether the caller is known to be an administrator */
};

/* True when the caller is an administrator; then his later queries see everybody's rows. Asks once. */
bool entity_is_admin(struct entity_call *call);

/* Ends the invocation with 403 "operation_not_allowed" unless the caller may do it: 'R', 'C', 'U' or 'D'. */
void entity_require(struct entity_call *call, char operation);

/* True when a statement of this operation runs as the service. */
bool entity_as_service(const struct entity_call *call, char operation);

/* Ends the invocation with 400 "invalid_input" and a message like "data.title must be a string". */
EDGE_NORETURN void entity_bad_input(edge_ctx *ctx, const char *field, const char *wrong);

/* Ends the invocation as a refused statement wants it: already_exists, invalid_reference, or 500. */
EDGE_NORETURN void entity_refused(const struct entity_call *call, const edge_error *error);

/* The id of a get, update or delete: a UUID, of profiles any text; 400 naming id otherwise. */
edge_arg entity_id(const struct entity_call *call, const char *id);

/* --- data --- */

enum {
    ENTITY_ITEMS_MAX = 40
};

/* One column of a row that is written. */
struct entity_item {
    const struct entity_column *column;
    struct column_value value;
    const char *expression; /* instead of the value: a literal of the program */
};

struct entity_data {
    struct entity_item items[ENTITY_ITEMS_MAX];
    size_t count;
    const char *owner; /* somebody else's id, whom an administrator has named; else NULL */
};

/*
 * Reads a request's data. field is its path ("data", "data[3]"); creating says that a row is made, so required
 * columns must be there and fallbacks are filled in. Names that are left out are added to ignored, once each.
 */
EDGE_RETURNS_NONNULL struct entity_data *entity_data_read(
    struct entity_call *call, const json_t *data, const char *field, bool creating, json_t *ignored);

/* --- filters --- */

struct entity_page {
    const struct entity_column *order; /* never NULL */
    bool ascending;
    int64_t limit, offset;
    const json_t *after; /* where a cursor continues; NULL: at the beginning */
    bool nothing;        /* no row can fit */
};

/*
 * Reads a request's filters (NULL: none) into " WHERE ..." behind sql and *page. Fails with 400
 * "unknown_column", "invalid_filter" or "invalid_input", 403 "user_mismatch".
 */
void entity_filter(struct entity_call *call, const json_t *filters, struct sql *sql, struct entity_page *page);

/* Adds the condition of the page's cursor, the order, and one row more than the limit. */
void entity_filter_page(struct entity_call *call, struct sql *sql, const struct entity_page *page);

/* The cursor that continues behind a row. */
EDGE_RETURNS_NONNULL const char *entity_cursor(
    const struct entity_call *call, const edge_rows *rows, size_t row, const struct entity_page *page);

/* --- operations; each returns the 200 body --- */

/* What they answer with, as members of an output table; success is there when a row was deleted. */
#define ENTITY_FIELDS                                                                                          \
    { "data", EDGE_JSON, .help = "The row, or the page's rows; members as the table's columns" },              \
        { "hasMore", EDGE_BOOL, .help = "Of a page: whether rows come behind it" },                            \
        { "nextCursor", EDGE_TEXT, .help = "Of a page: filters.cursor of the next one; null: none" },          \
    {                                                                                                          \
        "ignoredFields", EDGE_ARRAY, .items = &entity_word, .help = "What was given and not written"           \
    }

extern const edge_field entity_word; /* one word of a list */

EDGE_RETURNS_NONNULL json_t *entity_list(struct entity_call *call, const json_t *filters);
EDGE_RETURNS_NONNULL json_t *entity_count(struct entity_call *call, const json_t *filters);
EDGE_RETURNS_NONNULL json_t *entity_get(struct entity_call *call, const char *id);
EDGE_RETURNS_NONNULL json_t *entity_update(
    struct entity_call *call, const char *id, const json_t *data, const char *expected_updated_at);
EDGE_RETURNS_NONNULL json_t *entity_delete(struct entity_call *call, const char *id);

/* in: the whole request, which the idempotency key stands for. */
EDGE_RETURNS_NONNULL json_t *entity_create(struct entity_call *call, const json_t *data, const json_t *in);

#endif
