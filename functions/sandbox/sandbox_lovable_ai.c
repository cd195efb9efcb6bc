/*
 * sandbox_lovable_ai: stand-in for the AI gateway (OpenAI chat completions). It checks what the real one checks
 * and answers with a summary of what it was asked, so that a conversation with it is the same every time.
 *
 * A last user message with [[tool:name {json}]] in it makes it ask for that tool, when the tool is on offer.
 * SANDBOX_TOKEN_INTERVAL_MS is the time between two tokens of a stream (default 20).
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/sandbox.h"
#include "lib/text.h"

#define IMAGE_MODEL "google/gemini-2.5-flash-image"

static const char *const models[] = { "google/gemini-2.5-flash", "google/gemini-2.5-flash-lite",
    "google/gemini-2.5-pro", "openai/gpt-5", "openai/gpt-5-mini", IMAGE_MODEL, NULL };

/* One grey pixel, PNG. */
#define IMAGE_URL                                                                                              \
    "data:image/png;base64,"                                                                                   \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

/* A question, read from the request, and what is said to it. */
struct chat {
    json_t *order, *request;
    const char *model, *id;
    json_t *tool_calls; /* NULL: it answers with text */
    const char *content;
};

/* The gateway's errors are OpenAI's: an object under "error". */
static json_t *refusal(edge_ctx *ctx, int status, const char *type, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:{s:s, s:s, s:n, s:n}}", "error", "message", message, "type", type, "param", "code");
}

static json_t *check_access(edge_ctx *ctx)
{
    const char *given = edge_request_header(ctx, "authorization"), *key = edge_env(ctx, "LOVABLE_API_KEY");
    if (given == NULL || strncmp(given, "Bearer ", 7) != 0 || given[7] == '\0')
        return refusal(ctx, 401, "authentication_error", "Missing API key");
    if (key != NULL && strcmp(given + 7, key) != 0)
        return refusal(ctx, 401, "authentication_error", "Invalid API key");
    return NULL;
}

static bool is_model(const char *name)
{
    for (const char *const *model = models; name != NULL && *model != NULL; model++)
        if (strcmp(*model, name) == 0)
            return true;
    return false;
}

static bool is_message(json_t *message)
{
    static const char *const roles[] = { "system", "user", "assistant", "tool", NULL };
    const char *role = edge_json_text(message, "role");
    const json_t *content = json_object_get(message, "content");
    bool has_calls = json_array_size(json_object_get(message, "tool_calls")) > 0;
    for (const char *const *known = roles; role != NULL && *known != NULL; known++)
        if (strcmp(*known, role) == 0)
            return json_is_string(content) || json_is_array(content) || has_calls;
    return false;
}

static json_t *check_question(edge_ctx *ctx, json_t *request)
{
    const char *type = edge_request_header(ctx, "content-type");
    if (type == NULL || strncmp(type, "application/json", 16) != 0)
        return refusal(ctx, 415, "invalid_request_error", "Content-Type must be application/json");
    if (!json_is_object(request))
        return refusal(ctx, 400, "invalid_request_error", "The body is not a JSON object");
    if (!is_model(edge_json_text(request, "model")))
        return refusal(ctx, 400, "invalid_request_error", "Unknown model");

    json_t *messages = json_object_get(request, "messages"), *message;
    if (json_array_size(messages) == 0)
        return refusal(ctx, 400, "invalid_request_error", "messages must be a non-empty array");
    size_t i;
    json_array_foreach(messages, i, message) if (!is_message(message)) return refusal(
        ctx, 400, "invalid_request_error", edge_format(ctx, "messages[%zu] is malformed", i));
    return NULL;
}

static json_t *last_message(json_t *request)
{
    json_t *messages = json_object_get(request, "messages");
    return json_array_get(messages, json_array_size(messages) - 1);
}

static bool is_offered(json_t *request, const char *name)
{
    size_t i;
    json_t *tool;
    json_array_foreach(json_object_get(request, "tools"), i, tool)
    {
        const char *offered = edge_json_text(json_object_get(tool, "function"), "name");
        if (offered != NULL && strcmp(offered, name) == 0)
            return true;
    }
    return false;
}

/* All [[tool:name {json}]] of the last message, if it is the user's and tools may be used. */
static json_t *wanted_tools(edge_ctx *ctx, json_t *request)
{
    const char *choice = edge_json_text(request, "tool_choice"),
               *role = edge_json_text(last_message(request), "role");
    const char *at = edge_json_text(last_message(request), "content");
    if (at == NULL || strcmp(role, "user") != 0 || (choice != NULL && strcmp(choice, "none") == 0))
        return NULL;

    json_t *calls = json_array();
    while ((at = strstr(at, "[[tool:")) != NULL) {
        at += 7;
        const char *end = strstr(at, "]]");
        size_t length = strcspn(at, " ]");
        if (end == NULL)
            break;
        const char *name = edge_copy_bytes(ctx, at, length);
        const char *arguments =
            at[length] == ' ' ? edge_copy_bytes(ctx, at + length + 1, (size_t)(end - at) - length - 1) : "{}";
        if (is_offered(request, name))
            json_array_append_new(
                calls, json_pack("{s:o, s:s, s:{s:s, s:s}}", "id",
                           json_sprintf("call_%zu_%s", json_array_size(calls) + 1, name), "type", "function",
                           "function", "name", name, "arguments", arguments));
        at = end;
    }
    return json_array_size(calls) > 0 ? calls : NULL;
}

