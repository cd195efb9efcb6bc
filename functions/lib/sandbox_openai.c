/*
 * Stand-ins that speak OpenAI's protocol: who may ask, and what for.
 */
#include "lib/sandbox_openai.h"

#include "lib/sandbox.h"

#include <string.h>

json_t *sandbox_openai_refuse(
    edge_ctx *ctx, int status, const char *type, const char *param, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack(
        "{s:{s:s, s:s, s:s?, s:n}}", "error", "message", message, "type", type, "param", param, "code");
}

bool sandbox_openai_is_model(const char *const *models, const char *name)
{
    for (; name != NULL && *models != NULL; models++)
        if (strcmp(*models, name) == 0)
            return true;
    return false;
}

static json_t *check_access(edge_ctx *ctx, const struct sandbox_openai *service)
{
    const char *given = edge_request_header(ctx, "authorization"), *key = edge_env(ctx, service->key_variable);
    if (given == NULL || strncmp(given, "Bearer ", 7) != 0 || given[7] == '\0')
        return sandbox_openai_refuse(ctx, 401, "authentication_error", NULL, "Missing API key");
    if (key != NULL && strcmp(given + 7, key) != 0)
        return sandbox_openai_refuse(ctx, 401, "authentication_error", NULL, "Invalid API key");
    return NULL;
}

static json_t *list_models(const struct sandbox_openai *service)
{
    json_t *list = json_array();
    for (const char *const *model = service->chat_models; *model != NULL; model++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:s}", "id", *model, "object", "model",
                                        "created", 1700000000, "owned_by", "sandbox"));
    return json_pack("{s:s, s:o}", "object", "list", "data", list);
}

static json_t *chat(edge_ctx *ctx, const struct sandbox_openai *service, json_t *order)
{
    const char *type = edge_request_header(ctx, "content-type");
    if (type == NULL || strncmp(type, "application/json", 16) != 0)
        return sandbox_openai_refuse(
            ctx, 415, "invalid_request_error", NULL, "Content-Type must be application/json");

    size_t length;
    const char *body = edge_request_body(ctx, &length);
    json_t *request = edge_json_parse(ctx, body, length);
    json_t *problem = sandbox_chat_check(ctx, service, request);
    return problem != NULL ? problem : sandbox_chat_answer(ctx, service, order, request);
}

json_t *sandbox_openai_handle(edge_ctx *ctx, const struct sandbox_openai *service)
{
    json_t *order = sandbox_receive(ctx, service->provider);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    json_t *problem = check_access(ctx, service);
    if (problem != NULL)
        return problem;
    bool post = strcmp(edge_request_method(ctx), "POST") == 0;
    const char *path = edge_request_rest(ctx);
    if (!post && strcmp(path, "/v1/models") == 0)
        return list_models(service);
    if (post && strcmp(path, "/v1/chat/completions") == 0)
        return chat(ctx, service, order);
    if (post && strcmp(path, "/v1/audio/transcriptions") == 0)
        return sandbox_speech_answer(ctx, service, order);
    return sandbox_openai_refuse(ctx, 404, "invalid_request_error", NULL,
        edge_format(ctx, "Invalid URL (%s %s)", edge_request_method(ctx), path));
}
