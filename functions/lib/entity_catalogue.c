/*
 * Looking things up in the catalogue of entities. The lists are short and names are compared whole.
 */
#include "lib/entity_catalogue.h"

#include <string.h>

static const struct entity *const lists[] = { entities_people, entities_accounts, entities_work,
    entities_records, entities_content };

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

const struct entity *entity_find(const char *name)
{
    /* A name that old clients use. */
    if (is(name, "user_agent_subscription"))
        name = "user_agent_subscriptions";
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct entity *entity = lists[i]; entity->name != NULL; entity++)
            if (is(name, entity->name) || is(name, entity->table))
                return entity;
    return NULL;
}

const struct entity_column *entity_column(const struct entity *entity, const char *name)
{
    for (const struct entity_column *column = entity->columns; column->name != NULL; column++)
        if (is(name, column->name))
            return column;
    return NULL;
}

static const char *unaliased(const struct entity *entity, const char *name, bool for_write)
{
    static const struct entity_alias everywhere[] = {
        { "created_date", "created_at", false },
        { "updated_date", "updated_at", false },
        { 0 },
    };
    const struct entity_alias *const tables[] = { entity->aliases, everywhere };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct entity_alias *alias = tables[i]; alias != NULL && alias->name != NULL; alias++)
            if (is(name, alias->name) && (!alias->for_write || for_write))
                return alias->column;
    return name;
}

const struct entity_column *entity_column_named(const struct entity *entity, const char *name, bool for_write)
{
    const struct entity_column *column = entity_column(entity, name);
    return column != NULL ? column : entity_column(entity, unaliased(entity, name, for_write));
}

bool entity_ignores(const struct entity *entity, const char *name)
{
    for (const char *const *ignored = entity->ignored; ignored != NULL && *ignored != NULL; ignored++)
        if (is(name, *ignored))
            return true;
    return false;
}

bool entity_column_visible(const struct entity_column *column, bool admin)
{
    return (column->flags & COLUMN_HIDDEN) == 0 && (admin || (column->flags & COLUMN_FOR_ADMINS) == 0);
}

bool entity_allows(const struct entity *entity, bool admin, char operation)
{
    return strchr(admin ? entity->admin_operations : entity->user_operations, operation) != NULL;
}

const char *column_sql_type(const struct entity_column *column)
{
    static const char *const types[] = {
        [COLUMN_TEXT] = "text",
        [COLUMN_LONG] = "text",
        [COLUMN_URL] = "text",
        [COLUMN_ENUM] = "text",
        [COLUMN_COLOUR] = "text",
        [COLUMN_TIMEZONE] = "text",
        [COLUMN_INTEGER] = "integer",
        [COLUMN_PERCENT] = "integer",
        [COLUMN_BIGINT] = "bigint",
        [COLUMN_NUMERIC] = "numeric",
        [COLUMN_RATE] = "numeric",
        [COLUMN_BOOLEAN] = "boolean",
        [COLUMN_DATE] = "date",
        [COLUMN_TIME] = "time",
        [COLUMN_TIMESTAMP] = "timestamptz",
        [COLUMN_UUID] = "uuid",
        [COLUMN_TEXTS] = "text[]",
        [COLUMN_JSON] = "jsonb",
        [COLUMN_BIG_JSON] = "jsonb",
    };
    return types[column->type];
}
