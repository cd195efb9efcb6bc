/*
 * A request's filters. The client's words are compared with the operators and columns below; what goes into the
 * statement is the literal that they matched.
 */
#include "lib/entity.h"

#include <string.h>

enum {
    CONDITIONS_MAX = 20,
    LIST_MAX = 100,
    PATTERN_MAX = 200,
    LIMIT_MAX = 500,
    LIMIT_DEFAULT = 100,
    OFFSET_MAX = 10000,
};

/* What is being read. */
struct reading {
    struct entity_call *call;
    edge_ctx *ctx;
    struct sql *sql;
    size_t conditions;
    bool owner_named;
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

EDGE_NORETURN static void bad_filter(edge_ctx *ctx, const char *field, const char *wrong)
{
    edge_fail_with(
        ctx, 400, "invalid_filter", .field = field, .message = edge_format(ctx, "%s %s", field, wrong));
}

EDGE_NORETURN static void unknown_column(const struct entity_call *call, const char *field, const char *name)
{
    edge_fail_with(call->ctx, 400, "unknown_column", .field = field,
        .message = edge_format(call->ctx, "\"%s\" has no column \"%s\"", call->entity->table, name));
}

static const struct entity_column *visible_column(const struct entity_call *call, const char *name)
{
    const struct entity_column *column = entity_column_named(call->entity, name, false);
    return column != NULL && entity_column_visible(column, call->admin) ? column : NULL;
}

/* " WHERE " or " AND ", and counts. */
static void begin_condition(struct reading *reading)
{
    if (reading->conditions == CONDITIONS_MAX)
        edge_fail_with(reading->ctx, 400, "invalid_filter", .field = "filters",
            .message = edge_format(reading->ctx, "filters has more than %d conditions", CONDITIONS_MAX));
    sql_add(reading->sql, reading->conditions++ == 0 ? " WHERE " : " AND ", NULL);
}

/* --- operators --- */

static void compare(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    struct column_value bound;
    if (json_is_null(value))
        bad_filter(reading->ctx, field, "compares with null: use $is");
    const char *wrong = column_value(reading->ctx, column, value, COLUMN_TO_COMPARE, &bound);
    if (wrong != NULL)
        entity_bad_input(reading->ctx, field, wrong);
    begin_condition(reading);
    sql_add(reading->sql, column->name, " ", operator, " ", NULL);
    sql_value(reading->sql, &bound);
}

static bool is_ordered(const struct entity_column *column)
{
    return column->type != COLUMN_TEXTS && !column_is_json(column);
}

static void op_compare(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    if (json_is_array(value) || json_is_object(value))
        bad_filter(reading->ctx, field, "must compare with a single value");
    compare(reading, column, operator, value, field);
}

static void op_order(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    if (!is_ordered(column) || column->type == COLUMN_BOOLEAN)
        bad_filter(reading->ctx, field, "has no order");
    op_compare(reading, column, operator, value, field);
}

/* operator is "= ANY (" or "<> ALL (". */
static void op_list(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    struct column_value bound;
    size_t count = json_array_size(value);
    if (!is_ordered(column) || count == 0 || count > LIST_MAX)
        bad_filter(reading->ctx, field, "must be compared with a list of 1 to 100 single values");
    const char *wrong = column_values(reading->ctx, column, value, &bound);
    if (wrong != NULL)
        entity_bad_input(reading->ctx, field, wrong);
    begin_condition(reading);
    sql_add(reading->sql, column->name, " ", operator, NULL);
    sql_value(reading->sql, &bound);
    sql_add(reading->sql, ")", NULL);
}

static void op_is(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    if (!json_is_null(value) && (!json_is_boolean(value) || column->type != COLUMN_BOOLEAN))
        bad_filter(reading->ctx, field, "is only null, or true or false of a boolean");
    begin_condition(reading);
    sql_add(reading->sql, column->name, operator, json_is_null(value)   ? "NULL"
                                                  : json_is_true(value) ? "TRUE"
                                                                        : "FALSE",
        NULL);
}

/* % and _ of the client mean themselves. */
static void op_ilike(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    const char *text = json_string_value(value);
    if (!column_is_text(column))
        bad_filter(reading->ctx, field, "is not text");
    if (text == NULL || text[0] == '\0' || text_characters(text) > PATTERN_MAX)
        bad_filter(reading->ctx, field, "must be searched for 1 to 200 characters");
    struct text pattern = { .ctx = reading->ctx };
    text_add(&pattern, "%");
    for (; *text != '\0'; text++) {
        if (strchr("%_\\", *text) != NULL)
            text_add(&pattern, "\\");
        text_add_bytes(&pattern, text, 1);
    }
    text_add(&pattern, "%");
    begin_condition(reading);
    sql_add(reading->sql, column->name, operator, NULL);
    sql_arg(reading->sql, edge_text(pattern.data));
}

static void op_contains(struct reading *reading, const struct entity_column *column, const char *operator,
    const json_t * value, const char *field)
{
    bool fits = column->type == COLUMN_TEXTS
                    ? json_is_array(value)
                    : column_is_json(column) && (json_is_array(value) || json_is_object(value));
    if (!fits)
        bad_filter(reading->ctx, field, "contains items of a list, or members of an object, only");
    compare(reading, column, operator, value, field);
}

static const struct operator
{
    const char *name, *sql;
    void (*add)(struct reading * reading, const struct entity_column *column, const char *operator,
        const json_t * value, const char *field);
}
operators[] = {
    { "$eq", "=", op_compare },
    { "$ne", "<>", op_compare },
    { "$gt", ">", op_order },
    { "$gte", ">=", op_order },
    { "$lt", "<", op_order },
    { "$lte", "<=", op_order },
    { "$in", "= ANY (", op_list },
    { "$nin", "<> ALL (", op_list },
    { "$is", " IS ", op_is },
    { "$ilike", " ILIKE ", op_ilike },
    { "$contains", "@>", op_contains },
};

static void add_operator(struct reading *reading, const struct entity_column *column, const char *name,
    const json_t *value, const char *field)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (is(name, operators[i].name)) {
            operators[i].add(reading, column, operators[i].sql, value, field);
            return;
        }
    }
    bad_filter(reading->ctx, field, edge_format(reading->ctx, "has the unknown operator \"%s\"", name));
}

