/*
 * What becomes of a tool's call: running it, and telling the model, the client and the audit trail.
 *
 * What a tool answers goes to the model as the JSON text of a tool message and nowhere else: whatever it says,
 * it stays data.
 */
#include "lib/text.h"
#include "lib/tool_call.h"

#include <string.h>
#include <strings.h>

enum {
    MESSAGE_BYTES = 16000,
    USAGE_BYTES = 64 * 1024,
};

#define TRUNCATED " [truncated]"

static const char *const statuses[] = { "success", "failed", NULL };

static const edge_field entry_fields[] = {
    { "id", EDGE_TEXT, .required = true, .help = "Of this call, as the model named it" },
    { "name", EDGE_TEXT, .required = true, .help = "Which tool" },
    { "args", EDGE_OBJECT, .required = true, .help = "What the tool was given, by parameter" },
    { "status", EDGE_ENUM, .values = statuses, .required = true, .help = "How it ended" },
    { "durationMs", EDGE_INT, .required = true, .help = "0 when it did not run" },
    { "error", EDGE_TEXT, .help = "failed: why" },
    { "suggestion", EDGE_TEXT, .help = "failed: what would help" },
    { "deduplicated", EDGE_BOOL, .help = "true: it shares the run of an equal call" },
    { "imageUrl", EDGE_URL, .help = "Image that it made" },
    { 0 },
};

const edge_field tool_call_output = { .type = EDGE_OBJECT, .fields = entry_fields };

static bool says(const char *error, const char *words)
{
    return strcasestr(error, words) != NULL;
}

static const char *suggestion_for(edge_ctx *ctx, const struct tool *tool, const char *error)
{
    if (says(error, "not connected") || says(error, "no connection found"))
        return edge_format(ctx, "Connect %s under Settings > Integrations",
            tool != NULL && tool->integration != NULL ? tool->integration : "the required integration");
    if (says(error, "token") && says(error, "expired"))
        return "The sign-in has run out; connect the account again in Settings";
    if (says(error, "rate limit"))
        return "Wait a moment, then try again";
    if (says(error, "permission") || says(error, "forbidden"))
        return "Check what the integration is permitted to do";
    if (says(error, "unknown tool") || strncmp(error, "Invalid ", 8) == 0 || strncmp(error, "Missing ", 8) == 0)
        return "Correct the tool's name or arguments";
    return "Try again; if it keeps failing, contact support";
}

void tool_call_fail(edge_ctx *ctx, struct tool_call *call, const char *error, const char *suggestion)
{
    call->error = error;
    call->suggestion = suggestion != NULL ? suggestion : suggestion_for(ctx, call->tool, error);
}

/* A copy in which texts that begin with "data:" are left out: images have no place in prompts and audit trails.
 */
static json_t *without_binary(const json_t *value)
{
    if (json_is_string(value) && strncmp(json_string_value(value), "data:", 5) == 0)
        return json_string("[binary omitted]");
    if (json_is_array(value)) {
        json_t *copy = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            json_array_append_new(copy, without_binary(json_array_get(value, i)));
        return copy;
    }
    if (json_is_object(value)) {
        json_t *copy = json_object(), *member;
        const char *key;
        json_object_foreach((json_t *)value, key, member)
            json_object_set_new(copy, key, without_binary(member));
        return copy;
    }
    return json_incref((json_t *)value);
}

void tool_call_run(edge_ctx *ctx, struct tool_call *call)
{
    int64_t began = edge_now_exact();
    edge_answer *answer =
        edge_invoke(ctx, call->tool->function, call->args, .timeout_ms = tools_timeout_ms(call->tool));
    call->duration_ms = (edge_now_exact() - began) / 1000;
    call->result = without_binary(answer->body);

    bool timed_out = answer->status == 504 && answer->code != NULL && strcmp(answer->code, "timeout") == 0;
    if (timed_out) {
        tool_call_fail(ctx, call, "Tool timed out", NULL);
    } else if (answer->status >= 400 || !edge_json_bool(answer->body, "success", true)) {
        const char *error = edge_json_text(answer->body, "error");
        tool_call_fail(ctx, call, error != NULL && error[0] != '\0' ? error : "Tool execution failed",
            edge_json_text(answer->body, "suggestion"));
    }
}

void tool_call_share(struct tool_call *call)
{
    call->error = call->twin->error;
    call->suggestion = call->twin->suggestion;
    call->result = call->twin->result;
    call->duration_ms = call->twin->duration_ms;
}

/* The answer's own data when the function wraps it, else all of it. */
static json_t *data_of(const struct tool_call *call)
{
    json_t *data = json_object_get(call->result, "data");
    return data != NULL && json_object_get(call->result, "success") != NULL ? data : call->result;
}

json_t *tool_call_entry(const struct tool_call *call)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:O, s:s, s:I}", "id", call->id, "name", call->name, "args", call->args, "status",
            call->error == NULL ? "success" : "failed", "durationMs", (json_int_t)call->duration_ms);
    if (call->error != NULL) {
        json_object_set_new(entry, "error", json_string(call->error));
        json_object_set_new(entry, "suggestion", json_string(call->suggestion));
    }
    if (call->twin != NULL)
        json_object_set_new(entry, "deduplicated", json_true());

    const char *image = call->error == NULL ? edge_json_text(data_of(call), "imageUrl") : NULL;
    if (image != NULL && (strncmp(image, "https://", 8) == 0 || strncmp(image, "http://", 7) == 0))
        json_object_set_new(entry, "imageUrl", json_string(image));
    return entry;
}

/* At most so many bytes, cut between two characters. */
static const char *cut(edge_ctx *ctx, const char *text, size_t length)
{
    if (length <= MESSAGE_BYTES)
        return text;
    size_t end = MESSAGE_BYTES - strlen(TRUNCATED);
    while (((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return edge_format(ctx, "%.*s%s", (int)end, text, TRUNCATED);
}

json_t *tool_call_message(edge_ctx *ctx, const struct tool_call *call)
{
    json_t *content = call->error == NULL ? json_pack("{s:b, s:O}", "success", 1, "data", data_of(call))
                                          : json_pack("{s:b, s:s, s:s}", "success", 0, "error", call->error,
                                                "suggestion", call->suggestion);
    size_t length;
    const char *text = edge_json_dump(ctx, content, &length);
    return json_pack("{s:s, s:s, s:s, s:s}", "role", "tool", "tool_call_id", call->id, "name", call->name,
        "content", cut(ctx, text, length));
}

json_t *tool_call_usage(edge_ctx *ctx, const struct tool_call *call)
{
    json_t *row = json_pack("{s:s, s:I, s:b, s:s?}", "tool_name", call->name, "execution_time_ms",
        (json_int_t)call->duration_ms, "success", call->error == NULL, "error_message", call->error);
    json_object_set_new(row, "tool_args",
        call->unparsable != NULL ? json_pack("{s:s}", "_raw", call->unparsable) : json_incref(call->args));
    if (call->result != NULL) {
        size_t length;
        edge_json_dump(ctx, call->result, &length);
        json_object_set_new(row, "tool_result",
            length <= USAGE_BYTES ? json_incref(call->result)
                                  : json_pack("{s:b, s:I}", "truncated", 1, "bytes", (json_int_t)length));
    }
    return row;
}
