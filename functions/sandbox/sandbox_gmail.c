/*
 * sandbox_gmail: stand-in for Gmail's users.messages.send
 * (https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send). It takes a message
 * in base64url and wants a recipient in it.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_google.h"

static bool has_recipient(const char *message)
{
    return strncmp(message, "To: ", 4) == 0 || strstr(message, "\r\nTo: ") != NULL;
}

static json_t *send_message(edge_ctx *ctx, json_t *request)
{
    const char *raw = edge_json_text(request, "raw");
    size_t length = 0;
    const uint8_t *message = raw != NULL ? edge_base64url_decode(ctx, raw, &length) : NULL;
    if (message == NULL)
        return sandbox_google_error(
            ctx, 400, "invalidArgument", "INVALID_ARGUMENT", "'raw' RFC822 payload message string required");
    if (!has_recipient(edge_copy_bytes(ctx, message, length)))
        return sandbox_google_error(
            ctx, 400, "invalidArgument", "INVALID_ARGUMENT", "Recipient address required");

    uint8_t id[8];
    edge_random(id, sizeof id);
    const char *hex = edge_hex(ctx, id, sizeof id);
    return json_pack("{s:s, s:s, s:[s]}", "id", hex, "threadId", hex, "labelIds", "SENT");
}

static json_t *sandbox_gmail(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "gmail"), *request = sandbox_body(ctx), *refusal;
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if ((refusal = sandbox_google_refusal(ctx)) != NULL)
        return refusal;
    if (strcmp(edge_request_rest(ctx), "/gmail/v1/users/me/messages/send") != 0)
        return sandbox_google_error(ctx, 404, "notFound", "NOT_FOUND", "Requested entity was not found.");
    return json_is_object(request) ? send_message(ctx, request) : sandbox_google_bad_body(ctx);
}

EDGE_FUNCTION(sandbox_gmail,
    .summary = "Stand-in for Gmail",
    .handle = sandbox_gmail,
    .raw_body = true,
    .streams = true);
