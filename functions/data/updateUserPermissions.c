/*
 * updateUserPermissions: an administrator decides which actions AI agents may take for a user. A permission
 * without a row was never decided; a stored false makes the agents' tool refuse. One round trip.
 */
#include <edge/edge.h>

#include <string.h>

#define PERMISSION(key)                                                                                        \
    {                                                                                                          \
        key, EDGE_BOOL, .required = true, .help = "Whether agents may"                                         \
    }

static const edge_field permissions[] = {
    PERMISSION("copilot.send_email"),
    PERMISSION("copilot.schedule_appointment"),
    PERMISSION("copilot.research"),
    PERMISSION("copilot.create_document"),
    PERMISSION("copilot.analyze_performance"),
    PERMISSION("executive_assistant.send_email"),
    PERMISSION("executive_assistant.schedule_appointment"),
    PERMISSION("executive_assistant.create_task"),
    PERMISSION("content_agent.generate_content"),
    PERMISSION("content_agent.schedule_content"),
    PERMISSION("transaction_coordinator.create_task"),
    PERMISSION("transaction_coordinator.send_reminder"),
    { 0 },
};

static const edge_field input[] = {
    { "userId", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "Whose agents" },
    { "permissions", EDGE_OBJECT, .required = true, .help = "1 to 12 permissions by name, each true or false" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "userId", EDGE_TEXT, .required = true, .help = "Whose agents" },
    { "permissions", EDGE_OBJECT, .fields = permissions, .required = true, .help = "All of them" },
    { "changed", EDGE_INT, .required = true, .help = "How many have been changed now" },
    { "updatedAt", EDGE_DATETIME, .help = "When one was changed last; null: none was decided" },
    { 0 },
};

static const edge_problem problems[] = {
    { 404, "user_not_found", "There is no such profile" },
    { 0 },
};

static bool is_permission(const char *name)
{
    for (const edge_field *permission = permissions; permission->name != NULL; permission++)
        if (strcmp(permission->name, name) == 0)
            return true;
    return false;
}

/* In the request's order, for a misspelt name says more than what comes behind it; null decides nothing here.
 */
static void check_permissions(edge_ctx *ctx, json_t *given)
{
    const char *name;
    json_t *value;
    json_object_foreach(given, name, value)
    {
        const char *wrong = !is_permission(name) ? "is no permission" : "must be true or false";
        if (!is_permission(name) || !json_is_boolean(value))
            edge_fail_with(ctx, 400, "invalid_input",
                .message = edge_format(ctx, "permissions.%s %s", name, wrong),
                .field = edge_format(ctx, "permissions.%s", name));
    }
    if (json_object_size(given) == 0)
        edge_fail_with(
            ctx, 400, "invalid_input", .message = "permissions must name at least one", .field = "permissions");
}

static json_t *all_permissions(edge_rows *stored)
{
    json_t *all = json_object();
    for (const edge_field *permission = permissions; permission->name != NULL; permission++)
        json_object_set_new(all, permission->name, json_false());
    for (size_t i = 0; i < edge_rows_count(stored); i++)
        if (is_permission(edge_rows_text(stored, i, "permission")))
            json_object_set_new(all, edge_rows_text(stored, i, "permission"),
                json_boolean(edge_rows_bool(stored, i, "allowed")));
    return all;
}

static json_t *update_user_permissions(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_json_text(in, "userId");
    json_t *given = json_object_get(in, "permissions");
    check_permissions(ctx, given);

    edge_rows *rows[3];
    edge_service_query_batch(ctx, rows, EDGE_SQL("SELECT id FROM profiles WHERE id = $1", edge_text(user)),
        EDGE_SQL("INSERT INTO autopilot_permissions AS stored (user_id, permission, allowed, updated_by)"
                 " SELECT p.id, given.key, given.value::boolean, $3"
                 " FROM profiles AS p, jsonb_each_text($2) AS given"
                 " WHERE p.id = $1"
                 " ON CONFLICT (user_id, permission) DO UPDATE"
                 " SET allowed = EXCLUDED.allowed, updated_by = EXCLUDED.updated_by, updated_at = now()"
                 " WHERE stored.allowed IS DISTINCT FROM EXCLUDED.allowed"
                 " RETURNING permission",
            edge_text(user), edge_json(given), edge_text(edge_auth_user(ctx))),
        EDGE_SQL("SELECT permission, allowed, max(updated_at) OVER () AS newest"
                 " FROM autopilot_permissions WHERE user_id = $1",
            edge_text(user)));

    if (edge_rows_count(rows[0]) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    return json_pack("{s:b, s:s, s:o, s:I, s:o}", "success", 1, "userId", user, "permissions",
        all_permissions(rows[2]), "changed", (json_int_t)edge_rows_count(rows[1]), "updatedAt",
        edge_rows_count(rows[2]) > 0 ? edge_rows_value(rows[2], 0, "newest") : json_null());
}

EDGE_FUNCTION(updateUserPermissions,
    .summary = "Decides which actions AI agents may take for a user",
    .input = input,
    .output = output,
    .problems = problems,
    .handle = update_user_permissions);
