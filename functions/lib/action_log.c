/*
 * The audit trail.
 */
#include "lib/action_log.h"

#include <string.h>

json_t *action_request(const edge_field *fields, const json_t *in)
{
    json_t *request = json_object();
    for (const edge_field *field = fields; field->name != NULL; field++) {
        json_t *value = json_object_get(in, field->name);
        bool asked = strcmp(field->name, "userId") != 0 && strcmp(field->name, "idempotencyKey") != 0;
        if (asked && value != NULL)
            json_object_set(request, field->name, value);
    }
    return request;
}

/* SHA-256 of the request as JSON with sorted keys and no blanks, in hex. */
static const char *hash_of(edge_ctx *ctx, const json_t *request)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    const char *text = json_dumps(request, JSON_SORT_KEYS | JSON_COMPACT);
    edge_sha256(text, strlen(text), digest);
    return edge_hex(ctx, digest, sizeof digest);
}

static void note_lost(const struct action *action, const edge_error *error)
{
    edge_log(action->ctx, EDGE_LOG_WARN, "action_not_logged", { "action", edge_text(action->type) },
        { "detail", edge_text(error->detail) });
}

#define INSERT_PENDING                                                                                         \
    "INSERT INTO ai_actions_log (user_id, action_type, action_data, status)"                                   \
    " VALUES ($1, $2, $3, 'pending') RETURNING id"

/* What the newest row of the key says: its result, a refusal, or nothing that stands in the way (NULL). */
static json_t *judge(edge_ctx *ctx, const edge_rows *row, const char *hash)
{
    if (edge_rows_count(row) == 0)
        return NULL;
    const char *status = edge_rows_text(row, 0, "status"), *before = edge_rows_text(row, 0, "request_hash");
    if (strcmp(status, "pending") == 0 && edge_rows_bool(row, 0, "is_running"))
        edge_fail_with(ctx, 409, "in_progress", .message = "A call with this idempotency key is still running",
            .suggestion = "Wait a moment, then call again with the same key");
    if (strcmp(status, "success") != 0)
        return NULL;
    if (before != NULL && strcmp(before, hash) != 0)
        edge_fail_with(ctx, 409, "idempotency_conflict",
            .message = "This idempotency key was used for another request",
            .suggestion = "Use a new idempotency key for a new request");
    json_t *result = edge_rows_value(row, 0, "result");
    return json_is_object(result) ? result : json_object();
}

/* Under a lock on user, action and key, so that of two calls at once the second one finds the first one's row.
 */
static void begin_keyed(struct action *action, const json_t *data, const char *hash, const char *key)
{
    edge_ctx *ctx = action->ctx;
    const char *user = edge_auth_user(ctx);
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(tx,
            "SELECT pg_advisory_xact_lock(hashtextextended('action:' || $1 || '/' || $2 || '/' || $3, 0))",
            edge_text(user), edge_text(action->type), edge_text(key));
        edge_rows *row = edge_tx_query(tx,
            "SELECT status, action_data ->> 'request_hash' AS request_hash, action_data -> 'result' AS result,"
            " executed_at > now() - interval '2 minutes' AS is_running"
            " FROM ai_actions_log"
            " WHERE user_id = $1 AND action_type = $2 AND action_data ->> 'idempotency_key' = $3"
            " AND executed_at > now() - interval '24 hours'"
            " ORDER BY executed_at DESC, created_at DESC, id DESC LIMIT 1",
            edge_text(user), edge_text(action->type), edge_text(key));
        action->replay = judge(ctx, row, hash);
        if (action->replay == NULL)
            action->id = edge_rows_text(
                edge_tx_query(tx, INSERT_PENDING, edge_text(user), edge_text(action->type), edge_json(data)), 0,
                "id");
    }
}

struct action *action_begin(
    edge_ctx *ctx, const char *type, const json_t *request, const json_t *logged, const char *key)
{
    struct action *action = edge_alloc(ctx, sizeof *action);
    *action = (struct action){ .ctx = ctx, .type = type };
    const char *hash = hash_of(ctx, request);
    json_t *data = json_pack("{s:O, s:s, s:s*}", "request", logged != NULL ? logged : request, "request_hash",
        hash, "idempotency_key", key);
    if (key != NULL) {
        begin_keyed(action, data, hash, key);
        return action;
    }
    edge_error error;
    edge_rows *row = edge_try_service_query(
        ctx, &error, INSERT_PENDING, edge_text(edge_auth_user(ctx)), edge_text(type), edge_json(data));
    if (row == NULL)
        note_lost(action, &error);
    else
        action->id = edge_rows_text(row, 0, "id");
    return action;
}

static void close_row(struct action *action, const char *status, const json_t *more, const char *message)
{
    edge_error error;
    if (action == NULL || action->id == NULL)
        return;
    if (edge_try_service_query(action->ctx, &error,
            "UPDATE ai_actions_log SET status = $2, action_data = action_data || $3, error_message = $4"
            " WHERE id = $1",
            edge_uuid(action->id), edge_text(status), edge_json(more), edge_text(message)) == NULL)
        note_lost(action, &error);
}

void action_succeed(struct action *action, const json_t *data)
{
    close_row(action, "success", json_pack("{s:O}", "result", data), NULL);
}

void action_fail(struct action *action, const char *code, const char *message)
{
    if (action != NULL)
        close_row(action, "failed", json_object(), edge_format(action->ctx, "%s: %s", code, message));
}
