/*
 * The log of tools' executions. A key is looked up and taken in one round trip: the lock is a statement of its
 * own, because a statement sees the rows of its start, and the one that had to wait must look only after it has
 * waited.
 */
#include "lib/action.h"

#include <string.h>

static const char *request_hash(edge_ctx *ctx, const struct action_request *request)
{
    json_t *known = json_object();
    for (const edge_field *field = request->fields; field->name != NULL; field++) {
        json_t *value = json_object_get(request->in, field->name);
        bool counts = field->type != EDGE_USER && strcmp(field->name, "idempotencyKey") != 0;
        if (counts && value != NULL)
            json_object_set(known, field->name, value);
    }
    const char *text = json_dumps(known, JSON_SORT_KEYS | JSON_COMPACT);
    uint8_t hash[EDGE_SHA256_BYTES];
    edge_sha256(text, strlen(text), hash);
    return edge_hex(ctx, hash, sizeof hash);
}

static void log_failure(edge_ctx *ctx, const edge_error *error)
{
    edge_log(ctx, EDGE_LOG_WARN, "action_not_logged", { "detail", edge_text(error->detail) });
}

static void insert(struct action *action, const struct action_request *request)
{
    edge_error error;
    edge_rows *rows = edge_try_service_query(action->ctx, &error,
        "INSERT INTO ai_actions_log (user_id, action_type, action_data, status)"
        " VALUES ($1, $2, $3, 'pending')"
        " RETURNING id",
        edge_text(request->user), edge_text(request->type), edge_json(action->data));
    if (rows == NULL)
        log_failure(action->ctx, &error);
    else
        action->id = edge_rows_text(rows, 0, "id");
}

/* Takes the key, or answers what its newest row of the last day is. */
static edge_rows *claim(const struct action *action, const struct action_request *request)
{
    edge_rows *rows[2];
    edge_service_query_batch(action->ctx, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended('action/' || $1 || '/' || $2 || '/' || $3, 0))",
            edge_text(request->user), edge_text(request->type), edge_text(request->key)),
        EDGE_SQL("WITH newest AS ("
                 " SELECT status, action_data, executed_at"
                 " FROM ai_actions_log"
                 " WHERE user_id = $1 AND action_type = $2 AND action_data ->> 'idempotency_key' = $3"
                 " AND executed_at > now() - interval '24 hours'"
                 " ORDER BY executed_at DESC, id DESC"
                 " LIMIT 1"
                 "), inserted AS ("
                 " INSERT INTO ai_actions_log (user_id, action_type, action_data, status, executed_at)"
                 " SELECT $1, $2, $4, 'pending', clock_timestamp()"
                 " WHERE NOT EXISTS (SELECT FROM newest WHERE status = 'success'"
                 " OR (status = 'pending' AND executed_at > now() - interval '2 minutes'))"
                 " RETURNING id"
                 ")"
                 " SELECT inserted.id, newest.status, newest.action_data ->> 'request_hash' AS hash,"
                 " newest.action_data -> 'result' AS result"
                 " FROM (VALUES (1)) AS one"
                 " LEFT JOIN inserted ON true"
                 " LEFT JOIN newest ON true",
            edge_text(request->user), edge_text(request->type), edge_text(request->key),
            edge_json(action->data)));
    return rows[1];
}

static json_t *replay(edge_ctx *ctx, const edge_rows *row, const char *hash)
{
    const char *stored = edge_rows_text(row, 0, "hash");
    if (strcmp(edge_rows_text(row, 0, "status"), "pending") == 0)
        edge_fail_with(ctx, 409, "in_progress", .message = "The same request is being carried out",
            .suggestion = "Wait for it to end before trying again.");
    if (stored != NULL && strcmp(stored, hash) != 0)
        edge_fail_with(ctx, 409, "idempotency_conflict",
            .message = "The idempotency key has been used for another request",
            .suggestion = "Use a new key for a new request.");
    json_t *result = edge_rows_value(row, 0, "result");
    if (!json_is_object(result))
        result = json_object();
    json_object_set_new(result, "replayed", json_true());
    return result;
}

struct action *action_begin(edge_ctx *ctx, const struct action_request *request)
{
    struct action *action = edge_alloc(ctx, sizeof *action);
    const char *hash = request_hash(ctx, request);
    *action = (struct action){ .ctx = ctx, .summary = request->summary };
    action->data = json_pack("{s:O, s:s}", "request", request->summary, "request_hash", hash);
    if (request->key == NULL) {
        insert(action, request);
        return action;
    }
    json_object_set_new(action->data, "idempotency_key", json_string(request->key));
    edge_rows *row = claim(action, request);
    action->id = edge_rows_text(row, 0, "id");
    if (action->id == NULL)
        action->result = replay(ctx, row, hash);
    return action;
}

static void finish(struct action *action, const char *status, const char *message, const char *url)
{
    edge_error error;
    if (action->id == NULL)
        return;
    edge_rows *rows = edge_try_service_query(action->ctx, &error,
        "UPDATE ai_actions_log"
        " SET status = $2, action_data = $3, error_message = $4, resource_url = $5"
        " WHERE id = $1",
        edge_uuid(action->id), edge_text(status), edge_json(action->data), edge_text(message), edge_text(url));
    if (rows == NULL)
        log_failure(action->ctx, &error);
}

void action_succeed(struct action *action, json_t *result, const char *url)
{
    json_object_set(action->data, "result", result);
    finish(action, "success", NULL, url);
}

void action_fail(struct action *action, const char *code, const char *message, const char *url)
{
    finish(action, "failed", edge_format(action->ctx, "%s: %s", code, message), url);
}
