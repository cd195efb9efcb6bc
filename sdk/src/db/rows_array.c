/*
 * Array literals (PostgreSQL 15 manual, 8.15.6) as JSON: nested braces, quoted items, NULL, bounds in front.
 */
#include "db/rows.h"

#include "db/oids.h"

#include <string.h>
#include <strings.h>

/* PostgreSQL's MAXDIM. */
#define DIMENSIONS_MAX 6

Oid rows_item_type(Oid array_type)
{
    switch (array_type) {
    case OID_BOOL_ARRAY:
        return OID_BOOL;
    case OID_INT2_ARRAY:
    case OID_INT4_ARRAY:
    case OID_INT8_ARRAY:
        return OID_INT8;
    case OID_FLOAT4_ARRAY:
    case OID_FLOAT8_ARRAY:
    case OID_NUMERIC_ARRAY:
        return OID_NUMERIC;
    case OID_JSON_ARRAY:
    case OID_JSONB_ARRAY:
        return OID_JSONB;
    case OID_TIMESTAMP_ARRAY:
    case OID_TIMESTAMPTZ_ARRAY:
        return OID_TIMESTAMPTZ;
    case OID_NAME_ARRAY:
    case OID_TEXT_ARRAY:
    case OID_BPCHAR_ARRAY:
    case OID_VARCHAR_ARRAY:
    case OID_DATE_ARRAY:
    case OID_UUID_ARRAY:
        return OID_TEXT;
    default:
        return 0;
    }
}

struct reader {
    edge_ctx *ctx;
    const char *at;
    char *scratch; /* as long as the literal; holds the current item without its escapes */
    Oid item_type;
};

/* Reads one item into scratch; true unless it is malformed. *quoted: a quoted NULL is a word. */
static bool read_item(struct reader *reader, bool *quoted)
{
    char *out = reader->scratch;
    *quoted = *reader->at == '"';
    const char *ends = *quoted ? "\"" : ",}";
    if (*quoted)
        reader->at++;

    while (*reader->at != '\0' && strchr(ends, *reader->at) == NULL) {
        if (*reader->at == '\\' && reader->at[1] != '\0')
            reader->at++;
        *out++ = *reader->at++;
    }
    *out = '\0';
    if (*reader->at == '\0')
        return false;
    if (*quoted)
        reader->at++;
    return true;
}

static json_t *read_array(struct reader *reader, int depth);

static json_t *read_value(struct reader *reader, int depth)
{
    if (*reader->at == '{')
        return depth < DIMENSIONS_MAX ? read_array(reader, depth + 1) : NULL;

    bool quoted;
    if (!read_item(reader, &quoted))
        return NULL;
    if (!quoted && strcasecmp(reader->scratch, "NULL") == 0)
        return json_null();
    return rows_json_value(reader->ctx, reader->item_type, reader->scratch);
}

static json_t *read_array(struct reader *reader, int depth)
{
    json_t *array = json_array();
    reader->at++;
    if (*reader->at == '}') {
        reader->at++;
        return array;
    }
    for (;;) {
        json_t *value = read_value(reader, depth);
        if (value == NULL || json_array_append_new(array, value) < 0)
            return NULL;
        char after = *reader->at++;
        if (after == '}')
            return array;
        if (after != ',')
            return NULL;
    }
}

/* Bounds, when they do not start at 1, come first: [0:2]={1,2,3}. NULL when there is no brace. */
static const char *behind_bounds(const char *literal)
{
    const char *start = literal[0] == '[' ? strchr(literal, '=') : NULL;
    start = start != NULL ? start + 1 : literal;
    return *start == '{' ? start : NULL;
}

json_t *rows_json_array(edge_ctx *ctx, Oid item_type, const char *literal)
{
    const char *start = behind_bounds(literal);
    if (start == NULL)
        return NULL;
    struct reader reader = {
        .ctx = ctx,
        .at = start,
        .scratch = edge_alloc(ctx, strlen(start) + 1),
        .item_type = item_type,
    };
    json_t *array = read_array(&reader, 1);
    return array != NULL && *reader.at == '\0' ? array : NULL;
}

/* At most how many items: a comma inside of quotes counts for one too many. */
static size_t items_max(const char *literal)
{
    size_t count = 1;
    for (; *literal != '\0'; literal++)
        count += *literal == ',';
    return count;
}

const char *const *rows_array_items(edge_ctx *ctx, const char *literal, size_t *count)
{
    const char *start = behind_bounds(literal);
    if (start == NULL)
        return NULL;
    struct reader reader = { .at = start + 1, .scratch = edge_alloc(ctx, strlen(start) + 1) };
    const char **items = edge_alloc(ctx, items_max(start) * sizeof *items);
    for (bool more = *reader.at != '}'; more; more = *reader.at++ == ',') {
        bool quoted;
        if (*reader.at == '{' || !read_item(&reader, &quoted))
            return NULL;
        bool null = !quoted && strcasecmp(reader.scratch, "NULL") == 0;
        items[(*count)++] = null ? NULL : reader.scratch;
        reader.scratch +=
            strlen(reader.scratch) + 1; /* an item and its NUL are as long as it was with a comma */
    }
    return items;
}