static const char *summary(edge_ctx *ctx, json_t *request)
{
    json_t *messages = json_object_get(request, "messages"), *last = last_message(request);
    const char *role = edge_json_text(last, "role"), *content = edge_json_text(last, "content");
    const char *said = content != NULL ? text_cut(ctx, content, 200) : "";
    if (strcmp(role, "tool") == 0)
        return edge_format(ctx, "The tool answered: %s", said);
    return edge_format(ctx,
        "You asked: \"%s\" This is the sandbox's answer to message %zu of the conversation.", said,
        json_array_size(messages));
}

static const char *joined(edge_ctx *ctx, json_t *tokens)
{
    struct text text = { .ctx = ctx };
    size_t i;
    json_t *token;
    json_array_foreach(tokens, i, token) text_add(&text, json_string_value(token));
    return text_value(&text);
}

static size_t words(const char *text)
{
    size_t count = 0;
    while (*(text += strspn(text, " \n")) != '\0') {
        count++;
        text += strcspn(text, " \n");
    }
    return count;
}

static json_t *usage(edge_ctx *ctx, const struct chat *chat)
{
    size_t asked = words(edge_json_dump(ctx, json_object_get(chat->request, "messages"), NULL));
    size_t said = words(chat->content);
    return json_pack("{s:I, s:I, s:I}", "prompt_tokens", (json_int_t)asked, "completion_tokens",
        (json_int_t)said, "total_tokens", (json_int_t)(asked + said));
}

static json_t *envelope(edge_ctx *ctx, const struct chat *chat, const char *object, json_t *choice)
{
    return json_pack("{s:s, s:s, s:I, s:s, s:[o]}", "id", chat->id, "object", object, "created",
        (json_int_t)(edge_now(ctx) / 1000000), "model", chat->model, "choices", choice);
}

static json_t *completion(edge_ctx *ctx, const struct chat *chat)
{
    json_t *message = json_pack(
        "{s:s, s:s?}", "role", "assistant", "content", chat->tool_calls == NULL ? chat->content : NULL);
    if (chat->tool_calls != NULL)
        json_object_set(message, "tool_calls", chat->tool_calls);
    if (strcmp(chat->model, IMAGE_MODEL) == 0)
        json_object_set_new(message, "images",
            json_pack("[{s:s, s:{s:s}}]", "type", "image_url", "image_url", "url", IMAGE_URL));

    json_t *choice = json_pack("{s:i, s:o, s:s}", "index", 0, "message", message, "finish_reason",
        chat->tool_calls != NULL ? "tool_calls" : "stop");
    json_t *body = envelope(ctx, chat, "chat.completion", choice);
    json_object_set_new(body, "usage", usage(ctx, chat));
    return body;
}

static void send_data(edge_ctx *ctx, const char *data)
{
    const char *event = edge_format(ctx, "data: %s\n\n", data);
    edge_stream_bytes(ctx, event, strlen(event));
}

static void send_delta(edge_ctx *ctx, const struct chat *chat, json_t *delta, const char *finish_reason)
{
    json_t *choice = json_pack("{s:i, s:o, s:s?}", "index", 0, "delta", delta, "finish_reason", finish_reason);
    send_data(ctx, edge_json_dump(ctx, envelope(ctx, chat, "chat.completion.chunk", choice), NULL));
}

/* The pieces of the answer: as ordered, else word by word. */
static json_t *tokens_of(const struct chat *chat)
{
    json_t *ordered = json_object_get(chat->order, "tokens");
    if (json_is_array(ordered))
        return ordered;
    json_t *tokens = json_array();
    for (const char *at = chat->content; *at != '\0';) {
        size_t length = strcspn(at, " ");
        length += strspn(at + length, " ");
        json_array_append_new(tokens, json_stringn(at, length));
        at += length;
    }
    return tokens;
}

static int64_t token_interval(edge_ctx *ctx, const struct chat *chat)
{
    const char *configured = edge_env(ctx, "SANDBOX_TOKEN_INTERVAL_MS");
    return edge_json_int(chat->order, "tokenIntervalMs", configured != NULL ? atoll(configured) : 20);
}

