/*
 * adminEntityCRUD: administrators edit users, and the rows of every entity of the catalogue, whosever they are.
 *
 * As the service, after the role has been checked. One round trip an operation on an entity; a user's update is
 * one transaction and a read. Deleting a user asks Clerk between two statements, with no transaction open.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/admin_users.h"
#include "lib/entity.h"
#include "lib/idempotency.h"

static const char *const payload_aliases[] = { "data", NULL };
static const char *const roles[] = { "user", "admin", NULL };
static const char *const tiers[] = { "Free", "Subscriber", "Admin", "Owner", "Investor", "Starter",
    "Professional", "Enterprise", NULL };
static const char *const statuses[] = { "active", "past_due", "locked_out", "cancelled", "inactive", NULL };

static const edge_field input[] = {
    { "entityName", EDGE_TEXT, .required = true, .help = "User, or an entity or table of the catalogue" },
    { "operation", EDGE_TEXT, .required = true, .help = "list, filter, get, create, update or delete" },
    { "id", EDGE_TEXT, .help = "Row or user to get, update or delete" },
    { "payload", EDGE_OBJECT, .aliases = payload_aliases, .help = "Columns, or the fields of a user" },
    { "filters", EDGE_OBJECT,
        .help = "As entityOperations takes them; of users: search, role, subscription_tier" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "delete: says what would go, and deletes nothing" },
    { "expectedUpdatedAt", EDGE_TEXT, .help = "update: the updated_at that the row must still have" },
    { "idempotencyKey", EDGE_TEXT, .help = "create: the same key writes once" },
    { 0 },
};

static const edge_field row_count = { .type = EDGE_INT };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    ENTITY_FIELDS,
    { "total", EDGE_INT, .help = "Of users: how many there are without paging" },
    { "dryRun", EDGE_BOOL, .help = "true: nothing was deleted" },
    { "wouldDelete", EDGE_MAP, .items = &row_count, .help = "With dryRun: rows by table" },
    { 0 },
};

static const edge_field list_fields[] = {
    { "search", EDGE_TEXT, .max = 200 },
    { "role", EDGE_ENUM, .values = roles },
    { "subscription_tier", EDGE_TEXT, .max = 255 },
    { "limit", EDGE_INT, .min = 1, .max = 1000, .fallback = "200" },
    { "offset", EDGE_INT, .min = 0, .max = 9007199254740991, .fallback = "0" },
    { 0 },
};

static const edge_field update_fields[] = {
    { "firstName", EDGE_TEXT, .max = 100 },
    { "lastName", EDGE_TEXT, .max = 100 },
    { "role", EDGE_ENUM, .values = roles },
    { "subscriptionTier", EDGE_ENUM, .values = tiers },
    { "subscriptionStatus", EDGE_ENUM, .values = statuses },
    { "phone", EDGE_TEXT, .max = 255 },
    { "brokerage", EDGE_TEXT, .max = 255 },
    { "licenseNumber", EDGE_TEXT, .max = 255 },
    { "licenseState", EDGE_TEXT, .max = 255 },
    { 0 },
};

EDGE_NORETURN static void unsupported_operation(edge_ctx *ctx)
{
    edge_fail_with(ctx, 400, "unsupported_operation", .field = "operation", .message = "Unsupported operation");
}

EDGE_NORETURN static void no_user(edge_ctx *ctx, const char *id)
{
    edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", id);
}

static json_t *user_answer(edge_ctx *ctx, const char *id)
{
    json_t *user = admin_user_read(ctx, id);
    if (user == NULL)
        no_user(ctx, id);
    return json_pack("{s:b, s:o}", "success", 1, "data", user);
}

static json_t *list_users(edge_ctx *ctx, json_t *in)
{
    json_t *filters = json_object_get(in, "filters");
    if (filters == NULL)
        filters = json_object();
    edge_input_check(ctx, "filters", list_fields, filters);
    int64_t limit = edge_json_int(filters, "limit", 200), offset = edge_json_int(filters, "offset", 0);
    struct admin_users users = admin_users_read(ctx, &(const struct admin_user_filter){
                                                         .search = edge_json_text(filters, "search"),
                                                         .role = edge_json_text(filters, "role"),
                                                         .tier = edge_json_text(filters, "subscription_tier"),
                                                         .limit = limit,
                                                         .offset = offset,
                                                     });
    bool more = offset + (int64_t)json_array_size(users.list) < users.total;
    return json_pack("{s:b, s:o, s:I, s:b}", "success", 1, "data", users.list, "total", (json_int_t)users.total,
        "hasMore", more);
}

/* --- update --- */

/* The last administrator stays one: both of two that demote each other hold all of these rows, one after the
 * other. */
