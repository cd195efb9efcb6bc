/*
 * Answers of the chat stand-in: a completion in one piece, or chat.completion.chunk events
 * (https://platform.openai.com/docs/api-reference/chat).
 *
 * SANDBOX_TOKEN_INTERVAL_MS is the time between two tokens of a stream (default 20).
 */
#include "lib/sandbox.h"
#include "lib/sandbox_openai.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

/* One grey pixel, PNG. */
#define IMAGE_URL                                                                                              \
    "data:image/png;base64,"                                                                                   \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

/* A question, read from the request, and what is said to it. */
struct chat {
    json_t *order, *request;
    const char *model, *id;
    json_t *tool_calls; /* NULL: none */
    const char *content;
    json_t *images; /* NULL: none */
    const char *finish_reason;
};

static const char *summary(edge_ctx *ctx, json_t *request)
{
    json_t *messages = json_object_get(request, "messages");
    json_t *last = json_array_get(messages, json_array_size(messages) - 1);
    const char *role = edge_json_text(last, "role"), *content = edge_json_text(last, "content");
    const char *format = edge_json_text(json_object_get(request, "response_format"), "type");
    const char *said = content != NULL ? text_cut(ctx, content, 200) : "";
    if (format != NULL && strcmp(format, "text") != 0)
        return edge_json_dump(ctx, json_pack("{s:s}", "asked", said), NULL);
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

static const char *content_of(edge_ctx *ctx, const struct chat *chat)
{
    const char *ordered = edge_json_text(chat->order, "content");
    if (ordered != NULL)
        return ordered;
    if (json_is_array(json_object_get(chat->order, "tokens")))
        return joined(ctx, json_object_get(chat->order, "tokens"));
    return chat->tool_calls == NULL ? summary(ctx, chat->request) : "";
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
    bool silent = chat->tool_calls != NULL && chat->content[0] == '\0';
    json_t *message = json_pack("{s:s, s:s?}", "role", "assistant", "content", silent ? NULL : chat->content);
    if (chat->tool_calls != NULL)
        json_object_set(message, "tool_calls", chat->tool_calls);
    if (chat->images != NULL)
        json_object_set(message, "images", chat->images);

    json_t *choice =
        json_pack("{s:i, s:o, s:s}", "index", 0, "message", message, "finish_reason", chat->finish_reason);
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
    json_t *chunk = envelope(ctx, chat, "chat.completion.chunk", choice);
    send_data(ctx, edge_json_dump(ctx, chunk, NULL));
    json_decref(chunk);
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
        while (((unsigned char)arguments[half] & 0xc0) == 0x80)
            half++;
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
    stream_text(ctx, chat);
    stream_tool_calls(ctx, chat);
    send_delta(ctx, chat, json_object(), chat->finish_reason);

    if (edge_json_bool(json_object_get(chat->request, "stream_options"), "include_usage", false)) {
        json_t *last = envelope(ctx, chat, "chat.completion.chunk", json_null());
        json_object_set_new(last, "choices", json_array());
        json_object_set_new(last, "usage", usage(ctx, chat));
        send_data(ctx, edge_json_dump(ctx, last, NULL));
    }
    send_data(ctx, "[DONE]");
    return NULL;
}

static json_t *images_of(const struct sandbox_openai *service, const struct chat *chat)
{
    if (service->image_model == NULL || strcmp(chat->model, service->image_model) != 0)
        return NULL;
    json_t *ordered = json_object_get(chat->order, "images"), *images = json_array(), *url;
    if (!json_is_array(ordered))
        ordered = json_pack("[s]", IMAGE_URL);
    size_t i;
    json_array_foreach(ordered, i, url) json_array_append_new(
        images, json_pack("{s:s, s:{s:O}}", "type", "image_url", "image_url", "url", url));
    return json_array_size(images) > 0 ? images : NULL;
}

json_t *sandbox_chat_answer(edge_ctx *ctx, const struct sandbox_openai *service, json_t *order, json_t *request)
{
    struct chat chat = {
        .order = order,
        .request = request,
        .model = edge_json_text(request, "model"),
        .id = edge_format(ctx, "chatcmpl-sandbox-%s", edge_request_id(ctx)),
        .tool_calls = sandbox_chat_tool_calls(ctx, order, request),
        .finish_reason = edge_json_text(order, "finishReason"),
    };
    chat.content = content_of(ctx, &chat);
    chat.images = images_of(service, &chat);
    if (chat.finish_reason == NULL)
        chat.finish_reason = chat.tool_calls != NULL ? "tool_calls" : "stop";

    if (edge_json_bool(request, "stream", false))
        return stream(ctx, &chat);
    return sandbox_send(ctx, order, 200, "application/json", edge_json_dump(ctx, completion(ctx, &chat), NULL));
}