static void stream_text(edge_ctx *ctx, const struct chat *chat)
{
    int64_t truncate = edge_json_int(chat->order, "truncateAfter", -1);
    int64_t stall = edge_json_int(chat->order, "stallAfter", -1), interval = token_interval(ctx, chat);
    json_t *tokens = tokens_of(chat);
    for (size_t i = 0; i <= json_array_size(tokens); i++) {
        if ((int64_t)i == truncate)
            edge_stream_abort(ctx);
        if ((int64_t)i == stall)
            sandbox_stall(ctx);
        if (i == json_array_size(tokens))
            break;
        if (i > 0 || truncate >= 0)
            edge_sleep(ctx, interval);
        send_delta(ctx, chat, json_pack("{s:O}", "content", json_array_get(tokens, i)), NULL);
    }
}

/* As the real one does: id and name first, the arguments in pieces. */
static void stream_tool_calls(edge_ctx *ctx, const struct chat *chat)
{
    size_t i;
    json_t *call;
    json_array_foreach(chat->tool_calls, i, call)
    {
        json_t *function = json_object_get(call, "function");
        const char *arguments = edge_json_text(function, "arguments");
        size_t half = strlen(arguments) / 2;
        send_delta(ctx, chat,
            json_pack("{s:[{s:i, s:O, s:s, s:{s:O, s:s}}]}", "tool_calls", "index", (int)i, "id",
                json_object_get(call, "id"), "type", "function", "function", "name",
                json_object_get(function, "name"), "arguments", ""),
            NULL);
        send_delta(ctx, chat,
            json_pack("{s:[{s:i, s:{s:s%}}]}", "tool_calls", "index", (int)i, "function", "arguments",
                arguments, half),
            NULL);
        send_delta(ctx, chat,
            json_pack("{s:[{s:i, s:{s:s}}]}", "tool_calls", "index", (int)i, "function", "arguments",
                arguments + half),
            NULL);
    }
}

static json_t *stream(edge_ctx *ctx, const struct chat *chat)
{
    edge_stream_begin(ctx, 200, "text/event-stream");
    send_delta(ctx, chat, json_pack("{s:s, s:s}", "role", "assistant", "content", ""), NULL);
    if (chat->tool_calls != NULL)
        stream_tool_calls(ctx, chat);
    else
        stream_text(ctx, chat);
    send_delta(ctx, chat, json_object(), chat->tool_calls != NULL ? "tool_calls" : "stop");

    if (edge_json_bool(json_object_get(chat->request, "stream_options"), "include_usage", false)) {
        json_t *last = envelope(ctx, chat, "chat.completion.chunk", json_null());
        json_object_set_new(last, "choices", json_array());
        json_object_set_new(last, "usage", usage(ctx, chat));
        send_data(ctx, edge_json_dump(ctx, last, NULL));
    }
    send_data(ctx, "[DONE]");
    return NULL;
}

static json_t *answer(edge_ctx *ctx, json_t *order, json_t *request)
{
    struct chat chat = {
        .order = order,
        .request = request,
        .model = edge_json_text(request, "model"),
        .id = edge_format(ctx, "chatcmpl-sandbox-%s", edge_request_id(ctx)),
        .tool_calls = json_object_get(order, "content") == NULL && json_object_get(order, "tokens") == NULL
                          ? wanted_tools(ctx, request)
                          : NULL,
        .content = edge_json_text(order, "content"),
    };
    if (chat.content == NULL)
        chat.content = json_is_array(json_object_get(order, "tokens"))
                           ? joined(ctx, json_object_get(order, "tokens"))
                           : summary(ctx, request);

    if (edge_json_bool(request, "stream", false))
        return stream(ctx, &chat);
    return sandbox_send(ctx, order, 200, "application/json", edge_json_dump(ctx, completion(ctx, &chat), NULL));
}

static json_t *list_models(void)
{
    json_t *list = json_array();
    for (const char *const *model = models; *model != NULL; model++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "id", *model, "object", "model"));
    return json_pack("{s:s, s:o}", "object", "list", "data", list);
}

static json_t *sandbox_gateway(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "lovable_ai");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    json_t *problem = check_access(ctx);
    if (problem != NULL)
        return problem;
    if (strcmp(edge_request_rest(ctx), "/v1/models") == 0)
        return list_models();
    if (strcmp(edge_request_rest(ctx), "/v1/chat/completions") != 0)
        return refusal(ctx, 404, "invalid_request_error", "Unknown request URL");

    size_t length;
    const char *body = edge_request_body(ctx, &length);
    json_t *request = edge_json_parse(ctx, body, length);
    problem = check_question(ctx, request);
    return problem != NULL ? problem : answer(ctx, order, request);
}

EDGE_FUNCTION(sandbox_lovable_ai,
    .summary = "Stand-in for the AI gateway",
    .handle = sandbox_gateway,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
