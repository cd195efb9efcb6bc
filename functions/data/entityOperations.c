/*
 * entityOperations: reading and writing the front end's tables, by the catalogue of lib/entity_catalogue.
 *
 * One round trip as the caller, under row security. One more where being an administrator makes a difference:
 * in a catalogue, for others' rows, and for a row that was not found.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/entity.h"
#include "lib/idempotency.h"

static const char *const table_aliases[] = { "entity", "entityName", NULL };

static const edge_field input[] = {
    { "operation", EDGE_TEXT, .required = true,
        .help = "list, filter, get, create, update, delete, bulkCreate, count" },
    { "table", EDGE_TEXT, .required = true, .aliases = table_aliases,
        .help = "Name of the entity or its table" },
    { "filters", EDGE_OBJECT, .help = "Conditions by column, and limit, offset, order, ascending, cursor" },
    { "id", EDGE_TEXT, .help = "Row to get, update or delete" },
    { "data", EDGE_JSON, .help = "Columns of the row; for bulkCreate an array of 1 to 500 rows" },
    { "expectedUpdatedAt", EDGE_TEXT, .help = "update: the updated_at that the row must still have" },
    { "idempotencyKey", EDGE_TEXT, .help = "create, bulkCreate: the same key writes once" },
    { 0 },
};

static const edge_field output[] = {
    ENTITY_FIELDS,
    { "count", EDGE_INT, .help = "count: how many rows there are" },
    { "success", EDGE_BOOL, .help = "delete: true" },
    { 0 },
};

static const struct operation {
    const char *name;
    char letter;
} operations[] = {
    { "list", 'R' },
    { "filter", 'R' },
    { "count", 'R' },
    { "get", 'R' },
    { "create", 'C' },
    { "bulkCreate", 'C' },
    { "update", 'U' },
    { "delete", 'D' },
};

static const struct operation *find_operation(edge_ctx *ctx, const char *name)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    edge_fail_with(ctx, 400, "invalid_operation", .field = "operation",
        .message = edge_format(ctx, "Operation \"%s\" does not exist", name));
}

static json_t *run(struct entity_call *call, const char *operation, json_t *in)
{
    const json_t *filters = json_object_get(in, "filters"), *data = json_object_get(in, "data");
    const char *id = edge_json_text(in, "id");
    if (strcmp(operation, "count") == 0)
        return entity_count(call, filters);
    if (strcmp(operation, "get") == 0)
        return entity_get(call, id);
    if (strcmp(operation, "delete") == 0)
        return entity_delete(call, id);
    if (strcmp(operation, "update") == 0)
        return entity_update(call, id, data, edge_json_text(in, "expectedUpdatedAt"));
    if (strcmp(operation, "create") == 0 || strcmp(operation, "bulkCreate") == 0)
        return entity_create(call, data, in);
    return entity_list(call, filters);
}

static json_t *entity_operations(edge_ctx *ctx, json_t *in)
{
    const struct operation *operation = find_operation(ctx, edge_json_text(in, "operation"));
    const char *table = edge_json_text(in, "table");
    const struct entity *entity = entity_find(table);
    if (entity == NULL)
        edge_fail(ctx, 403, "entity_not_allowed", "\"%s\" is no entity that can be asked for", table);

    struct entity_call call = {
        .ctx = ctx,
        .entity = entity,
        .user = edge_auth_user(ctx),
        .data_name = "data",
        .bulk = strcmp(operation->name, "bulkCreate") == 0,
        .key = idempotency_key(ctx, in),
        .scope = "entityOperations",
    };
    entity_require(&call, operation->letter);
    return run(&call, operation->name, in);
}

EDGE_FUNCTION(entityOperations,
    .summary = "Reads and writes the signed-in user's rows of any table of the catalogue",
    .input = input,
    .output = output,
    .handle = entity_operations);