static void change_role(edge_ctx *ctx, edge_tx *tx, const char *id, const char *role)
{
    edge_rows *admins =
        edge_tx_query(tx, "SELECT user_id FROM user_roles WHERE role = 'admin' ORDER BY user_id FOR UPDATE");
    bool is_admin = false;
    for (size_t i = 0; i < edge_rows_count(admins); i++)
        is_admin = is_admin || strcmp(edge_rows_text(admins, i, "user_id"), id) == 0;
    if (strcmp(role, "admin") == 0) {
        edge_tx_send(tx, "INSERT INTO user_roles (user_id, role) VALUES ($1, 'admin') ON CONFLICT DO NOTHING",
            edge_text(id));
        return;
    }
    if (strcmp(id, edge_auth_user(ctx)) == 0)
        edge_fail(ctx, 409, "cannot_demote_self", "An administrator cannot demote himself");
    if (is_admin && edge_rows_count(admins) == 1)
        edge_fail(ctx, 409, "last_admin", "The last administrator cannot be demoted");
    edge_tx_send(tx, "DELETE FROM user_roles WHERE user_id = $1 AND role = 'admin'", edge_text(id));
}

/* The part of a name that is not given stays as it is shown: the first word, and all behind it. */
static edge_rows *change_profile(edge_tx *tx, const char *id, const json_t *payload, const json_t *given)
{
#define GIVEN(name) edge_bool(json_object_get(given, name) != NULL), edge_text(edge_json_text(payload, name))
    return edge_tx_query(tx,
        "UPDATE profiles SET"
        " full_name = CASE WHEN $2 IS NULL AND $3 IS NULL THEN full_name ELSE btrim("
        "coalesce($2, substring(btrim(full_name) FROM '^\\S+'), '') || ' ' ||"
        " coalesce($3, btrim(regexp_replace(btrim(full_name), '^\\S+', '')), '')) END,"
        " role = coalesce($4, role),"
        " subscription_tier = coalesce($5, subscription_tier),"
        " subscription_status = coalesce($6, subscription_status),"
        " phone = CASE WHEN $7 THEN $8 ELSE phone END,"
        " brokerage = CASE WHEN $9 THEN $10 ELSE brokerage END,"
        " license_number = CASE WHEN $11 THEN $12 ELSE license_number END,"
        " license_state = CASE WHEN $13 THEN $14 ELSE license_state END"
        " WHERE id = $1 RETURNING id",
        edge_text(id), edge_text(edge_json_text(payload, "firstName")),
        edge_text(edge_json_text(payload, "lastName")), edge_text(edge_json_text(payload, "role")),
        edge_text(edge_json_text(payload, "subscriptionTier")),
        edge_text(edge_json_text(payload, "subscriptionStatus")), GIVEN("phone"), GIVEN("brokerage"),
        GIVEN("licenseNumber"), GIVEN("licenseState"));
#undef GIVEN
}

static void update_in_transaction(edge_ctx *ctx, const char *id, const json_t *payload, const json_t *given)
{
    const char *role = edge_json_text(payload, "role");
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        if (edge_rows_count(change_profile(tx, id, payload, given)) == 0)
            no_user(ctx, id);
        if (role != NULL)
            change_role(ctx, tx, id, role);
    }
}

static json_t *update_user(edge_ctx *ctx, const char *id, json_t *in)
{
    json_t *payload = json_object_get(in, "payload");
    if (payload == NULL)
        entity_bad_input(ctx, "payload", "is required");
    const json_t *given = json_copy(payload);
    edge_input_check(ctx, "payload", update_fields, payload);
    bool any = false;
    for (const edge_field *field = update_fields; field->name != NULL; field++)
        any = any || json_object_get(given, field->name) != NULL;
    if (!any)
        entity_bad_input(ctx, "payload", "must have at least one field of a user");
    update_in_transaction(ctx, id, payload, given);
    return user_answer(ctx, id);
}

/* --- delete --- */

/* Tables whose rows go with a profile, found in the database: a table that is added is counted, too. */
static json_t *would_delete(edge_ctx *ctx, const char *id)
{
    edge_rows *statement = edge_service_query(ctx,
        "SELECT string_agg(format('SELECT %L AS name, count(*) AS count FROM %s WHERE %I = $1',"
        " c.relname, k.conrelid::regclass, a.attname), ' UNION ALL ' ORDER BY c.relname) AS sql"
        " FROM pg_constraint AS k"
        " JOIN pg_class AS c ON c.oid = k.conrelid"
        " JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND k.confdeltype = 'c' AND k.confrelid = 'public.profiles'::regclass");
    edge_rows *counts = edge_service_query(ctx, edge_rows_text(statement, 0, "sql"), edge_text(id));
    json_t *tables = json_object();
    for (size_t i = 0; i < edge_rows_count(counts); i++) {
        const char *name = edge_rows_text(counts, i, "name");
        int64_t count = edge_rows_int(counts, i, "count") + edge_json_int(tables, name, 0);
        if (count > 0)
            json_object_set_new(tables, name, json_integer((json_int_t)count));
    }
    return json_pack("{s:b, s:b, s:o}", "success", 1, "dryRun", 1, "wouldDelete", tables);
}