/* --- conditions --- */

static void add_condition(
    struct reading *reading, const struct entity_column *column, const json_t *value, const char *field)
{
    if (json_is_array(value)) {
        add_operator(reading, column, "$in", value, field);
        return;
    }
    if (!json_is_object(value)) {
        compare(reading, column, "=", value, field);
        return;
    }
    if (json_object_size(value) == 0)
        bad_filter(reading->ctx, field, "has no operator");
    const char *name;
    json_t *operand;
    json_object_foreach((json_t *)value, name, operand)
    {
        add_operator(reading, column, name, operand, field);
    }
}

/* Others' rows are for administrators; everybody else may only say that he means himself. */
static void check_owner_condition(struct reading *reading, const json_t *value, const char *field)
{
    struct entity_call *call = reading->call;
    const char *id = json_string_value(value);
    reading->owner_named = true;
    if (id != NULL && is(id, call->user))
        return;
    if (!entity_is_admin(call))
        edge_fail_with(
            call->ctx, 403, "user_mismatch", .field = field, .message = "Only your own rows can be read");
}

/* A pseudo-filter of calls: whose e-mail address it is. */
static void add_user_email(
    struct reading *reading, const json_t *value, const char *field, struct entity_page *page)
{
    struct entity_call *call = reading->call;
    const char *email = json_string_value(value);
    if (email == NULL)
        entity_bad_input(call->ctx, field, "must be a string");
    static const char look_up[] = "SELECT id FROM profiles WHERE lower(email) = lower($1) ORDER BY id LIMIT 1";
    edge_rows *person = call->everybody ? edge_service_query(call->ctx, look_up, edge_text(email))
                                        : edge_query(call->ctx, look_up, edge_text(email));
    if (edge_rows_count(person) == 0 && !call->everybody && !call->asked) {
        if (!entity_is_admin(call))
            edge_fail_with(
                call->ctx, 403, "user_mismatch", .field = field, .message = "Only your own rows can be read");
        person = edge_query(call->ctx, look_up, edge_text(email));
    }
    reading->owner_named = true;
    page->nothing = page->nothing || edge_rows_count(person) == 0;
    begin_condition(reading);
    sql_add(reading->sql, "user_id = ", NULL);
    sql_arg(reading->sql, edge_text(edge_rows_count(person) > 0 ? edge_rows_text(person, 0, "id") : NULL));
}

