/*
 * openaiChat: free text, or JSON in a shape that the page asks for, from one of the models that are allowed.
 * Nothing is stored; no database.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/chat_stream.h"
#include "lib/completion.h"
#include "lib/gateway.h"
#include "lib/prompts.h"

enum {
    CONTENT_MAX = 100000,
    TOTAL_MAX = 400000,
};

static const char *const roles[] = { "user", "assistant", "system", NULL };
static const char *const formats[] = { "text", "json_object", "json_schema", NULL };
static const char *const max_tokens_aliases[] = { "maxTokens", NULL };

static const edge_field message_fields[] = {
    { "role", EDGE_ENUM, .values = roles, .required = true },
    { "content", EDGE_TEXT, .min = 1, .max = CONTENT_MAX, .required = true },
    { 0 },
};
static const edge_field message = { .type = EDGE_OBJECT, .fields = message_fields };
static const edge_field schema_fields[] = {
    { "name", EDGE_TEXT, .min = 1, .max = 64, .required = true },
    { "schema", EDGE_OBJECT, .required = true },
    { 0 },
};
static const edge_field format_fields[] = {
    { "type", EDGE_ENUM, .values = formats, .required = true },
    { "json_schema", EDGE_OBJECT, .fields = schema_fields },
    { 0 },
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "messages", EDGE_ARRAY, .min = 1, .max = 100, .items = &message, .required = true,
        .help = "The conversation so far, 400,000 characters at most" },
    { "systemPrompt", EDGE_TEXT, .min = 0, .max = 32000, .help = "Instructions before the conversation" },
    { "model", EDGE_TEXT, .help = "One of the allowed models" },
    { "max_tokens", EDGE_INT, .min = 1, .max = 8192, .aliases = max_tokens_aliases,
        .help = "Length of the answer" },
    { "temperature", EDGE_NUMBER, .min = 0, .max = 2, .help = "0 is the most predictable" },
    { "response_format", EDGE_OBJECT, .fields = format_fields, .help = "JSON instead of text" },
    { "stream", EDGE_BOOL, .help = "Answer token by token" },
    { 0 },
};

static const edge_field output[] = {
    { "generatedText", EDGE_TEXT, .required = true, .help = "What the model wrote" },
    { "message", EDGE_TEXT, .required = true, .help = "The same" },
    { "model", EDGE_TEXT, .help = "The model that wrote it" },
    { "finishReason", EDGE_TEXT, .help = "Why it ended" },
    { "usage", EDGE_OBJECT, .help = "Tokens, as the gateway counts them" },
    { "parsed", EDGE_JSON, .help = "With a response_format of JSON: its value" },
    { "*", EDGE_JSON, .help = "Keys of parsed, when it is an object" },
    { 0 },
};

static const char *const models[] = { GATEWAY_TEXT_MODEL, "google/gemini-2.5-flash-lite",
    "google/gemini-2.5-pro", NULL };
/* What the content studio sends; the gateway knows none of them. */
static const char *const legacy_models[] = { "gpt-4o", "gpt-4o-mini", "gpt-4", "gpt-3.5-turbo", NULL };

/* Members of the answer that a model's own keys do not replace. */
static const char *const own_keys[] = { "generatedText", "message", "parsed", "model", "usage", "finishReason",
    "error", "code", "requestId", "response", "conversationId", "toolCalls", NULL };

static bool is_one_of(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* Whether AI_ALLOWED_MODELS, separated by commas, lists the model. */
static bool is_listed(edge_ctx *ctx, const char *name)
{
    const char *list = edge_env(ctx, "AI_ALLOWED_MODELS");
    for (size_t length; list != NULL && *(list += strspn(list, ", ")) != '\0'; list += length) {
        length = strcspn(list, ", ");
        if (length == strlen(name) && strncmp(list, name, length) == 0)
            return true;
    }
    return false;
}

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field, const char *text)
{
    edge_fail_with(ctx, 400, "invalid_input", .message = text, .field = field);
}

