/*
 * Lines of a role play.
 */
#include "lib/role_play_turns.h"

#include "lib/text.h"

#include <string.h>

enum {
    LINES_MAX = 30,
};

static bool is(const char *text, const char *value)
{
    return text != NULL && strcmp(text, value) == 0;
}

static const char *role_of(json_t *item, bool history)
{
    const char *said = edge_json_text(item, history ? "speaker" : "role");
    if (is(said, history ? "Agent" : "user"))
        return "user";
    return is(said, history ? "AI" : "assistant") ? "assistant" : NULL;
}

static void add(json_t *lines, const char *role, const char *text)
{
    if (role != NULL && text != NULL && text[strspn(text, " \t\r\n")] != '\0')
        json_array_append_new(lines, json_pack("{s:s, s:s}", "role", role, "content", text));
}

static json_t *last_of(json_t *lines)
{
    size_t count = json_array_size(lines);
    return count > 0 ? json_array_get(lines, count - 1) : NULL;
}

json_t *role_play_lines(edge_ctx *ctx, json_t *in)
{
    json_t *history = json_object_get(in, "history"), *lines = json_array(), *item;
    json_t *items = history != NULL ? history : json_object_get(in, "messages");
    size_t i;
    json_array_foreach(items, i, item)
        add(lines, role_of(item, history != NULL), edge_json_text(item, history != NULL ? "text" : "content"));

    const char *response = edge_json_text(in, "agentResponse");
    json_t *last = last_of(lines);
    bool repeated = response != NULL && is(edge_json_text(last, "role"), "user") &&
                    text_same_trimmed(edge_json_text(last, "content"), response);
    if (!repeated)
        add(lines, "user", response);

    while (json_array_size(lines) > LINES_MAX)
        json_array_remove(lines, 0);
    if (is(edge_json_text(last_of(lines), "role"), "assistant"))
        edge_fail_with(ctx, 400, "invalid_input",
            .message = "agentResponse is required: the client has said the last line",
            .field = "agentResponse");
    return lines;
}

const char *role_play_lines_text(edge_ctx *ctx, json_t *lines)
{
    struct text out = { .ctx = ctx };
    size_t i;
    json_t *line;
    json_array_foreach(lines, i, line) text_add_format(&out, "%s: %s\n",
        is(edge_json_text(line, "role"), "user") ? "Agent" : "Client", edge_json_text(line, "content"));
    return text_value(&out);
}
