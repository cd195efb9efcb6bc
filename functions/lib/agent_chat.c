/*
 * The tool loop: ask, run what the model asks for, tell it, ask again; five rounds at most.
 *
 * Once a tool has run, its effects are real: from then on nothing makes the turn an error. What goes wrong
 * later (the gateway, the time, the storage) is said in "warning" beside the answer so far.
 *
 * Round trips to the database: one before the first question (and one for a lease, with a key or over a
 * WebSocket), one a round for the audit trail, one to store the turn.
 */
#include "lib/agent_chat.h"

#include "lib/chat_stream.h"
#include "lib/conversation.h"
#include "lib/gateway.h"
#include "lib/text.h"
#include "lib/tool_call.h"
#include "lib/tool_round.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS_MAX = 5,
    TURN_MS = 180000,
};

const edge_field agent_chat_input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "message", EDGE_TEXT, .min = 1, .max = 16000, .required = true, .help = "What the user says" },
    { "conversationId", EDGE_UUID, .help = "Conversation to go on with; absent: a new one" },
    { "stream", EDGE_BOOL, .help = "Answer token by token" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with the same key gets the first one's answer" },
    { 0 },
};

const edge_field agent_chat_output[] = {
    { "response", EDGE_TEXT, .required = true, .help = "What the agent says, in Markdown" },
    { "conversationId", EDGE_UUID, .help = "The conversation that it was kept in" },
    { "toolCalls", EDGE_ARRAY, .items = &tool_call_output, .required = true, .help = "In the order of asking" },
    { "warning", EDGE_TEXT, .help = "Code of what went wrong after tools had run" },
    CONVERSATION_FIELDS,
    { 0 },
};

const edge_problem agent_chat_problems[] = {
    { 404, "conversation_not_found", "conversationId is none of the caller's" },
    { 409, "conversation_agent_mismatch", "The conversation belongs to another agent" },
    { 409, "turn_in_progress", "An earlier turn with the same key, or of this conversation, is still running" },
    { 0 },
};

/* A turn on its way through the rounds. */
struct loop {
    edge_ctx *ctx;
    struct chat_stream stream;
    struct tool_round round; /* what every round works on */
    json_t *tools;
    int64_t ends_at_us;
    const struct gateway_answer *answer; /* the last one */
    const char *warning;                 /* why the loop ended early; NULL: it did not */
};

/* AI_TURN_SECONDS says how long a turn may start new rounds; 180 when it is unset. */
static int64_t turn_ends(edge_ctx *ctx)
{
    const char *configured = edge_env(ctx, "AI_TURN_SECONDS");
    double seconds = configured != NULL ? strtod(configured, NULL) : 0;
    int64_t milliseconds = seconds > 0 && seconds * 1000 < TURN_MS ? (int64_t)(seconds * 1000) : TURN_MS;
    return edge_now(ctx) + milliseconds * 1000;
}

static void ask(struct loop *loop, const char *tool_choice)
{
    const struct gateway_ask question = {
        .messages = json_incref(loop->round.messages),
        .tools = loop->tools,
        .tool_choice = tool_choice,
        .stream = loop->stream.wanted,
    };
    loop->answer = chat_stream_relay(&loop->stream, gateway_open(loop->ctx, &question));
}

static bool out_of_time(struct loop *loop)
{
    if (edge_now_exact() < loop->ends_at_us)
        return false;
    loop->warning = "provider_timeout";
    return true;
}

/* True when there is a round to run and somebody to run it for. */
static bool goes_on(struct loop *loop)
{
    if (chat_stream_abandoned(&loop->stream) || loop->answer->left)
        return false;
    if (loop->answer->failure != NULL) {
        loop->warning = loop->answer->failure->code;
        return false;
    }
    return loop->answer->tool_calls != NULL && loop->round.number < ROUNDS_MAX;
}

static void run(struct loop *loop)
{
    ask(loop, "auto");
    while (goes_on(loop) && (loop->round.number == 0 || !out_of_time(loop))) {
        tool_round_run(&loop->round, loop->answer);
        loop->round.number++;
        if (chat_stream_abandoned(&loop->stream) || out_of_time(loop))
            break;
        ask(loop, loop->round.number < ROUNDS_MAX ? "auto" : "none");
    }
}

