/*
 * sandbox_microsoft_graph: stand-in for Microsoft Graph: who a token belongs to, and sending a mail
 * (https://learn.microsoft.com/en-us/graph/api/user-sendmail, https://learn.microsoft.com/en-us/graph/errors).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_access.h"

static json_t *refuse(edge_ctx *ctx, int status, const char *code, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:{s:s, s:s, s:{s:s, s:s}}}", "error", "code", code, "message", message, "innerError",
        "request-id", edge_request_id(ctx), "date", edge_iso_time(ctx, edge_now(ctx)));
}

static bool is_recipient(const json_t *recipient)
{
    const char *address = edge_json_text(json_object_get(recipient, "emailAddress"), "address");
    return address != NULL && strchr(address, '@') != NULL;
}

static json_t *send_mail(edge_ctx *ctx, json_t *request)
{
    json_t *message = json_object_get(request, "message"), *recipient;
    json_t *to = json_object_get(message, "toRecipients");
    const char *kind = edge_json_text(json_object_get(message, "body"), "contentType");
    size_t i;
    if (!json_is_object(message))
        return refuse(
            ctx, 400, "ErrorInvalidRequest", "The request is malformed or incorrect: message is missing.");
    if (kind != NULL && strcasecmp(kind, "html") != 0 && strcasecmp(kind, "text") != 0)
        return refuse(
            ctx, 400, "RequestBodyRead", "Requested value was not found in the enumeration of body types.");
    if (json_array_size(to) == 0)
        return refuse(ctx, 400, "ErrorInvalidRecipients", "At least one recipient is needed.");
    json_array_foreach(to, i, recipient) if (!is_recipient(recipient)) return refuse(
        ctx, 400, "ErrorInvalidRecipients", "At least one recipient is not valid.");

    edge_response_status(ctx, 202);
    edge_respond_bytes(ctx, "text/plain", "", 0);
    return NULL;
}

static json_t *sandbox_microsoft_graph(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "microsoft_graph");
    const char *path = edge_request_rest(ctx);
    bool get = strcmp(edge_request_method(ctx), "GET") == 0;
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (sandbox_token(ctx) == NULL)
        return refuse(ctx, 401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.");
    if (get && strcmp(path, "/v1.0/me") == 0)
        return json_pack("{s:s, s:s, s:s, s:s}", "id", "48d31887-5fad-4d73-a9f5-3c356e68a038", "displayName",
            "Sandbox Agent", "mail", "agent.sandbox@example.com", "userPrincipalName",
            "agent.sandbox@example.com");
    if (!get && strcmp(path, "/v1.0/me/sendMail") == 0)
        return send_mail(ctx, sandbox_body(ctx));
    return refuse(ctx, 404, "ResourceNotFound", "Resource could not be discovered.");
}

EDGE_FUNCTION(sandbox_microsoft_graph,
    .summary = "Stand-in for Microsoft Graph",
    .handle = sandbox_microsoft_graph,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
