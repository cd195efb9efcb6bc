/*
 * Idempotency keys. A "/" is not allowed in them, so that keys which functions make can never be a client's.
 */
#include "lib/idempotency.h"

#include <string.h>

enum {
    KEY_MAX = 128,
};

#define KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

EDGE_NORETURN static void fail(edge_ctx *ctx, const char *message)
{
    edge_fail_with(ctx, 400, "invalid_input", .message = message, .field = "idempotencyKey");
}

static const char *nonempty(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

const char *idempotency_key(edge_ctx *ctx, json_t *in)
{
    /* A socket's upgrade request has one header for all of its messages: no message's own key. */
    const char *header =
        edge_request_websocket(ctx) ? NULL : nonempty(edge_request_header(ctx, "idempotency-key"));
    const char *body = nonempty(edge_json_text(in, "idempotencyKey"));

    if (header != NULL && body != NULL && strcmp(header, body) != 0)
        fail(ctx, "Header Idempotency-Key and idempotencyKey differ");

    const char *key = header != NULL ? header : body;
    if (key == NULL)
        return NULL;

    size_t length = strlen(key);
    if (length > KEY_MAX || strspn(key, KEY_CHARACTERS) != length)
        fail(ctx, "idempotencyKey must be 1 to 128 characters of A-Z a-z 0-9 . _ : -");
    return key;
}

/* The same request has the same bytes, whatever order its members came in. */
static void hash_request(const json_t *request, uint8_t hash[EDGE_SHA256_BYTES])
{
    json_t *counted = json_copy((json_t *)request);
    json_object_del(counted, "idempotencyKey");
    const char *text = json_dumps(counted, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    edge_sha256(text, strlen(text), hash);
}

json_t *idempotent_replay(edge_ctx *ctx, edge_tx *tx, const char *scope, const char *key, const json_t *request)
{
    if (key == NULL)
        return NULL;
    uint8_t hash[EDGE_SHA256_BYTES];
    hash_request(request, hash);

    edge_rows *claim =
        edge_tx_query(tx, "SELECT outcome, response FROM edge.claim_idempotency_key($1, $2, $3, $4)",
            edge_text(scope), edge_text(edge_auth_user(ctx)), edge_text(key), edge_bytes(hash, sizeof hash));

    const char *outcome = edge_rows_text(claim, 0, "outcome");
    if (strcmp(outcome, "conflict") == 0)
        edge_fail(ctx, 409, "idempotency_conflict", "The idempotency key was used for another request");
    if (strcmp(outcome, "new") == 0)
        return NULL;
    edge_response_header(ctx, "Idempotent-Replay", "true");
    return edge_rows_value(claim, 0, "response");
}

void idempotent_keep(edge_ctx *ctx, edge_tx *tx, const char *scope, const char *key, const json_t *answer)
{
    if (key != NULL)
        edge_tx_send(tx, "SELECT edge.keep_idempotent_response($1, $2, $3, 200, $4)", edge_text(scope),
            edge_text(edge_auth_user(ctx)), edge_text(key), edge_json(answer));
}
