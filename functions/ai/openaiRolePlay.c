/*
 * openaiRolePlay: the simulated client's next line, and, when asked for, coaching on the agent's last one,
 * which is made at the same time and never holds the line up. Nothing is stored. One round trip to the database
 * with scenarioId.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/chat_stream.h"
#include "lib/completion.h"
#include "lib/end_marker.h"
#include "lib/gateway.h"
#include "lib/prompts.h"
#include "lib/role_play_turns.h"

static const char *const scenario_aliases[] = { "scenarioContext", NULL };
static const char *const persona_aliases[] = { "persona", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "scenarioId", EDGE_UUID, .help = "A stored scenario; scenario and clientPersona are ignored then" },
    { "scenario", EDGE_TEXT, .min = 0, .max = 8000, .aliases = scenario_aliases, .help = "The situation" },
    { "clientPersona", EDGE_TEXT, .min = 0, .max = 4000, .aliases = persona_aliases,
        .help = "Whom the model plays" },
    { "history", EDGE_ARRAY, .min = 0, .max = 200, .help = "Lines so far, {speaker: Agent or AI, text}" },
    { "messages", EDGE_ARRAY, .min = 0, .max = 200, .help = "The same as {role, content}, without history" },
    { "agentResponse", EDGE_TEXT, .min = 0, .max = 8000, .help = "The agent's new line" },
    { "analysisRequested", EDGE_BOOL, .fallback = "false", .help = "Whether coaching is wanted" },
    { "stream", EDGE_BOOL, .help = "Answer token by token" },
    { 0 },
};

static const edge_field sentence = { .type = EDGE_TEXT };

static const edge_field report_fields[] = {
    { "strengths", EDGE_ARRAY, .min = 1, .max = 3, .items = &sentence, .required = true,
        .help = "What was good" },
    { "improvements", EDGE_ARRAY, .min = 1, .max = 3, .items = &sentence, .required = true,
        .help = "What could be better" },
    { "coaching_tip", EDGE_TEXT, .required = true, .help = "What to try next" },
    { 0 },
};

static const edge_field output[] = {
    { "clientResponse", EDGE_TEXT, .required = true, .help = "The client's line; empty when they just leave" },
    { "generatedText", EDGE_TEXT, .required = true, .help = "The same" },
    { "analysis", EDGE_OBJECT, .fields = report_fields,
        .help = "Coaching on the agent's line; null when it was not asked for or did not come about" },
    { "conversation_ended", EDGE_BOOL, .required = true, .help = "Whether the client has left" },
    { 0 },
};

static const edge_problem problems[] = {
    { 404, "scenario_not_found", "scenarioId names no active scenario" },
    { 0 },
};

struct scene {
    const char *situation, *persona;
};

/* What the second fiber makes. */
struct coaching {
    struct scene scene;
    json_t *lines;
};

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field)
{
    edge_fail_with(
        ctx, 400, "invalid_input", .message = edge_format(ctx, "%s is required", field), .field = field);
}

static void check_scene(edge_ctx *ctx, json_t *in)
{
    static const char *const fields[] = { "scenario", "clientPersona" };
    for (size_t i = 0; i < 2; i++)
        if (edge_json_text(in, "scenarioId") == NULL && edge_json_text(in, fields[i]) == NULL)
            refuse(ctx, fields[i]);
}

static struct scene scene_of(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "scenarioId");
    if (id == NULL)
        return (struct scene){ edge_json_text(in, "scenario"), edge_json_text(in, "clientPersona") };

    edge_rows *found = edge_query(ctx,
        "SELECT initial_context, client_persona FROM role_play_scenarios WHERE id = $1 AND is_active",
        edge_uuid(id));
    if (edge_rows_count(found) == 0)
        edge_fail(ctx, 404, "scenario_not_found", "Scenario \"%s\" does not exist", id);
    return (struct scene){ edge_rows_text(found, 0, "initial_context"),
        edge_rows_text(found, 0, "client_persona") };
}

static json_t *system_message(const char *prompt, struct scene scene)
{
    return json_pack("{s:s, s:o}", "role", "system", "content",
        json_sprintf("%s\nThe person:\n%s\n\nThe situation:\n%s\n", prompt, scene.persona, scene.situation));
}

static json_t *coaching_schema(void)
{
    json_t *list = json_pack(
        "{s:s, s:{s:s}, s:i, s:i}", "type", "array", "items", "type", "string", "minItems", 1, "maxItems", 3);
    return json_pack("{s:s, s:{s:O, s:o, s:{s:s}}, s:[sss], s:b}", "type", "object", "properties", "strengths",
        list, "improvements", list, "coaching_tip", "type", "string", "required", "strengths", "improvements",
        "coaching_tip", "additionalProperties", 0);
}