static const char *model_of(edge_ctx *ctx, json_t *in)
{
    const char *name = edge_json_text(in, "model");
    if (name == NULL || is_one_of(legacy_models, name))
        return GATEWAY_TEXT_MODEL;
    if (!is_one_of(models, name) && !is_listed(ctx, name))
        refuse(ctx, "model", "model is none of the allowed models");
    return name;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void check_total(edge_ctx *ctx, json_t *messages)
{
    size_t i, total = 0;
    json_t *one;
    json_array_foreach(messages, i, one) total += characters(edge_json_text(one, "content"));
    if (total > TOTAL_MAX)
        refuse(ctx, "messages", "messages must not have more than 400,000 characters in total");
}

static bool wants_json(json_t *in)
{
    const char *type = edge_json_text(json_object_get(in, "response_format"), "type");
    return type != NULL && strcmp(type, "text") != 0;
}

static void check_format(edge_ctx *ctx, json_t *in)
{
    json_t *format = json_object_get(in, "response_format");
    const char *type = edge_json_text(format, "type");
    if (type != NULL && strcmp(type, "json_schema") == 0 && json_object_get(format, "json_schema") == NULL)
        refuse(ctx, "response_format.json_schema", "response_format.json_schema is required");
}

static json_t *messages_of(json_t *in)
{
    const char *system = edge_json_text(in, "systemPrompt");
    bool given = system != NULL && system[0] != '\0';
    json_t *messages =
               json_pack("[{s:s, s:s}]", "role", "system", "content", given ? system : prompt_openai_chat),
           *one;
    size_t i;
    json_array_foreach(json_object_get(in, "messages"), i, one)
        json_array_append_new(messages, json_pack("{s:O, s:O}", "role", json_object_get(one, "role"), "content",
                                            json_object_get(one, "content")));
    return messages;
}

static json_t *settings_of(json_t *in)
{
    static const char *const names[] = { "max_tokens", "temperature", "response_format", NULL };
    json_t *settings = json_object();
    for (const char *const *name = names; *name != NULL; name++)
        if (json_object_get(in, *name) != NULL)
            json_object_set(settings, *name, json_object_get(in, *name));
    return settings;
}

static void add_parsed(json_t *body, json_t *parsed)
{
    const char *key;
    json_t *value;
    json_object_set(body, "parsed", parsed);
    json_object_foreach(parsed, key, value) if (!is_one_of(own_keys, key)) json_object_set(body, key, value);
}

static json_t *answer_body(
    edge_ctx *ctx, json_t *in, const struct chat_stream *stream, const struct gateway_answer *answer)
{
    const char *text = completion_trim(ctx, answer->content);
    if (text[0] == '\0')
        gateway_fail(ctx, &gateway_unusable);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s?, s:O?}", "generatedText", text, "message", text, "model",
        answer->model, "finishReason", answer->finish_reason, "usage", answer->usage);
    if (wants_json(in)) {
        json_t *parsed = completion_json(ctx, text);
        if (parsed == NULL)
            gateway_fail(ctx, &gateway_unusable);
        add_parsed(body, parsed);
    }
    if (stream->wanted)
        json_object_update_new(
            body, json_pack("{s:s, s:n, s:[]}", "response", text, "conversationId", "toolCalls"));
    return body;
}

static json_t *chat(edge_ctx *ctx, json_t *in)
{
    check_total(ctx, json_object_get(in, "messages"));
    const char *model = model_of(ctx, in);
    check_format(ctx, in);
    gateway_require_key(ctx);

    struct chat_stream stream = chat_stream_of(ctx, in);
    const struct gateway_ask ask = {
        .model = model,
        .messages = messages_of(in),
        .settings = settings_of(in),
        .stream = stream.wanted,
    };
    const struct gateway_answer *answer = chat_stream_relay(&stream, gateway_open(ctx, &ask));
    if (answer->failure != NULL)
        gateway_fail(ctx, answer->failure);
    return chat_stream_end(&stream, answer_body(ctx, in, &stream, answer));
}

EDGE_FUNCTION(openaiChat,
    .summary = "Text, or JSON in a given shape, from a language model",
    .input = input,
    .output = output,
    .handle = chat,
    .streams = true);
