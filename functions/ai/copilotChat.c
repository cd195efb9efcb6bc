/*
 * copilotChat: advice from the Copilot persona, streamed when the client wants it so, kept as a conversation
 * that can be resumed. It has no tools: one question to the gateway a turn.
 *
 * Runs on after the client has left (on_disconnect = "finish" in functions.toml), so that what was said is
 * kept.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/chat_stream.h"
#include "lib/conversation.h"
#include "lib/gateway.h"
#include "lib/persona.h"
#include "lib/prompts.h"
#include "lib/tool_call.h"

static const char *const prompt_aliases[] = { "message", "prompt", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "userPrompt", EDGE_TEXT, .min = 1, .max = 16000, .required = true, .aliases = prompt_aliases,
        .help = "What the user asks" },
    { "conversationId", EDGE_UUID, .help = "Conversation to go on with; absent: a new one" },
    { "agentContext", EDGE_OBJECT, .min = 0, .max = 65536, .help = "The page's own view of the user" },
    { "conversationHistory", EDGE_ARRAY, .min = 0, .max = 500, .help = "Earlier messages {role, content}" },
    { "currentTab", EDGE_TEXT, .min = 0, .max = 64, .help = "Page the user is on" },
    { "stream", EDGE_BOOL, .help = "Answer token by token" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with the same key gets the first one's answer" },
    { 0 },
};

static const edge_field output[] = {
    { "response", EDGE_TEXT, .required = true, .help = "The advice, in Markdown" },
    { "conversationId", EDGE_UUID, .help = "The conversation that it was kept in" },
    { "toolCalls", EDGE_ARRAY, .items = &tool_call_output, .required = true,
        .help = "Always empty: the Copilot calls no tools" },
    CONVERSATION_FIELDS,
    { 0 },
};

/* What each page adds about the topic; pages that are not listed add nothing. */
static const struct {
    const char *tab, *topic;
} topics[] = {
    { "market", "The topic is the user's local market." },
    { "dashboard", "The topic is the user's dashboard: how the business stands today." },
    { "lead_concierge", "The topic is the Lead Concierge: winning leads and following up on them." },
    { "content_agent", "The topic is the Content Agent: what to publish and to what end." },
    { "transaction_coordinator",
        "The topic is the Transaction Coordinator: deals between contract and closing." },
};

static const char *focus(edge_ctx *ctx, const char *tab)
{
    bool advisor = tab != NULL && strcmp(tab, "advisor") == 0;
    const char *manner = advisor ? prompt_copilot_advisor : prompt_copilot_strategy;

    for (size_t i = 0; tab != NULL && i < sizeof topics / sizeof *topics; i++)
        if (strcmp(topics[i].tab, tab) == 0)
            return edge_format(ctx, "%s%s\n", manner, topics[i].topic);
    return manner;
}

static json_t *answer_body(const char *response, const char *conversation_id, bool partial)
{
    json_t *body =
        json_pack("{s:s, s:s?, s:[]}", "response", response, "conversationId", conversation_id, "toolCalls");
    if (partial)
        json_object_set_new(body, "partial", json_true());
    return body;
}

static json_t *copilot_chat(edge_ctx *ctx, json_t *in)
{
    const char *prompt = edge_json_text(in, "userPrompt"), *tab = edge_json_text(in, "currentTab");
    json_t *agent_context = json_object_get(in, "agentContext");
    struct chat_stream stream = chat_stream_of(ctx, in);

    struct turn *turn = conversation_begin(ctx, &persona_copilot, in);
    gateway_require_key(ctx);
    conversation_claim(turn);
    const struct persona_reads *reads = persona_read(ctx, &persona_copilot, turn->id, agent_context == NULL);

    json_t *replay = conversation_open(turn, reads->conversation);
    if (replay != NULL) {
        chat_stream_text(&stream, GATEWAY_TEXT_MODEL, edge_json_text(replay, "response"));
        return chat_stream_end(&stream, replay);
    }

    json_t *system = persona_system(ctx, &persona_copilot, reads, focus(ctx, tab), agent_context);
    struct gateway_ask ask = {
        .messages = conversation_messages(turn, system, json_object_get(in, "conversationHistory"), prompt),
        .stream = stream.wanted,
    };
    const struct gateway_answer *answer = chat_stream_relay(&stream, gateway_open(ctx, &ask));
    bool partial = chat_stream_abandoned(&stream) && answer->finish_reason == NULL;
    if (answer->failure != NULL && !partial)
        conversation_fail(turn, answer->failure);
    if (answer->content[0] == '\0' && !partial)
        conversation_fail(turn, &gateway_unusable);

    /* Nothing was said before the client left: there is no turn to keep. */
    if (answer->content[0] == '\0')
        return chat_stream_end(&stream, answer_body("", turn->existing ? turn->id : NULL, partial));

    struct exchange exchange = {
        .prompt = prompt,
        .answer = answer->content,
        .context = json_pack("{s:s*}", "currentTab", tab),
        .partial = partial,
    };
    conversation_store(turn, &exchange);
    return chat_stream_end(&stream, answer_body(answer->content, turn->id, partial));
}

EDGE_FUNCTION(copilotChat,
    .summary = "Advice from the Copilot on running a property agent's business",
    .input = input,
    .output = output,
    .handle = copilot_chat,
    .streams = true);
