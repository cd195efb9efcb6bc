/*
 * The entities that clients may name, with their columns: all that of a client's words can become part of a
 * statement. A name that comes from outside is compared with this catalogue, and what goes into SQL is the
 * catalogue's own literal (spec data.md D5).
 */
#ifndef LIB_ENTITY_CATALOGUE_H
#define LIB_ENTITY_CATALOGUE_H

#include <edge/edge.h>

/* What a column holds, and so which values it takes (lib/column.h). */
enum column_type {
    COLUMN_TEXT = 1, /* up to 255 characters */
    COLUMN_LONG,     /* text, up to 100,000 */
    COLUMN_URL,      /* text, up to 2,048 */
    COLUMN_ENUM,     /* text, one of the column's values */
    COLUMN_COLOUR,   /* text, "#" and six hexadecimal digits */
    COLUMN_TIMEZONE, /* text, a name of pg_timezone_names */
    COLUMN_INTEGER,
    COLUMN_PERCENT, /* integer, 0..100 */
    COLUMN_BIGINT,
    COLUMN_NUMERIC, /* two decimals, below 10^10 */
    COLUMN_RATE,    /* numeric(6,2) */
    COLUMN_BOOLEAN,
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_TIMESTAMP,
    COLUMN_UUID,
    COLUMN_TEXTS, /* text[] */
    COLUMN_JSON,
    COLUMN_BIG_JSON, /* jsonb up to 1 MiB instead of 256 KiB */
};

enum {
    COLUMN_NOT_NULL = 1,
    COLUMN_WRITABLE = 2,
    COLUMN_REQUIRED = 4 | COLUMN_WRITABLE, /* must be there when a row is made */
    COLUMN_HIDDEN = 8,                     /* unknown to everybody */
    COLUMN_FOR_ADMINS = 16,                /* unknown to everybody else */
    COLUMN_MERGED = 32,                    /* an object, merged over the stored one */
    COLUMN_IMPORTED = 64,                  /* filled by imports, though not writable */
    COLUMN_IMPORT_REQUIRED = 128,
};

struct entity_column {
    const char *name;
    enum column_type type;
    unsigned flags;
    const char *const *values; /* of COLUMN_ENUM, NULL-terminated */
    const char *fallback;      /* when a row is made without it */
    const char *copies;        /* column whose value is the fallback */
};

struct entity_alias {
    const char *name, *column;
    bool for_write; /* holds for data only; the others hold for everything */
};

enum entity_scope {
    ENTITY_OWN = 1,   /* the caller's rows */
    ENTITY_CATALOGUE, /* rows for everybody, kept by administrators */
    ENTITY_MIXED,     /* own rows, and active ones of administrators */
};

struct entity {
    const char *name, *table;
    enum entity_scope scope;
    const char *owner;                              /* column with the owner's id; NULL: rows have no owner */
    const char *user_operations, *admin_operations; /* letters of R C U D */
    bool service_writes; /* users' roles may not write it: administrators do as the service */
    const struct entity_column *columns;
    const struct entity_alias *aliases; /* ended by { 0 }, or NULL */
    const char *const *ignored;         /* old names that writes leave out, NULL-terminated, or NULL */
    const char *unique;                 /* columns of its unique key, as "user_id, date"; NULL without one */
};

/* All entities in five lists, each ended by { 0 }. */
extern const struct entity entities_people[], entities_accounts[], entities_work[], entities_records[],
    entities_content[];

/* By the entity's or the table's name, exactly; NULL for any other. */
const struct entity *entity_find(const char *name);

/* A column by its own name, whatever its flags; NULL when there is none. */
const struct entity_column *entity_column(const struct entity *entity, const char *name);

/* A column by its name or an alias, for reading or for data; NULL when there is none. */
const struct entity_column *entity_column_named(const struct entity *entity, const char *name, bool for_write);

/* True when name is one that data may hold, but that is left out. */
bool entity_ignores(const struct entity *entity, const char *name);

/* True when a caller of this kind may know of the column. */
bool entity_column_visible(const struct entity_column *column, bool admin);

/* True when callers of this kind may do operation ('R', 'C', 'U', 'D'). */
bool entity_allows(const struct entity *entity, bool admin, char operation);

/* The column's type as PostgreSQL names it. */
const char *column_sql_type(const struct entity_column *column);

#endif