/* Whoever is gone already at Clerk is gone. */
static void delete_identity(edge_ctx *ctx, const char *id)
{
    edge_env_required(ctx, "CLERK_SECRET_KEY");
    edge_reply *reply = edge_try_fetch(ctx, "clerk", .method = "DELETE",
        .path = edge_format(ctx, "/v1/users/%s", edge_url_encode(ctx, id)), .timeout_ms = 10000,
        .retries = EDGE_SEND_ONCE);
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        edge_fail(ctx, 504, "provider_timeout", "Clerk did not answer in time");
    if (reply->failure != EDGE_HTTP_OK && reply->failure != EDGE_HTTP_TOO_LARGE)
        edge_fail_with(ctx, 502, "provider_unreachable", .message = "Clerk cannot be reached",
            .retry_after_seconds = reply->retry_after_seconds);
    if (reply->status != 200 && reply->status != 404)
        edge_fail(ctx, 502, "provider_error", "Clerk answered with status %d", reply->status);
}

static json_t *delete_user(edge_ctx *ctx, const char *id, bool dry_run)
{
    if (strcmp(id, edge_auth_user(ctx)) == 0)
        edge_fail(ctx, 409, "cannot_delete_self", "An administrator cannot delete himself");
    edge_rows *profile = edge_service_query(
        ctx, "SELECT lower(email) = 'system@pulse.ai' AS system FROM profiles WHERE id = $1", edge_text(id));
    if (strcmp(id, "system") == 0 || (edge_rows_count(profile) > 0 && edge_rows_bool(profile, 0, "system")))
        edge_fail(ctx, 403, "forbidden", "The system profile cannot be deleted");
    if (edge_rows_count(profile) == 0)
        no_user(ctx, id);
    if (dry_run)
        return would_delete(ctx, id);
    delete_identity(ctx, id);
    edge_service_query(ctx, "DELETE FROM profiles WHERE id = $1", edge_text(id));
    return json_pack("{s:b}", "success", 1);
}

static json_t *run_user(edge_ctx *ctx, const char *operation, json_t *in)
{
    const char *id = edge_json_text(in, "id");
    bool list = strcmp(operation, "list") == 0, get = strcmp(operation, "get") == 0;
    bool update = strcmp(operation, "update") == 0, drop = strcmp(operation, "delete") == 0;
    if (!list && !get && !update && !drop)
        unsupported_operation(ctx);
    if (list)
        return list_users(ctx, in);
    if (id == NULL)
        entity_bad_input(ctx, "id", "is required");
    if (update)
        return update_user(ctx, id, in);
    return drop ? delete_user(ctx, id, edge_json_bool(in, "dryRun", false)) : user_answer(ctx, id);
}

/* --- entities --- */

static json_t *delete_row(struct entity_call *call, const char *id, bool dry_run)
{
    if (!dry_run)
        return entity_delete(call, id);
    entity_get(call, id);
    return json_pack("{s:b, s:b, s:{s:i}}", "success", 1, "dryRun", 1, "wouldDelete", call->entity->table, 1);
}

static json_t *run_entity(struct entity_call *call, const char *operation, json_t *in)
{
    static const struct {
        const char *name;
        char letter;
    } operations[] = { { "list", 'R' }, { "filter", 'R' }, { "get", 'R' }, { "create", 'C' }, { "update", 'U' },
        { "delete", 'D' } };
    const char *id = edge_json_text(in, "id");
    const json_t *payload = json_object_get(in, "payload");
    char letter = '\0';
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, operation) == 0)
            letter = operations[i].letter;
    if (letter == '\0')
        unsupported_operation(call->ctx);
    entity_require(call, letter);
    switch (letter) {
    case 'C':
        return entity_create(call, payload, in);
    case 'U':
        return entity_update(call, id, payload, edge_json_text(in, "expectedUpdatedAt"));
    case 'D':
        return delete_row(call, id, edge_json_bool(in, "dryRun", false));
    default:
        return strcmp(operation, "get") == 0 ? entity_get(call, id)
                                             : entity_list(call, json_object_get(in, "filters"));
    }
}

static json_t *admin_entity_crud(edge_ctx *ctx, json_t *in)
{
    const char *name = edge_json_text(in, "entityName"), *operation = edge_json_text(in, "operation");
    if (strcmp(name, "User") == 0)
        return run_user(ctx, operation, in);
    struct entity_call call = {
        .ctx = ctx,
        .entity = entity_find(name),
        .user = edge_auth_user(ctx),
        .data_name = "payload",
        .everybody = true,
        .asked = true,
        .admin = true,
        .key = idempotency_key(ctx, in),
        .scope = "adminEntityCRUD",
    };
    if (call.entity == NULL)
        edge_fail_with(ctx, 400, "unsupported_entity", .field = "entityName", .message = "Unsupported entity");
    json_t *answer = run_entity(&call, operation, in);
    json_object_set_new(answer, "success", json_true());
    return answer;
}

static const edge_shape shape = { .success_false = true };

EDGE_FUNCTION(adminEntityCRUD,
    .summary = "Administrators edit users and the rows of every entity",
    .input = input,
    .output = output,
    .shape = &shape,
    .handle = admin_entity_crud);
