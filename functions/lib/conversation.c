/*
 * Stored conversations.
 */
#include "lib/conversation.h"

#include "lib/idempotency.h"
#include "lib/text.h"

#include <string.h>

enum {
    CONTENT_MAX = 32000, /* characters of a message that the client brings along */
};

/* A retry without conversationId has to find the row that the first try made: its id follows from the key. */
static const char *id_of_key(edge_ctx *ctx, const struct persona *persona, const char *key)
{
    return edge_uuid_v5_url(
        ctx, edge_format(ctx, "chat:%s:%s:%s", edge_auth_user(ctx), persona->agent_type, key));
}

struct turn *conversation_begin(edge_ctx *ctx, const struct persona *persona, json_t *in)
{
    const char *named = edge_json_text(in, "conversationId");
    const char *key = idempotency_key(ctx, in);

    struct turn *turn = edge_alloc(ctx, sizeof *turn);
    *turn = (struct turn){
        .ctx = ctx,
        .persona = persona,
        .id = named != NULL ? named
              : key != NULL ? id_of_key(ctx, persona, key)
                            : edge_uuid_v4(ctx),
        .existing = named != NULL,
        .key = key,
    };
    return turn;
}

void conversation_claim(struct turn *turn)
{
    bool over_websocket = turn->existing && edge_request_websocket(turn->ctx);
    turn->exclusive = turn->key != NULL || over_websocket;
    if (!turn->exclusive)
        return;

    /* The user in the name keeps strangers from holding up a conversation whose id they know. */
    const char *name = edge_format(turn->ctx, "chat/%s/%s", edge_auth_user(turn->ctx), turn->id);
    turn->lease = lease_take(turn->ctx, name, turn->persona->turn_seconds);
}

static void give_back(struct turn *turn)
{
    if (turn->lease != NULL)
        lease_release(turn->lease);
}

void conversation_fail(struct turn *turn, const struct gateway_failure *failure)
{
    give_back(turn);
    gateway_fail(turn->ctx, failure);
}

static bool is_role(json_t *item, const char *role)
{
    const char *actual = edge_json_text(item, "role");
    return actual != NULL && strcmp(actual, role) == 0;
}

/* The stored answer to the turn's key: the assistant item behind the user item that carries it. */
static json_t *find_answer(const struct turn *turn)
{
    for (size_t i = 0; i + 1 < json_array_size(turn->stored); i++) {
        json_t *item = json_array_get(turn->stored, i), *next = json_array_get(turn->stored, i + 1);
        const char *key = edge_json_text(item, "key");
        if (key != NULL && strcmp(key, turn->key) == 0 && is_role(item, "user") && is_role(next, "assistant"))
            return next;
    }
    return NULL;
}

static json_t *replay_body(const struct turn *turn, json_t *answer)
{
    const char *content = edge_json_text(answer, "content");
    json_t *tool_calls = json_object_get(answer, "toolCalls");
    json_t *body = json_pack("{s:s, s:s, s:o, s:b}", "response", content != NULL ? content : "",
        "conversationId", turn->id, "toolCalls",
        json_is_array(tool_calls) ? json_incref(tool_calls) : json_array(), "replayed", 1);

    if (edge_json_bool(answer, "partial", false))
        json_object_set_new(body, "partial", json_true());
    return body;
}

json_t *conversation_open(struct turn *turn, const edge_rows *row)
{
    bool found = edge_rows_count(row) > 0;
    if (turn->existing && !found)
        conversation_fail(
            turn, &(const struct gateway_failure){ 404, "conversation_not_found",
                      { .message = edge_format(turn->ctx, "Conversation \"%s\" does not exist", turn->id) } });
    if (found && strcmp(edge_rows_text(row, 0, "agent_type"), turn->persona->agent_type) != 0)
        conversation_fail(turn, &(const struct gateway_failure){ 409, "conversation_agent_mismatch",
                                    { .message = edge_format(turn->ctx,
                                          "Conversation \"%s\" belongs to another agent", turn->id) } });

    json_t *messages = found ? edge_rows_value(row, 0, "messages") : NULL;
    turn->stored = json_is_array(messages) ? messages : NULL;

    /* The row was read after the lease was asked for: a first try that has ended meanwhile has left its answer.
     */
    json_t *answer = turn->key != NULL ? find_answer(turn) : NULL;
    if (answer != NULL) {
        give_back(turn);
        return replay_body(turn, answer);
    }
    if (turn->exclusive && turn->lease == NULL)
        edge_fail(
            turn->ctx, 409, "turn_in_progress", "The conversation's turn before this one is still running");
    return NULL;
}

