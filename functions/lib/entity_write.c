/*
 * Writing entities. Columns come from the catalogue, values are parameters, and a row that is not the caller's
 * is one that is not there, unless an administrator asks.
 */
#include "lib/entity.h"

#include "lib/idempotency.h"

enum {
    ROWS_MAX = 500
};

static json_t *with_ignored(json_t *body, json_t *ignored)
{
    if (json_array_size(ignored) > 0)
        json_object_set_new(body, "ignoredFields", ignored);
    return body;
}

static void add_item(struct sql *sql, const struct entity_item *item)
{
    if (item->expression != NULL)
        sql_add(sql, item->expression, NULL);
    else
        sql_value(sql, &item->value);
}

static void add_returning(const struct entity_call *call, struct sql *sql)
{
    sql_add(sql, " RETURNING ", NULL);
    sql_columns(sql, call->entity, call->admin || call->everybody);
}

static struct sql *insert_statement(const struct entity_call *call, const struct entity_data *data)
{
    const struct entity *entity = call->entity;
    struct sql *sql = sql_begin(call->ctx, "INSERT INTO ");
    const char *separator = "";
    sql_add(sql, entity->table, " (", NULL);
    if (entity->owner != NULL) {
        sql_add(sql, entity->owner, NULL);
        separator = ", ";
    }
    for (size_t i = 0; i < data->count; i++, separator = ", ")
        sql_add(sql, separator, data->items[i].column->name, NULL);
    sql_add(sql, ") VALUES (", NULL);
    separator = "";
    if (entity->owner != NULL) {
        sql_arg(sql, edge_text(data->owner != NULL ? data->owner : call->user));
        separator = ", ";
    }
    for (size_t i = 0; i < data->count; i++, separator = ", ") {
        sql_add(sql, separator, NULL);
        add_item(sql, &data->items[i]);
    }
    sql_add(sql, ")", NULL);
    add_returning(call, sql);
    return sql;
}

/* Runs the inserts and answers with their rows; a body of one row when there is one. */
static json_t *made_rows(const struct entity_call *call, edge_rows *const *rows, size_t count)
{
    if (!call->bulk)
        return json_pack("{s:o}", "data", edge_row_json(rows[0], 0));
    json_t *made = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(made, edge_row_json(rows[i], 0));
    return json_pack("{s:o}", "data", made);
}

/* One round trip, and one transaction. */
static json_t *insert_together(
    struct entity_call *call, const edge_statement *statements, size_t count, json_t *ignored)
{
    edge_error error;
    edge_rows **rows = edge_alloc(call->ctx, count * sizeof *rows);
    bool service = entity_as_service(call, 'C');
    if (!(service ? edge_try_service_query_together : edge_try_query_together)(
            call->ctx, &error, rows, statements, count))
        entity_refused(call, &error);
    return with_ignored(made_rows(call, rows, count), ignored);
}

/* The same behind a key: rows and answer are kept together, or neither. */
static json_t *insert_once(
    struct entity_call *call, const edge_statement *statements, size_t count, json_t *ignored, const json_t *in)
{
    edge_error error;
    edge_rows **rows = edge_alloc(call->ctx, count * sizeof *rows);
    json_t *answer = NULL;
    EDGE_TRANSACTION(call->ctx, tx, .service = entity_as_service(call, 'C'))
    {
        answer = idempotent_replay(call->ctx, tx, call->scope, call->key, in);
        if (answer == NULL) {
            if (!edge_tx_try_query_all(tx, &error, rows, statements, count))
                entity_refused(call, &error);
            answer = with_ignored(made_rows(call, rows, count), ignored);
            idempotent_keep(call->ctx, tx, call->scope, call->key, answer);
        }
    }
    return answer;
}

json_t *entity_create(struct entity_call *call, const json_t *data, const json_t *in)
{
    edge_ctx *ctx = call->ctx;
    size_t count = call->bulk ? json_array_size(data) : 1;
    if (call->bulk && (!json_is_array(data) || count == 0 || count > ROWS_MAX))
        entity_bad_input(ctx, call->data_name, "must be an array of 1 to 500 objects");

    json_t *ignored = json_array();
    edge_statement *statements = edge_alloc(ctx, count * sizeof *statements);
    for (size_t i = 0; i < count; i++) {
        const char *field = call->bulk ? edge_format(ctx, "%s[%zu]", call->data_name, i) : call->data_name;
        const json_t *row = call->bulk ? json_array_get(data, i) : data;
        statements[i] =
            sql_statement(insert_statement(call, entity_data_read(call, row, field, true, ignored)));
    }
    return call->key == NULL ? insert_together(call, statements, count, ignored)
                             : insert_once(call, statements, count, ignored, in);
}

