/*
 * Reading entities: a page, a count, one row. A page is ordered by a column and then by id, nulls last, so a
 * cursor (the last row's two values) continues behind it whatever has been added or removed since.
 */
#include "lib/entity.h"

#include <string.h>

static bool may_be_null(const struct entity_column *column)
{
    return (column->flags & COLUMN_NOT_NULL) == 0;
}

EDGE_NORETURN static void bad_cursor(edge_ctx *ctx)
{
    entity_bad_input(ctx, "filters.cursor", "is no cursor of this order");
}

static void bind_cursor(const struct entity_call *call, const struct entity_column *column, const json_t *value,
    struct column_value *bound)
{
    if (column_value(call->ctx, column, value, COLUMN_TO_COMPARE, bound) != NULL)
        bad_cursor(call->ctx);
}

/* " AND (c > $v OR (c = $v AND id > $i) OR c IS NULL)"; behind a NULL there are only NULLs. */
static void add_after(const struct entity_call *call, struct sql *sql, const struct entity_page *page)
{
    const char *name = page->order->name, *further = page->ascending ? " > " : " < ";
    const json_t *value = json_object_get(page->after, "value");
    struct column_value order, id;
    bind_cursor(call, entity_column(call->entity, "id"), json_object_get(page->after, "id"), &id);

    sql_add(sql, strstr(sql->text.data, " WHERE ") != NULL ? " AND (" : " WHERE (", NULL);
    if (json_is_null(value)) {
        sql_add(sql, name, " IS NULL", NULL);
    } else {
        bind_cursor(call, page->order, value, &order);
        sql_add(sql, name, further, NULL);
        sql_value(sql, &order);
        sql_add(sql, may_be_null(page->order) ? " OR " : "", may_be_null(page->order) ? name : "",
            may_be_null(page->order) ? " IS NULL" : "", " OR (", name, " = ", NULL);
        sql_value(sql, &order);
    }
    sql_add(sql, " AND id", further, NULL);
    sql_value(sql, &id);
    sql_add(sql, json_is_null(value) ? ")" : "))", NULL);
}

void entity_filter_page(struct entity_call *call, struct sql *sql, const struct entity_page *page)
{
    const char *direction = page->ascending ? " ASC" : " DESC";
    if (page->after != NULL)
        add_after(call, sql, page);
    sql_add(sql, " ORDER BY ", page->order->name, direction, " NULLS LAST, id", direction, " LIMIT ", NULL);
    sql_arg(sql, edge_int(page->limit + 1));
    sql_add(sql, " OFFSET ", NULL);
    sql_arg(sql, edge_int(page->offset));
}

const char *entity_cursor(
    const struct entity_call *call, const edge_rows *rows, size_t row, const struct entity_page *page)
{
    json_t *cursor = json_pack("{s:s, s:b, s:o, s:o}", "order", page->order->name, "ascending", page->ascending,
        "value", edge_rows_value(rows, row, page->order->name), "id", edge_rows_value(rows, row, "id"));
    size_t length = 0;
    const char *text = edge_json_dump(call->ctx, cursor, &length);
    return edge_base64url(call->ctx, text, length);
}

json_t *entity_list(struct entity_call *call, const json_t *filters)
{
    struct sql *sql = sql_begin(call->ctx, "SELECT ");
    struct entity_page page = { 0 };
    struct sql *conditions = sql_begin(call->ctx, "");
    entity_filter(call, filters, conditions, &page);
    if (page.nothing)
        return json_pack("{s:[], s:b, s:n}", "data", "hasMore", 0, "nextCursor");

    /* Only now it is known whether an administrator asks, who sees more columns. */
    sql_columns(sql, call->entity, call->admin);
    sql_add(sql, " FROM ", call->entity->table, text_value(&conditions->text), NULL);
    memcpy(sql->args, conditions->args, sizeof sql->args);
    sql->count = conditions->count;
    entity_filter_page(call, sql, &page);

    edge_rows *rows = sql_query(call->ctx, call->everybody, sql);
    json_t *data = edge_rows_json(rows);
    bool more = edge_rows_count(rows) > (size_t)page.limit;
    if (more)
        json_array_remove(data, (size_t)page.limit);
    return json_pack("{s:o, s:b, s:s?}", "data", data, "hasMore", more, "nextCursor",
        more ? entity_cursor(call, rows, (size_t)page.limit - 1, &page) : NULL);
}

json_t *entity_count(struct entity_call *call, const json_t *filters)
{
    struct sql *sql = sql_begin(call->ctx, "SELECT count(*) AS count FROM ");
    sql_add(sql, call->entity->table, NULL);
    struct entity_page page = { 0 };
    entity_filter(call, filters, sql, &page);
    int64_t count = page.nothing ? 0 : edge_rows_int(sql_query(call->ctx, call->everybody, sql), 0, "count");
    return json_pack("{s:I}", "count", (json_int_t)count);
}

static edge_rows *row_by_id(struct entity_call *call, edge_arg id)
{
    struct sql *sql = sql_begin(call->ctx, "SELECT ");
    sql_columns(sql, call->entity, call->admin);
    sql_add(sql, " FROM ", call->entity->table, " WHERE id = ", NULL);
    sql_arg(sql, id);
    return sql_query(call->ctx, call->everybody, sql);
}

json_t *entity_get(struct entity_call *call, const char *id)
{
    edge_arg key = entity_id(call, id);
    edge_rows *rows = row_by_id(call, key);
    if (edge_rows_count(rows) == 0 && !call->asked && entity_is_admin(call))
        rows = row_by_id(call, key);
    if (edge_rows_count(rows) == 0)
        edge_fail(call->ctx, 404, "not_found", "Row \"%s\" of \"%s\" does not exist", id, call->entity->table);
    return json_pack("{s:o}", "data", edge_row_json(rows, 0));
}
