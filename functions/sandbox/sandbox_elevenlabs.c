/*
 * sandbox_elevenlabs: stand-in for ElevenLabs. Which endpoints there are is said in lib/sandbox_elevenlabs_*.c.
 */
#include "lib/sandbox_elevenlabs.h"

#include <string.h>

#include "lib/sandbox.h"

static const struct sandbox_elevenlabs_endpoint *const tables[] = { sandbox_elevenlabs_calls,
    sandbox_elevenlabs_speech, NULL };

json_t *sandbox_elevenlabs_refuse(edge_ctx *ctx, int status, const char *code, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:{s:s, s:s}}", "detail", "status", code, "message", message);
}

json_t *sandbox_elevenlabs_invalid(edge_ctx *ctx, const char *field, const char *message)
{
    edge_response_status(ctx, 422);
    return json_pack(
        "{s:[{s:s, s:[s, s], s:s}]}", "detail", "type", "value_error", "loc", "body", field, "msg", message);
}

/* The segment that {x} stands for, "" of a pattern without one; NULL when the path is another. */
static const char *match(edge_ctx *ctx, const char *pattern, const char *path)
{
    size_t head = strcspn(pattern, "{");
    if (pattern[head] == '\0')
        return strcmp(pattern, path) == 0 ? "" : NULL;
    if (strncmp(pattern, path, head) != 0)
        return NULL;
    size_t segment = strcspn(path + head, "/");
    bool same_tail = strcmp(path + head + segment, strchr(pattern, '}') + 1) == 0;
    return segment > 0 && same_tail ? edge_copy_bytes(ctx, path + head, segment) : NULL;
}

static json_t *dispatch(edge_ctx *ctx, json_t *order)
{
    const char *segment;
    for (const struct sandbox_elevenlabs_endpoint *const *table = tables; *table != NULL; table++)
        for (const struct sandbox_elevenlabs_endpoint *endpoint = *table; endpoint->path != NULL; endpoint++)
            if (strcmp(endpoint->method, edge_request_method(ctx)) == 0 &&
                (segment = match(ctx, endpoint->path, edge_request_rest(ctx))) != NULL)
                return endpoint->answer(ctx, order, segment);
    edge_response_status(ctx, 404);
    return json_pack("{s:s}", "detail", "Not Found");
}

static json_t *sandbox_elevenlabs(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "elevenlabs");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    const char *given = edge_request_header(ctx, "xi-api-key"), *key = edge_env(ctx, "ELEVENLABS_API_KEY");
    if (given == NULL)
        return sandbox_elevenlabs_refuse(
            ctx, 401, "needs_authorization", "Neither authorization header nor xi-api-key received");
    if (key != NULL && strcmp(given, key) != 0)
        return sandbox_elevenlabs_refuse(ctx, 401, "invalid_api_key", "Invalid API key");
    return dispatch(ctx, order);
}

EDGE_FUNCTION(sandbox_elevenlabs,
    .summary = "Stand-in for ElevenLabs",
    .handle = sandbox_elevenlabs,
    .methods = "GET POST PATCH DELETE",
    .raw_body = true,
    .streams = true);