/* An array of one to three texts, NULL when it is anything else. */
static json_t *sentences(json_t *list)
{
    json_t *kept = json_array(), *one;
    size_t i;
    json_array_foreach(list, i, one) if (json_is_string(one) && json_array_size(kept) < 3)
        json_array_append(kept, one);
    return json_array_size(kept) > 0 ? kept : NULL;
}

static json_t *report_of(edge_ctx *ctx, const struct gateway_answer *answer)
{
    json_t *said =
        answer->failure == NULL && answer->tool_calls != NULL ? completion_arguments(ctx, answer) : NULL;
    json_t *strengths = sentences(json_object_get(said, "strengths"));
    json_t *improvements = sentences(json_object_get(said, "improvements"));
    const char *tip = edge_json_text(said, "coaching_tip");
    if (strengths != NULL && improvements != NULL && tip != NULL)
        return json_pack(
            "{s:o, s:o, s:s}", "strengths", strengths, "improvements", improvements, "coaching_tip", tip);
    edge_log(ctx, EDGE_LOG_WARN, "coaching_not_usable",
        { "code", edge_text(answer->failure != NULL ? answer->failure->code : "bad_provider_output") });
    return json_null();
}

static void *coach(edge_ctx *ctx, void *arg)
{
    const struct coaching *coaching = arg;
    json_t *messages = json_pack("[o]", system_message(prompt_role_play_coach, coaching->scene));
    json_array_append_new(messages,
        json_pack("{s:s, s:s}", "role", "user", "content", role_play_lines_text(ctx, coaching->lines)));
    const struct gateway_ask ask = {
        .messages = messages,
        .settings = completion_forced_call(
            "submit_coaching", "Hands in the report on the agent's last line", coaching_schema()),
    };
    return report_of(ctx, completion_try(ctx, &ask));
}

/* Passes the line on without its marker, and returns it whole. */
static const struct gateway_answer *speak(
    edge_ctx *ctx, struct chat_stream *stream, struct scene scene, json_t *lines)
{
    json_t *messages = json_pack("[o]", system_message(prompt_role_play, scene));
    json_array_extend(messages, lines);
    const struct gateway_ask ask = { .messages = messages, .stream = stream->wanted };
    struct gateway_call *call = gateway_open(ctx, &ask);
    struct end_marker marker = { .ctx = ctx };
    const char *text;
    while ((text = gateway_next(call)) != NULL) {
        const char *clear = end_marker_pass(&marker, text);
        if (clear[0] != '\0')
            chat_stream_text(stream, gateway_model(call), clear);
    }
    const char *rest = end_marker_rest(&marker);
    if (rest[0] != '\0' && gateway_answer(call)->failure == NULL)
        chat_stream_text(stream, gateway_model(call), rest);
    return gateway_answer(call);
}

static json_t *role_play(edge_ctx *ctx, json_t *in)
{
    check_scene(ctx, in);
    json_t *lines = role_play_lines(ctx, in);
    gateway_require_key(ctx);
    struct scene scene = scene_of(ctx, in);

    struct coaching coaching = { scene, json_copy(lines) };
    bool coached = edge_json_bool(in, "analysisRequested", false) && json_array_size(lines) > 0;
    edge_task *task = coached ? edge_spawn(ctx, coach, &coaching) : NULL;
    if (json_array_size(lines) == 0)
        json_array_append_new(lines,
            json_pack("{s:s, s:s}", "role", "user", "content", "Open the conversation with your first line."));

    struct chat_stream stream = chat_stream_of(ctx, in);
    const struct gateway_answer *answer = speak(ctx, &stream, scene, lines);
    if (answer->failure != NULL)
        gateway_fail(ctx, answer->failure);
    bool ended = false;
    const char *line = completion_trim(ctx, end_marker_remove(ctx, answer->content, &ended));
    if (line[0] == '\0' && !ended)
        gateway_fail(ctx, &gateway_unusable);

    json_t *body = json_pack("{s:s, s:s, s:o, s:b}", "clientResponse", line, "generatedText", line, "analysis",
        task != NULL ? edge_await(ctx, task) : json_null(), "conversation_ended", ended);
    if (stream.wanted)
        json_object_update_new(
            body, json_pack("{s:s, s:n, s:[]}", "response", line, "conversationId", "toolCalls"));
    return chat_stream_end(&stream, body);
}

EDGE_FUNCTION(openaiRolePlay,
    .summary = "The simulated client's next line, and coaching for the agent",
    .input = input,
    .output = output,
    .handle = role_play,
    .streams = true,
    .trims = true,
    .problems = problems);
