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
