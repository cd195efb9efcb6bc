/*
 * A request's data: each name is looked up, in the request's order, and the first that is wrong ends it.
 */
#include "lib/entity.h"

#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* What the server keeps itself; clients send it back with the rest of a row. */
static bool is_server_managed(const char *name)
{
    static const char *const names[] = { "id", "created_at", "updated_at", "created_date", "updated_date",
        "created_by" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(name, names[i]))
            return true;
    return false;
}

static void note_ignored(json_t *ignored, const char *name)
{
    size_t i;
    json_t *known;
    json_array_foreach(ignored, i, known)
    {
        if (is(json_string_value(known), name))
            return;
    }
    json_array_append_new(ignored, json_string(name));
}

static struct entity_item *find(struct entity_data *data, const char *name)
{
    for (size_t i = 0; i < data->count; i++)
        if (is(data->items[i].column->name, name))
            return &data->items[i];
    return NULL;
}

static struct entity_item *add(struct entity_data *data, const struct entity_column *column)
{
    struct entity_item *item = &data->items[data->count++];
    *item = (struct entity_item){ .column = column };
    return item;
}

static void check_owner(
    struct entity_call *call, struct entity_data *data, const json_t *value, const char *field)
{
    const char *owner = json_string_value(value);
    if (owner != NULL && is(owner, call->user))
        return;
    if (owner == NULL && !json_is_null(value))
        entity_bad_input(call->ctx, field, "must be a string");
    if (!entity_is_admin(call))
        edge_fail_with(
            call->ctx, 403, "user_mismatch", .field = field, .message = "Rows can be written for oneself only");
    if (owner == NULL || owner[0] == '\0')
        entity_bad_input(call->ctx, field, "must be a user's id");
    data->owner = owner;
}

static void read_column(struct entity_call *call, struct entity_data *data, const struct entity_column *column,
    const json_t *value, const char *field)
{
    if ((column->flags & COLUMN_WRITABLE) == 0)
        edge_fail_with(call->ctx, 403, "column_not_writable", .field = field,
            .message = edge_format(call->ctx, "%s cannot be written", field));
    struct entity_item *item = add(data, column);
    const char *wrong = column_value(call->ctx, column, value, COLUMN_TO_WRITE, &item->value);
    if (wrong != NULL || (json_is_null(value) && (column->flags & COLUMN_REQUIRED) == COLUMN_REQUIRED))
        entity_bad_input(call->ctx, field, wrong != NULL ? wrong : "must not be null");
    if ((column->flags & COLUMN_MERGED) != 0)
        item->value.before = edge_format(call->ctx,
            "CASE WHEN jsonb_typeof(%s) = 'object' THEN %s ELSE '{}' END || ", column->name, column->name);
}

static void read_member(struct entity_call *call, struct entity_data *data, const json_t *all, const char *name,
    const json_t *value, const char *path, json_t *ignored)
{
    const struct entity *entity = call->entity;
    const struct entity_column *column = entity_column_named(entity, name, true);
    const char *field = edge_format(call->ctx, "%s.%s", path, name);

    bool owner = entity->owner != NULL && column != NULL && is(column->name, entity->owner);
    if (owner && !is(column->name, "id"))
        check_owner(call, data, value, field);
    if (owner || is_server_managed(name))
        return;
    /* Of an alias and the real name the real one counts, and of two aliases the first. */
    if (column != NULL && !is(name, column->name) &&
        (json_object_get(all, column->name) != NULL || find(data, column->name) != NULL))
        return;
    if (column != NULL && entity_column_visible(column, call->admin))
        read_column(call, data, column, value, field);
    else if (entity_ignores(entity, name))
        note_ignored(ignored, name);
    else
        edge_fail_with(call->ctx, 400, "unknown_column", .field = field,
            .message = edge_format(call->ctx, "\"%s\" has no column \"%s\"", entity->table, name));
}

/* A row that is made: what it must have, and what it has without being told. */
static void complete(struct entity_call *call, struct entity_data *data, const char *path)
{
    for (const struct entity_column *column = call->entity->columns; column->name != NULL; column++) {
        if ((column->flags & COLUMN_WRITABLE) == 0 || find(data, column->name) != NULL)
            continue;
        struct entity_item *source = column->copies != NULL ? find(data, column->copies) : NULL;
        if ((column->flags & COLUMN_REQUIRED) == COLUMN_REQUIRED)
            entity_bad_input(call->ctx, edge_format(call->ctx, "%s.%s", path, column->name), "is required");
        if (source != NULL)
            add(data, column)->value = source->value;
        else if (column->fallback != NULL)
            add(data, column)->value =
                (struct column_value){ .arg = edge_text(column->fallback), .before = "", .after = "" };
    }
    if (call->everybody && call->entity->scope == ENTITY_OWN && data->owner == NULL)
        entity_bad_input(call->ctx, edge_format(call->ctx, "%s.%s", path, call->entity->owner), "is required");
}

/* An action is completed at a time when its status says so, and at none otherwise. */
static void complete_action(struct entity_call *call, struct entity_data *data, bool creating)
{
    struct entity_item *status = is(call->entity->table, "daily_actions") ? find(data, "status") : NULL;
    if (status == NULL)
        return;
    struct entity_item *at = find(data, "completed_at");
    bool completed = status->value.arg.data != NULL && is(status->value.arg.data, "completed");
    if (completed && at != NULL && at->value.arg.type != EDGE_ARG_NULL)
        return;
    if (at == NULL)
        at = add(data, entity_column(call->entity, "completed_at"));
    at->expression = !completed ? "NULL" : creating ? "now()" : "coalesce(completed_at, now())";
}

static void check_time_zone(struct entity_call *call, struct entity_data *data, const char *path)
{
    for (size_t i = 0; i < data->count; i++) {
        const struct entity_item *item = &data->items[i];
        if (item->column->type != COLUMN_TIMEZONE || item->value.arg.type == EDGE_ARG_NULL)
            continue;
        edge_rows *known =
            edge_query(call->ctx, "SELECT name FROM pg_timezone_names WHERE name = $1", item->value.arg);
        if (edge_rows_count(known) == 0)
            entity_bad_input(call->ctx, edge_format(call->ctx, "%s.%s", path, item->column->name),
                "must be a time zone, as America/New_York");
    }
}

struct entity_data *entity_data_read(
    struct entity_call *call, const json_t *data, const char *field, bool creating, json_t *ignored)
{
    if (!json_is_object(data))
        entity_bad_input(call->ctx, field, "must be an object");
    struct entity_data *read = edge_alloc(call->ctx, sizeof *read);
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)data, name, value)
    {
        read_member(call, read, data, name, value, field, ignored);
    }
    if (creating)
        complete(call, read, field);
    if (!creating && read->count == 0 && read->owner == NULL)
        entity_bad_input(call->ctx, field, "must name at least one column that can be written");
    complete_action(call, read, creating);
    check_time_zone(call, read, field);
    return read;
}