static const char *checked_time(struct entity_call *call, const char *expected)
{
    if (expected == NULL)
        return NULL;
    if (entity_column(call->entity, "updated_at") == NULL)
        entity_bad_input(call->ctx, "expectedUpdatedAt", "is not kept by this table");
    return expected;
}

static edge_rows *run_update(
    struct entity_call *call, edge_arg id, const struct entity_data *data, const char *expected)
{
    const struct entity *entity = call->entity;
    struct sql *sql = sql_begin(call->ctx, "UPDATE ");
    const char *separator = " SET ";
    sql_add(sql, entity->table, NULL);
    if (data->owner != NULL) {
        sql_add(sql, " SET ", entity->owner, " = ", NULL);
        sql_arg(sql, edge_text(data->owner));
        separator = ", ";
    }
    for (size_t i = 0; i < data->count; i++, separator = ", ") {
        sql_add(sql, separator, data->items[i].column->name, " = ", NULL);
        add_item(sql, &data->items[i]);
    }
    sql_add(sql, " WHERE id = ", NULL);
    sql_arg(sql, id);
    if (expected != NULL) {
        struct column_value value;
        const char *wrong = column_value(
            call->ctx, entity_column(entity, "updated_at"), json_string(expected), COLUMN_TO_COMPARE, &value);
        if (wrong != NULL)
            entity_bad_input(call->ctx, "expectedUpdatedAt", wrong);
        sql_add(sql, " AND updated_at = ", NULL);
        sql_value(sql, &value);
    }
    add_returning(call, sql);
    edge_error error;
    edge_rows *rows = sql_try_query(call->ctx, entity_as_service(call, 'U'), &error, sql);
    if (rows == NULL)
        entity_refused(call, &error);
    return rows;
}

json_t *entity_update(struct entity_call *call, const char *id, const json_t *data, const char *expected)
{
    edge_arg key = entity_id(call, id);
    json_t *ignored = json_array();
    struct entity_data *changes = entity_data_read(call, data, call->data_name, false, ignored);
    expected = checked_time(call, expected);

    edge_rows *rows = run_update(call, key, changes, expected);
    if (edge_rows_count(rows) == 0 && !call->asked && entity_is_admin(call))
        rows = run_update(call, key, changes, expected);
    if (edge_rows_count(rows) > 0)
        return with_ignored(json_pack("{s:o}", "data", edge_row_json(rows, 0)), ignored);

    /* Ends with 404 when there is no such row; what is there has been changed since. */
    json_t *current = json_object_get(entity_get(call, id), "data");
    if (expected == NULL)
        edge_fail(call->ctx, 404, "not_found", "Row \"%s\" of \"%s\" does not exist", id, call->entity->table);
    edge_fail_with(call->ctx, 409, "stale_row", .message = "The row has been changed meanwhile",
        .extra = json_pack("{s:O}", "current", current));
}

static edge_rows *run_delete(struct entity_call *call, edge_arg id)
{
    struct sql *sql = sql_begin(call->ctx, "DELETE FROM ");
    sql_add(sql, call->entity->table, " WHERE id = ", NULL);
    sql_arg(sql, id);
    return sql_query(call->ctx, entity_as_service(call, 'D'), sql);
}

json_t *entity_delete(struct entity_call *call, const char *id)
{
    edge_arg key = entity_id(call, id);
    edge_rows *rows = run_delete(call, key);
    if (edge_rows_affected(rows) == 0 && !call->asked && entity_is_admin(call))
        rows = run_delete(call, key);
    if (edge_rows_affected(rows) == 0)
        edge_fail(call->ctx, 404, "not_found", "Row \"%s\" of \"%s\" does not exist", id, call->entity->table);
    return json_pack("{s:b}", "success", 1);
}
