/*
 * What comes in over a WebSocket: pieces become messages, messages become calls; see websocket.h for what a
 * message may be.
 */
#include "websocket.h"
#include "websocket_deflate.h"
#include "websocket_session.h"

#include "plugin/generation.h"
#include "worker/state.h"

#include <edge/json.h>

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ID_BYTES_MAX = 128
};

static bool is_utf8(const char *text, size_t length)
{
    json_t *string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

static struct websocket_call *find_call(const struct websocket_session *session, const char *id)
{
    for (struct websocket_call *call = session->calls; call != NULL; call = call->next) {
        bool same = id != NULL && call->id != NULL ? strcmp(id, call->id) == 0 : id == call->id;
        if (same)
            return call;
    }
    return NULL;
}

/* {"type":"cancel"}, with or without "id", and nothing else: other objects are request bodies. */
static bool is_cancel(const json_t *message)
{
    const char *type = edge_json_text(message, "type");
    size_t members = json_object_get(message, "id") != NULL ? 2 : 1;
    return type != NULL && strcmp(type, "cancel") == 0 && json_object_size(message) == members;
}

static bool token_expired(const struct websocket_session *session)
{
    int64_t until_us = session->caller->valid_until_us;
    int64_t clock = worker_of(session->server)->test_clock_us;
    return until_us != 0 && (clock != 0 ? clock : edge_now_exact()) >= until_us;
}

/* Why a message starts no call; false when nothing is in its way. */
static bool refused(struct websocket_session *session, const char *id, size_t length)
{
    size_t limit = session->generation->config->max_body_bytes;
    if (session->state == WEBSOCKET_OPEN && token_expired(session)) {
        websocket_refuse(session, id, "unauthorized", "The session has expired", NULL);
        websocket_session_end(session, WEBSOCKET_CLOSE_EXPIRED, "session expired");
    } else if (session->state == WEBSOCKET_ENDING && session->close_code == WEBSOCKET_CLOSE_EXPIRED) {
        websocket_refuse(session, id, "unauthorized", "The session has expired", NULL);
    } else if (session->state == WEBSOCKET_ENDING) {
        websocket_refuse(session, id, "draining", "The host is about to close this connection", NULL);
    } else if (find_call(session, id) != NULL) {
        websocket_refuse(session, id, "turn_in_progress",
            id != NULL ? "A message with this id is still being answered"
                       : "The message before this one is still being answered",
            NULL);
    } else if (session->call_count >= WEBSOCKET_CALLS_MAX) {
        websocket_refuse(session, id, "rate_limited", "16 messages are being answered already", NULL);
    } else if (limit > 0 && length > limit) {
        websocket_refuse(session, id, "body_too_large", "The message is larger than its limit", NULL);
    } else {
        return false;
    }
    return true;
}

/* Takes text over. id is JSON text, or NULL. */
static void dispatch(
    struct websocket_session *session, const json_t *message, char *text, size_t length, char *id)
{
    struct websocket_call *call = is_cancel(message) ? find_call(session, id) : NULL;
    if (call != NULL)
        websocket_call_cancel(call);
    else if (!is_cancel(message) && !refused(session, id, length)) {
        websocket_call_start(session, text, length, id);
        return;
    }
    free(text);
    free(id);
}

/* False when the member is there and is no id. */
static bool read_id(const json_t *message, char **id)
{
    const json_t *member = json_object_get(message, "id");
    *id = NULL;
    if (member == NULL || json_is_null(member))
        return true;
    if (!json_is_string(member) || json_string_length(member) > ID_BYTES_MAX)
        return false;
    *id = json_dumps(member, JSON_ENCODE_ANY);
    return *id != NULL;
}

static void handle(struct websocket_session *session, char *text, size_t length)
{
    char *id = NULL;
    json_t *message = edge_json_parse(NULL, text, length);
    session->message_at_us = clock_us();
    if (json_is_object(message) && read_id(message, &id)) {
        dispatch(session, message, text, length, id);
        json_decref(message);
        return;
    }
    if (message == NULL && !is_utf8(text, length))
        websocket_session_close(session, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "no UTF-8");
    else if (json_is_object(message))
        websocket_refuse(session, NULL, "invalid_input", "id must be a string of at most 128 bytes", "id");
    else
        websocket_refuse(session, NULL, "invalid_json", "The message must be a JSON object", NULL);
    json_decref(message);
    free(text);
}

static void handle_deflated(struct websocket_session *session, const char *data, size_t length)
{
    char *text = NULL;
    size_t text_length = 0;
    int result = websocket_inflate(data, length, WEBSOCKET_MESSAGE_MAX, &text, &text_length);
    if (result == 0)
        handle(session, text, text_length);
    else if (result == -EMSGSIZE)
        websocket_session_close(session, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "message over 1 MiB");
    else if (result == -EBADMSG)
        websocket_session_close(session, LWS_CLOSE_STATUS_PROTOCOL_ERR, "bad compressed data");
    else
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
}

static bool append(struct websocket_session *session, const char *data, size_t length)
{
    size_t needed = session->message_length + length;
    if (needed > session->message_capacity || session->message == NULL) {
        size_t doubled = session->message_capacity * 2;
        size_t capacity = needed > doubled ? needed + 1 : doubled;
        char *message = realloc(session->message, capacity);
        if (message == NULL)
            return false;
        session->message = message;
        session->message_capacity = capacity;
    }
    if (length > 0)
        memcpy(session->message + session->message_length, data, length);
    session->message_length = needed;
    return true;
}

/* Takes the collected message off the session. */
static char *take_message(struct websocket_session *session, size_t *length)
{
    char *message = session->message;
    *length = session->message_length;
    session->message = NULL;
    session->message_length = session->message_capacity = 0;
    return message;
}

void websocket_receive(struct websocket_session *session, const struct websocket_piece *piece)
{
    if (session->state >= WEBSOCKET_CLOSING)
        return;
    if (piece->first)
        session->message_deflated = piece->deflated;
    if (piece->binary)
        websocket_session_close(session, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "messages must be text");
    else if (session->message_length + piece->length > WEBSOCKET_MESSAGE_MAX)
        websocket_session_close(session, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "message over 1 MiB");
    else if (!append(session, piece->data, piece->length))
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
    if (session->state >= WEBSOCKET_CLOSING || !piece->last)
        return;

    size_t length = 0;
    char *message = take_message(session, &length);
    if (!session->message_deflated) {
        handle(session, message, length);
        return;
    }
    handle_deflated(session, message, length);
    free(message);
}
