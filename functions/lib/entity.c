/*
 * Who calls, and what he may do with an entity.
 */
#include "lib/entity.h"

#include <string.h>

const edge_field entity_word = { .type = EDGE_TEXT };

bool entity_is_admin(struct entity_call *call)
{
    if (call->asked || call->self_only)
        return call->admin;
    call->asked = true;
    edge_rows *role =
        edge_query(call->ctx, "SELECT public.has_role($1, 'admin') AS admin", edge_text(call->user));
    call->admin = edge_rows_bool(role, 0, "admin");
    if (call->admin)
        edge_require_role(call->ctx, "admin");
    return call->admin;
}

/* An inactive row, a hidden column: administrators see more of a catalogue than others, so they are told apart.
 */
static bool reads_differ(const struct entity *entity)
{
    return entity->scope != ENTITY_OWN;
}

void entity_require(struct entity_call *call, char operation)
{
    const struct entity *entity = call->entity;
    bool user_may = !call->everybody && entity_allows(entity, false, operation);
    if (user_may && !reads_differ(entity))
        return;
    if (entity_allows(entity, true, operation) && entity_is_admin(call))
        return;
    if (!user_may)
        edge_fail(
            call->ctx, 403, "operation_not_allowed", "This operation is not allowed on \"%s\"", entity->table);
}

bool entity_as_service(const struct entity_call *call, char operation)
{
    return call->everybody || (operation != 'R' && call->entity->service_writes && call->admin);
}

void entity_bad_input(edge_ctx *ctx, const char *field, const char *wrong)
{
    edge_fail_with(
        ctx, 400, "invalid_input", .field = field, .message = edge_format(ctx, "%s %s", field, wrong));
}

void entity_refused(const struct entity_call *call, const edge_error *error)
{
    const char *sqlstate = error->detail != NULL ? error->detail : "";
    if (strcmp(sqlstate, "23505") == 0)
        edge_fail_with(call->ctx, 409, "already_exists", .field = call->entity->unique,
            .message = edge_format(call->ctx, "A row of \"%s\" with this %s exists", call->entity->table,
                call->entity->unique != NULL ? call->entity->unique : "id"));
    if (strcmp(sqlstate, "23503") == 0)
        edge_fail(call->ctx, 400, "invalid_reference", "A row that \"%s\" refers to does not exist",
            call->entity->table);
    edge_fail_error(call->ctx, error);
}

edge_arg entity_id(const struct entity_call *call, const char *id)
{
    bool text = entity_column(call->entity, "id")->type == COLUMN_TEXT;
    if (id == NULL)
        entity_bad_input(call->ctx, "id", "is required");
    if (!text && !column_uuid(id))
        entity_bad_input(call->ctx, "id", "must be a UUID");
    return text ? edge_text(id) : edge_uuid(id);
}
