/*
 * updateUserData: the caller's one row in a settings table, made when it is not there. Only the columns that
 * are given change.
 *
 * One round trip as the caller, under row security; a time zone costs another, to be looked up.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/entity.h"
#include "lib/snake.h"

static const edge_field input[] = {
    { "table", EDGE_TEXT, .required = true,
        .help = "profiles, market_config, user_preferences, agent_config …" },
    { "data", EDGE_OBJECT, .required = true, .help = "Columns to write, in snake_case or camelCase" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "data", EDGE_OBJECT, .required = true, .help = "The row as it is now; members as the table's columns" },
    { "ignoredFields", EDGE_ARRAY, .items = &entity_word, .help = "What was given and not written" },
    { 0 },
};

static const struct settings {
    const char *table;
    const char *default_column, *default_value; /* of a row that is made without it */
} tables[] = {
    { "profiles" },
    { "market_config", "market_name", "Primary Market" },
    { "user_preferences" },
    { "agent_config", "agent_type", "executive_assistant" },
    { "agent_intelligence_profiles" },
    { "business_plans" },
};

static const struct settings *find_settings(edge_ctx *ctx, const char *table)
{
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (strcmp(tables[i].table, table) == 0)
            return &tables[i];
    edge_fail(ctx, 403, "table_not_allowed", "\"%s\" is no table of settings", table);
}

static bool is_given(const struct entity_data *data, const char *column)
{
    for (size_t i = 0; i < data->count; i++)
        if (strcmp(data->items[i].column->name, column) == 0)
            return true;
    return false;
}

static void refuse_empty(edge_ctx *ctx, const struct entity_data *data)
{
    for (size_t i = 0; i < data->count; i++) {
        const struct entity_item *item = &data->items[i];
        bool required = (item->column->flags & COLUMN_REQUIRED) == COLUMN_REQUIRED;
        const char *text = item->value.arg.data;
        if (required && column_is_text(item->column) && text[strspn(text, " \t\r\n")] == '\0')
            entity_bad_input(ctx, edge_format(ctx, "data.%s", item->column->name), "must not be empty");
    }
}

static struct sql *upsert_statement(
    struct entity_call *call, const struct settings *settings, const struct entity_data *data)
{
    const struct entity *entity = call->entity;
    struct sql *sql = sql_begin(call->ctx, "INSERT INTO ");
    bool completed = settings->default_column != NULL && !is_given(data, settings->default_column);
    sql_add(sql, entity->table, " (", entity->owner, NULL);
    for (size_t i = 0; i < data->count; i++)
        sql_add(sql, ", ", data->items[i].column->name, NULL);
    if (completed)
        sql_add(sql, ", ", settings->default_column, NULL);
    sql_add(sql, ") VALUES (", NULL);
    sql_arg(sql, edge_text(call->user));
    for (size_t i = 0; i < data->count; i++) {
        sql_add(sql, ", ", NULL);
        sql_value(sql, &data->items[i].value);
    }
    if (completed) {
        sql_add(sql, ", ", NULL);
        sql_arg(sql, edge_text(settings->default_value));
    }
    sql_add(sql, ") ON CONFLICT (", entity->unique != NULL ? entity->unique : "id", ") DO UPDATE SET ", NULL);
    for (size_t i = 0; i < data->count; i++) {
        const char *name = data->items[i].column->name;
        sql_add(sql, i == 0 ? "" : ", ", name, " = EXCLUDED.", name, NULL);
    }
    sql_add(sql, " RETURNING ", NULL);
    sql_columns(sql, entity, false);
    return sql;
}

static json_t *update_user_data(edge_ctx *ctx, json_t *in)
{
    const struct settings *settings = find_settings(ctx, edge_json_text(in, "table"));
    struct entity_call call = {
        .ctx = ctx,
        .entity = entity_find(settings->table),
        .user = edge_auth_user(ctx),
        .self_only = true,
    };
    json_t *ignored = json_array();
    json_t *given = snake_object(ctx, json_object_get(in, "data"));
    struct entity_data *data = entity_data_read(&call, given, "data", false, ignored);
    refuse_empty(ctx, data);

    edge_error error;
    edge_rows *row = sql_try_query(ctx, false, &error, upsert_statement(&call, settings, data));
    if (row == NULL)
        entity_refused(&call, &error);

    json_t *answer = json_pack("{s:b, s:o}", "success", 1, "data", edge_row_json(row, 0));
    if (json_array_size(ignored) > 0)
        json_object_set_new(answer, "ignoredFields", ignored);
    return answer;
}

EDGE_FUNCTION(updateUserData,
    .summary = "Writes the signed-in user's row of a settings table",
    .input = input,
    .output = output,
    .handle = update_user_data);
