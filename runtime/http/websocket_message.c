/*
 * What comes in over a WebSocket: pieces become messages, messages become calls; see websocket.h for what a
 * message may be.
 */
#include "websocket.h"
#include "websocket_deflate.h"
#include "websocket_session.h"

#include "plugin/generation.h"
#include "server.h"

#include <edge/json.h>

#include <context.h>

#include <errno.h>
#include <stdio.h>
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

/* Why a message starts no call; false when nothing is in its way. */
static bool refused(struct websocket_session *session, const char *id, size_t length)
{
    websocket_session_follow(session); /* its limit is the one of now */
    size_t limit = session->generation->config->max_body_bytes;
    if (session->state == WEBSOCKET_OPEN && websocket_session_expired(session)) {
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

/* A message of a session that a function speaks for. Takes data over. */
static void hand_over(struct websocket_session *session, char *data, size_t length)
{
    session->message_at_us = clock_us();
    if (session->state >= WEBSOCKET_CLOSING) {
        free(data);
    } else if (websocket_session_expired(session)) {
        free(data);
        websocket_session_expire(session);
    } else if (!session->message_binary && !is_utf8(data, length)) {
        free(data);
        websocket_session_close(session, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "no UTF-8");
    } else {
        websocket_fiber_receive(session, data, length, session->message_binary);
        websocket_flow(session);
    }
}

/* Takes text over. */
static void handle_whole(struct websocket_session *session, char *text, size_t length)
{
    if (session->fiber != NULL)
        hand_over(session, text, length);
    else
        handle(session, text, length);
}

/* Of one message; a call's own limit is answered with an error, a session's function has no other way. */
static size_t message_max(const struct websocket_session *session)
{
    size_t limit = session->generation->config->max_body_bytes;
    return session->fiber == NULL ? WEBSOCKET_MESSAGE_MAX
           : limit > 0            ? limit
                                  : session->server->config->server.max_body_bytes;
}

static void close_too_long(struct websocket_session *session)
{
    char reason[64];
    snprintf(reason, sizeof reason, "message over %zu bytes", message_max(session));
    websocket_session_close(session, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, reason);
}

static void handle_deflated(struct websocket_session *session, const char *data, size_t length)
{
    char *text = NULL;
    size_t text_length = 0;
    int result = websocket_inflate(data, length, message_max(session), &text, &text_length);
    if (result == 0)
        handle_whole(session, text, text_length);
    else if (result == -EMSGSIZE)
        close_too_long(session);
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
    if (piece->first) {
        session->message_deflated = piece->deflated;
        session->message_binary = piece->binary;
    }
    if (piece->binary && session->fiber == NULL)
        websocket_session_close(session, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "messages must be text");
    else if (session->message_length + piece->length > message_max(session))
        close_too_long(session);
    else if (!append(session, piece->data, piece->length))
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
    if (session->state >= WEBSOCKET_CLOSING || !piece->last)
        return;

    size_t length = 0;
    char *message = take_message(session, &length);
    if (!session->message_deflated) {
        handle_whole(session, message, length);
        return;
    }
    handle_deflated(session, message, length);
    free(message);
}