static void add_member(struct reading *reading, const char *name, const json_t *value, struct entity_page *page)
{
    const struct entity *entity = reading->call->entity;
    const char *field = edge_format(reading->ctx, "filters.%s", name);
    const struct entity_column *column = visible_column(reading->call, name);
    if (is(entity->table, "call_logs") && is(name, "user_email")) {
        if (!json_is_null(value))
            add_user_email(reading, value, field, page);
        return;
    }
    if (column == NULL && entity_ignores(entity, name) && is(entity->table, "ai_agent_conversations"))
        return;
    if (column == NULL)
        unknown_column(reading->call, field, name);
    if (json_is_null(value))
        return;
    if (entity->scope == ENTITY_OWN && is(column->name, entity->owner) && !reading->call->everybody)
        check_owner_condition(reading, value, field);
    add_condition(reading, column, value, field);
}

/* --- the page --- */

static bool is_control(const char *name)
{
    static const char *const names[] = { "limit", "offset", "order", "ascending", "cursor" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(name, names[i]))
            return true;
    return false;
}

static int64_t read_count(
    edge_ctx *ctx, const json_t *filters, const char *name, int64_t min, int64_t max, int64_t fallback)
{
    const json_t *value = json_object_get(filters, name);
    if (value == NULL || json_is_null(value))
        return fallback;
    double number = json_number_value(value);
    if (!json_is_number(value) || number != (double)(int64_t)number || number < (double)min ||
        number > (double)max)
        entity_bad_input(ctx, edge_format(ctx, "filters.%s", name),
            edge_format(ctx, "must be a whole number, %lld to %lld", (long long)min, (long long)max));
    return (int64_t)number;
}

static void read_order(const struct entity_call *call, const json_t *filters, struct entity_page *page)
{
    const json_t *order = json_object_get(filters, "order"), *ascending = json_object_get(filters, "ascending");
    if (order == NULL || json_is_null(order)) {
        page->order = entity_column(call->entity, "created_at");
        page->ascending = false;
    } else {
        const char *name = json_string_value(order);
        if (name == NULL)
            entity_bad_input(call->ctx, "filters.order", "must be a string");
        page->order = visible_column(call, name);
        page->ascending = true;
        if (page->order == NULL)
            unknown_column(call, "filters.order", name);
        if (!is_ordered(page->order))
            bad_filter(call->ctx, "filters.order", "names a column that has no order");
    }
    if (ascending != NULL && !json_is_null(ascending) && !json_is_boolean(ascending))
        entity_bad_input(call->ctx, "filters.ascending", "must be true or false");
    if (json_is_boolean(ascending) && order != NULL && !json_is_null(order))
        page->ascending = json_is_true(ascending);
}

static void read_cursor(const struct entity_call *call, const json_t *filters, struct entity_page *page)
{
    edge_ctx *ctx = call->ctx;
    const json_t *cursor = json_object_get(filters, "cursor"), *offset = json_object_get(filters, "offset");
    if (cursor == NULL || json_is_null(cursor))
        return;
    if (!json_is_string(cursor) || (offset != NULL && !json_is_null(offset)))
        entity_bad_input(ctx, "filters.cursor", "must be a string, without an offset beside it");
    size_t length = 0;
    uint8_t *text = edge_base64url_decode(ctx, json_string_value(cursor), &length);
    json_t *after = text != NULL ? edge_json_parse(ctx, (const char *)text, length) : NULL;
    const char *order = edge_json_text(after, "order");
    if (order == NULL || !is(order, page->order->name) ||
        edge_json_bool(after, "ascending", !page->ascending) != page->ascending ||
        json_object_get(after, "value") == NULL || edge_json_text(after, "id") == NULL)
        entity_bad_input(ctx, "filters.cursor", "is no cursor of this order");
    page->after = after;
}

void entity_filter(struct entity_call *call, const json_t *filters, struct sql *sql, struct entity_page *page)
{
    struct reading reading = { .call = call, .ctx = call->ctx, .sql = sql };
    const char *name;
    json_t *value;
    page->limit = read_count(call->ctx, filters, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT);
    page->offset = read_count(call->ctx, filters, "offset", 0, OFFSET_MAX, 0);
    read_order(call, filters, page);
    read_cursor(call, filters, page);
    json_object_foreach((json_t *)filters, name, value)
    {
        if (!is_control(name))
            add_member(&reading, name, value, page);
    }
    if (call->entity->scope != ENTITY_OWN || call->everybody || reading.owner_named)
        return;
    sql_add(sql, reading.conditions == 0 ? " WHERE " : " AND ", call->entity->owner, " = ", NULL);
    sql_arg(sql, edge_text(call->user));
}