/* A message as the model gets it, or NULL when the item is none. */
static json_t *model_message(edge_ctx *ctx, json_t *item)
{
    const char *content = edge_json_text(item, "content");
    if (content == NULL || content[0] == '\0' || (!is_role(item, "user") && !is_role(item, "assistant")))
        return NULL;
    return json_pack(
        "{s:s, s:s}", "role", edge_json_text(item, "role"), "content", text_cut(ctx, content, CONTENT_MAX));
}

static json_t *valid_messages(edge_ctx *ctx, json_t *items)
{
    json_t *messages = json_array();
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *message = model_message(ctx, json_array_get(items, i));
        if (message != NULL)
            json_array_append_new(messages, message);
    }
    return messages;
}

/* One page sends the new prompt inside the history as well. */
static bool ends_with_prompt(json_t *history, const char *prompt)
{
    size_t count = json_array_size(history);
    json_t *last = count > 0 ? json_array_get(history, count - 1) : NULL;
    return last != NULL && is_role(last, "user") && text_same_trimmed(edge_json_text(last, "content"), prompt);
}

json_t *conversation_messages(struct turn *turn, json_t *system, json_t *given, const char *prompt)
{
    json_t *history = valid_messages(turn->ctx, given);
    if (json_array_size(history) == 0) {
        json_decref(history);
        history = valid_messages(turn->ctx, turn->stored);
    }

    size_t count = json_array_size(history);
    if (ends_with_prompt(history, prompt))
        count--;
    size_t first = count > turn->persona->history_max ? count - turn->persona->history_max : 0;

    json_t *messages = json_pack("[{s:s, s:o}]", "role", "system", "content", system);
    for (size_t i = first; i < count; i++)
        json_array_append(messages, json_array_get(history, i));
    json_array_append_new(messages, json_pack("{s:s, s:s}", "role", "user", "content", prompt));
    json_decref(history);
    return messages;
}

static json_t *new_items(struct turn *turn, const struct exchange *exchange)
{
    edge_ctx *ctx = turn->ctx;
    json_t *user = json_pack("{s:s, s:s, s:s}", "role", "user", "content", exchange->prompt, "at",
        edge_iso_time(ctx, edge_now(ctx)));
    if (turn->key != NULL)
        json_object_set_new(user, "key", json_string(turn->key));

    json_t *assistant = json_pack("{s:s, s:s, s:s}", "role", "assistant", "content", exchange->answer, "at",
        edge_iso_time(ctx, edge_now_exact()));
    if (json_array_size(exchange->tool_calls) > 0)
        json_object_set(assistant, "toolCalls", exchange->tool_calls);
    if (exchange->partial)
        json_object_set_new(assistant, "partial", json_true());

    return json_pack("[o, o]", user, assistant);
}

/* A path beyond the array's ends is no error in lax mode: "$[last - 199 to last]" is the tail, or all there is.
 */
bool conversation_try_store(struct turn *turn, const struct exchange *exchange)
{
    edge_error error;
    edge_rows *stored = edge_try_query(turn->ctx, &error,
        "INSERT INTO ai_agent_conversations AS c (id, agent_type, messages, context)"
        " VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (id) DO UPDATE"
        " SET messages = jsonb_path_query_array("
        " CASE WHEN jsonb_typeof(c.messages) = 'array' THEN c.messages ELSE '[]' END || EXCLUDED.messages,"
        " '$[last - 199 to last]'),"
        " context ="
        " CASE WHEN jsonb_typeof(c.context) = 'object' THEN c.context ELSE '{}' END || EXCLUDED.context",
        edge_uuid(turn->id), edge_text(turn->persona->agent_type), edge_json(new_items(turn, exchange)),
        edge_json(exchange->context));

    if (stored == NULL)
        edge_log(turn->ctx, EDGE_LOG_ERROR, "conversation_not_stored", { "code", edge_text(error.code) },
            { "detail", edge_text(error.detail) });
    give_back(turn);
    return stored != NULL;
}

void conversation_store(struct turn *turn, const struct exchange *exchange)
{
    if (!conversation_try_store(turn, exchange))
        edge_fail(turn->ctx, 500, "storage_failed", "The conversation could not be stored");
}