static void add_names(struct text *out, json_t *entries, const char *status, const char *between)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        json_t *entry = json_array_get(entries, i);
        if (strcmp(edge_json_text(entry, "status"), status) != 0)
            continue;
        text_add_format(out, "%s%s", between, edge_json_text(entry, "name"));
        between = ", ";
    }
}

/* For a model that ran tools and said nothing: what worked and what did not. */
static const char *account_of(edge_ctx *ctx, json_t *entries)
{
    struct text out = { .ctx = ctx };
    add_names(&out, entries, "success", "Done: ");
    add_names(&out, entries, "failed", out.length > 0 ? ". Did not work: " : "Did not work: ");
    text_add(&out, ".");
    return text_value(&out);
}

/* What is said in the end: the last answer's text, or an account of what the tools did. */
static const char *response_of(struct loop *loop, bool partial)
{
    bool said = loop->answer->content[0] != '\0';
    bool after_tools = json_array_size(loop->round.entries) > 0;
    bool cut_short = loop->warning != NULL || (partial && loop->answer->tool_calls != NULL);
    if (!after_tools || (said && !cut_short))
        return loop->answer->content;
    const char *account = account_of(loop->ctx, loop->round.entries);
    chat_stream_text(&loop->stream, loop->answer->model, account);
    return account;
}

static json_t *body_of(struct loop *loop, const char *response, const char *conversation_id, bool partial)
{
    json_t *body = json_pack("{s:s, s:s?, s:O}", "response", response, "conversationId", conversation_id,
        "toolCalls", loop->round.entries);
    if (partial)
        json_object_set_new(body, "partial", json_true());
    if (loop->warning != NULL)
        json_object_set_new(body, "warning", json_string(loop->warning));
    return body;
}

/* Stores the turn and answers with it. */
static json_t *conclude(struct loop *loop, struct turn *turn, const char *prompt)
{
    bool left =
        chat_stream_abandoned(&loop->stream) && (loop->answer->left || loop->answer->finish_reason == NULL);
    bool stopped = chat_stream_abandoned(&loop->stream) && loop->answer->tool_calls != NULL;
    bool partial = left || stopped || loop->warning != NULL, after_tools = loop->round.number > 0;
    if (!after_tools && loop->answer->failure != NULL && !left)
        conversation_fail(turn, loop->answer->failure);

    const char *response = response_of(loop, partial);
    if (response[0] == '\0' && !partial)
        conversation_fail(turn, &gateway_unusable);
    if (response[0] == '\0') /* nothing was said before the client left: there is no turn to keep */
        return chat_stream_end(&loop->stream, body_of(loop, "", turn->existing ? turn->id : NULL, partial));

    const struct exchange exchange = {
        .prompt = prompt,
        .answer = response,
        .tool_calls = loop->round.entries,
        .context = json_object(),
        .partial = partial,
    };
    if (!after_tools)
        conversation_store(turn, &exchange);
    else if (!conversation_try_store(turn, &exchange))
        loop->warning = "storage_failed";
    return chat_stream_end(&loop->stream, body_of(loop, response, turn->id, partial));
}

json_t *agent_chat(edge_ctx *ctx, json_t *in, const struct persona *persona)
{
    const char *prompt = edge_json_text(in, "message");
    struct loop loop = { .ctx = ctx, .stream = chat_stream_of(ctx, in), .ends_at_us = turn_ends(ctx) };

    struct turn *turn = conversation_begin(ctx, persona, in);
    gateway_require_key(ctx);
    conversation_claim(turn);
    const struct persona_reads *reads = persona_read(ctx, persona, turn->id, true);

    json_t *replay = conversation_open(turn, reads->conversation);
    if (replay != NULL) {
        chat_stream_text(&loop.stream, GATEWAY_TEXT_MODEL, edge_json_text(replay, "response"));
        return chat_stream_end(&loop.stream, replay);
    }

    json_t *system = persona_system(ctx, persona, reads, "", NULL);
    loop.tools = tools_json(persona->tools);
    loop.round = (struct tool_round){
        .ctx = ctx,
        .persona = persona,
        .permissions = reads->permissions,
        .stream = &loop.stream,
        .messages = conversation_messages(turn, system, NULL, prompt),
        .entries = json_array(),
    };
    run(&loop);
    return conclude(&loop, turn, prompt);
}
