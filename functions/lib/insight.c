/*
 * The remark on a user's scores. Models are asked for JSON and answer with JSON, with JSON in a fence, with
 * JSON in a sentence, or with a sentence.
 */
#include "lib/insight.h"

#include "lib/gateway.h"
#include "lib/text.h"

#include <ctype.h>
#include <string.h>

#define FALLBACK "Stay consistent with your daily actions and make full use of the systems you already have."

enum {
    MESSAGE_MAX = 1000,
    PLAIN_MESSAGE_MAX = 2000,
    TITLE_MAX = 200,
    ACTIONS_MAX = 3,
};

static const char *const action_types[] = { "database", "agent_config", "market_analysis", "goal_setting",
    "system_usage", "learning", NULL };
static const char *const priorities[] = { "high", "medium", "low", NULL };

static const char *const sources[] = { "ai", "fallback", NULL };

static const edge_field action_fields[] = {
    { "title", EDGE_TEXT, .required = true, .help = "What to do next" },
    { "type", EDGE_ENUM, .values = action_types, .required = true, .help = "What it is about" },
    { "priority", EDGE_ENUM, .values = priorities, .required = true, .help = "How urgent" },
    { 0 },
};
static const edge_field action_item = { .type = EDGE_OBJECT, .fields = action_fields };

const edge_field insight_output[] = {
    { "message", EDGE_TEXT, .required = true, .help = "The coach's remark" },
    { "actions", EDGE_ARRAY, .items = &action_item, .required = true, .help = "At most three" },
    { "source", EDGE_ENUM, .values = sources, .required = true, .help = "Whose words they are" },
    { 0 },
};

static const char *one_of(const char *const *known, const char *value, const char *otherwise)
{
    for (; value != NULL && *known != NULL; known++)
        if (strcmp(*known, value) == 0)
            return value;
    return otherwise;
}

static json_t *question(double pulse, double gane, double moro)
{
    return json_pack("[{s:s, s:s}, {s:s, s:o}]", "role", "system", "content",
        "You coach real-estate agents on their business. Your advice is specific and can be put to use today.",
        "role", "user", "content",
        json_sprintf("An agent's scores, each out of 100:\n"
                     "Execution (how steadily planned actions get done): %.15g\n"
                     "System intelligence (how far the agent's tools are set up and paying off): %.15g\n"
                     "Market opportunity (how favourable the local market is): %.15g\n"
                     "Write a coaching remark of two sentences and two or three next steps. Answer with nothing"
                     " but a JSON object: {\"message\": string, \"actions\": [{\"title\": string, \"type\":"
                     " \"database\" | \"agent_config\" | \"market_analysis\" | \"goal_setting\" |"
                     " \"system_usage\", \"priority\": \"high\" | \"medium\" | \"low\"}]}",
            pulse, gane, moro));
}

/* What is between triple backticks, without the language that the first of them may name. */
static const char *without_fence(edge_ctx *ctx, const char *text)
{
    if (strncmp(text, "```", 3) != 0)
        return text;
    text += 3;
    while (isalnum((unsigned char)*text))
        text++;
    const char *end = strstr(text, "```");
    return text_trim(ctx, end != NULL ? edge_copy_bytes(ctx, text, (size_t)(end - text)) : text);
}

static json_t *find_json(edge_ctx *ctx, const char *text)
{
    json_t *json = edge_json_parse(ctx, text, strlen(text));
    const char *first = strchr(text, '{'), *last = strrchr(text, '}');
    if (json == NULL && first != NULL && last != NULL && last > first)
        json = edge_json_parse(ctx, first, (size_t)(last - first) + 1);
    return json;
}

static json_t *clean_actions(edge_ctx *ctx, json_t *given)
{
    json_t *actions = json_array(), *one;
    size_t i;
    json_array_foreach(json_is_array(given) ? given : NULL, i, one)
    {
        const char *title = edge_json_text(one, "title");
        if (title == NULL || title[0] == '\0' || json_array_size(actions) == ACTIONS_MAX)
            continue;
        json_array_append_new(
            actions, json_pack("{s:s, s:s, s:s}", "title", text_cut(ctx, title, TITLE_MAX), "type",
                         one_of(action_types, edge_json_text(one, "type"), "system_usage"), "priority",
                         one_of(priorities, edge_json_text(one, "priority"), "medium")));
    }
    return actions;
}

static const char *nonempty(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static json_t *clean_answer(edge_ctx *ctx, const char *said)
{
    const char *text = without_fence(ctx, said), *message = nonempty(text_cut(ctx, text, PLAIN_MESSAGE_MAX));
    json_t *json = find_json(ctx, text), *actions = clean_actions(ctx, json_object_get(json, "actions"));
    if (json_is_object(json)) {
        message = nonempty(edge_json_text(json, "message"));
        message = message != NULL ? message : nonempty(edge_json_text(json, "summary"));
        message = message != NULL ? text_cut(ctx, message, MESSAGE_MAX) : NULL;
    }

    bool said_something = message != NULL || json_array_size(actions) > 0;
    return json_pack("{s:s, s:o, s:s}", "message", message != NULL ? message : FALLBACK, "actions", actions,
        "source", said_something ? "ai" : "fallback");
}

json_t *insight_ask(edge_ctx *ctx, double pulse, double gane, double moro, int64_t timeout_ms)
{
    const char *said = gateway_try_text(ctx, &(struct gateway_ask){
                                                 .messages = question(pulse, gane, moro),
                                                 .settings = json_pack("{s:i, s:{s:s}}", "max_tokens", 800,
                                                     "response_format", "type", "json_object"),
                                                 .timeout_ms = timeout_ms,
                                                 .once = true,
                                             });
    if (said == NULL)
        return json_pack("{s:s, s:[], s:s}", "message", FALLBACK, "actions", "source", "fallback");
    return clean_answer(ctx, said);
}
