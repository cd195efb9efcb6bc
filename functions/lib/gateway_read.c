/*
 * Reading the AI gateway's answer: a completion in one piece, or chat.completion.chunk events (OpenAI API
 * reference, Chat Completions streaming).
 */
#include "lib/gateway.h"

#include "lib/gateway_call.h"

#include <string.h>

const char *gateway_model(const struct gateway_call *call)
{
    return call->answer.model;
}

/* Keeps copies: a chunk's JSON is dropped once it has been read. */
static void note_envelope(struct gateway_call *call, json_t *json, json_t *choice)
{
    const char *model = edge_json_text(json, "model");
    if (model != NULL && model[0] != '\0' && strcmp(model, call->answer.model) != 0)
        call->answer.model = edge_copy(call->ctx, model);

    const char *finish_reason = edge_json_text(choice, "finish_reason");
    if (finish_reason != NULL)
        call->answer.finish_reason = edge_copy(call->ctx, finish_reason);

    json_t *usage = json_object_get(json, "usage");
    if (json_is_object(usage))
        call->answer.usage = json_incref(usage);
}

static json_t *nonempty_array(json_t *object, const char *key)
{
    json_t *array = json_object_get(object, key);
    return json_array_size(array) > 0 ? array : NULL;
}

/* Adds a message's text to the answer; it is handed out from there. */
static const char *take_text(struct gateway_call *call, json_t *message)
{
    const char *content = edge_json_text(message, "content");
    if (content == NULL || content[0] == '\0')
        return NULL;
    size_t before = call->content.length;
    text_add(&call->content, content);
    return call->content.data + before;
}

static const char *read_whole(struct gateway_call *call)
{
    call->complete = true;
    edge_reply_finish(call->ctx, call->reply);
    if (call->reply->failure != EDGE_HTTP_OK) {
        gateway_note_broken(call);
        return NULL;
    }

    /* Some gateways announce no type, or a wrong one: what parses counts. */
    json_t *json = call->reply->json;
    if (json == NULL && call->reply->body != NULL)
        json = edge_json_parse(call->ctx, call->reply->body, call->reply->length);

    json_t *choice = json_array_get(json_object_get(json, "choices"), 0);
    json_t *message = json_object_get(choice, "message");
    if (!json_is_object(message)) {
        gateway_note_unusable(call, json == NULL ? "no JSON" : "no choices[0].message");
        return NULL;
    }
    note_envelope(call, json, choice);
    call->answer.tool_calls = nonempty_array(message, "tool_calls");
    call->answer.images = nonempty_array(message, "images");
    return take_text(call, message);
}

/* Appends a fragment's text to a member that earlier fragments began. */
static void append_member(edge_ctx *ctx, json_t *object, const char *key, const char *more)
{
    const char *before = edge_json_text(object, key);
    json_object_set_new(object, key, json_string(edge_format(ctx, "%s%s", before != NULL ? before : "", more)));
}

/* Fragments of one tool call share an index; id and name come with the first, arguments bit by bit. */
static void assemble_tool_call(struct gateway_call *call, json_t *fragment)
{
    if (call->answer.tool_calls == NULL)
        call->answer.tool_calls = json_array();

    json_t *calls = call->answer.tool_calls;
    size_t index = (size_t)edge_json_int(fragment, "index", 0);
    if (index > json_array_size(calls) || index >= 128)
        return;
    if (index == json_array_size(calls))
        json_array_append_new(calls, json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", "", "type", "function",
                                         "function", "name", "", "arguments", ""));

    json_t *whole = json_array_get(calls, index);
    json_t *function = json_object_get(whole, "function");
    json_object_update_missing(whole, fragment); /* members of the vendor's own, which it wants back */
    json_object_del(whole, "index");
    const char *id = edge_json_text(fragment, "id");
    const char *name = edge_json_text(edge_json_path(fragment, "function"), "name");
    const char *arguments = edge_json_text(edge_json_path(fragment, "function"), "arguments");
    if (id != NULL && id[0] != '\0')
        json_object_set_new(whole, "id", json_string(id));
    if (name != NULL && name[0] != '\0')
        json_object_set_new(function, "name", json_string(name));
    if (arguments != NULL)
        append_member(call->ctx, function, "arguments", arguments);
}

static const char *read_choice(struct gateway_call *call, json_t *chunk)
{
    json_t *error = json_object_get(chunk, "error");
    if (json_is_object(error)) {
        gateway_note_error(call, error);
        return NULL;
    }

    json_t *choice = json_array_get(json_object_get(chunk, "choices"), 0);
    json_t *delta = json_object_get(choice, "delta");
    note_envelope(call, chunk, choice);

    size_t i;
    json_t *fragment;
    json_array_foreach(json_object_get(delta, "tool_calls"), i, fragment) assemble_tool_call(call, fragment);
    return take_text(call, delta);
}

/* One event of the stream; its text when it brings some. */
static const char *read_chunk(struct gateway_call *call, const char *data)
{
    if (strcmp(data, "[DONE]") == 0) {
        call->complete = true;
        return NULL;
    }

    json_t *chunk = edge_json_parse(call->ctx, data, strlen(data));
    if (!json_is_object(chunk)) {
        gateway_note_unusable(call, "a chunk is no JSON object");
        return NULL;
    }
    const char *text = read_choice(call, chunk);
    json_decref(chunk); /* thousands of them make an answer */
    return text;
}

static const char *read_stream(struct gateway_call *call)
{
    while (!call->complete && !call->answer.left && call->answer.failure == NULL) {
        const edge_event *event = edge_reply_event(call->ctx, call->reply);
        if (event != NULL) {
            const char *text = read_chunk(call, event->data);
            if (text != NULL)
                return text;
            continue;
        }
        /* Without [DONE], a finish_reason still says that nothing is missing. */
        call->complete = call->reply->failure == EDGE_HTTP_OK && call->answer.finish_reason != NULL;
        if (!call->complete)
            gateway_note_broken(call);
    }
    return NULL;
}

const char *gateway_next(struct gateway_call *call)
{
    if (call->complete || call->answer.left || call->answer.failure != NULL)
        return NULL;
    return call->streaming ? read_stream(call) : read_whole(call);
}

const struct gateway_answer *gateway_answer(struct gateway_call *call)
{
    call->answer.content = text_value(&call->content);
    return &call->answer;
}

const char *gateway_try_text(edge_ctx *ctx, const struct gateway_ask *ask)
{
    if (edge_env(ctx, "LOVABLE_API_KEY") == NULL)
        return NULL;

    struct gateway_call *call = gateway_open(ctx, ask);
    while (gateway_next(call) != NULL)
        ;
    const struct gateway_answer *answer = gateway_answer(call);
    const char *said = answer->failure == NULL ? text_trim(ctx, answer->content) : "";
    return said[0] != '\0' ? said : NULL;
}
