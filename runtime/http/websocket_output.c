/*
 * What goes out to a WebSocket's client: a queue of whole messages, written as the socket takes them.
 *
 * A message is compressed when it is queued, and is in the queue as it will be on the wire but for its frames'
 * heads: libwebsockets writes those in front of the payload, over what has been sent already.
 */
#include "websocket_deflate.h"
#include "websocket_session.h"

#include <context.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct websocket_outgoing {
    struct websocket_outgoing *next;
    size_t length, sent;
    bool deflated, binary;
    unsigned char buffer[]; /* LWS_PRE bytes for a frame's head, then the message */
};

/* Sessions that the loop is to look at before it blocks; each holds a reference. */
static struct websocket_session *to_flush;

void websocket_want_flush(struct websocket_session *session)
{
    if (session->to_flush || session->state == WEBSOCKET_CLOSED)
        return;
    session->to_flush = true;
    session->next_to_flush = to_flush;
    to_flush = session;
    websocket_session_hold(session);
}

bool websocket_flush_turn(void)
{
    bool any = to_flush != NULL;
    while (to_flush != NULL) {
        struct websocket_session *session = to_flush;
        to_flush = session->next_to_flush;
        session->to_flush = false;
        if (session->state != WEBSOCKET_CLOSED && websocket_flush(session) < 0)
            websocket_session_kill(session);
        websocket_session_release(session);
    }
    return any;
}

static struct websocket_outgoing *outgoing_create(size_t length)
{
    struct websocket_outgoing *outgoing = malloc(sizeof *outgoing + LWS_PRE + length);
    if (outgoing != NULL)
        *outgoing = (struct websocket_outgoing){ .length = length };
    return outgoing;
}

static char *put(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

static char *put_text(char *at, const char *text)
{
    return put(at, text, strlen(text));
}

static struct websocket_outgoing *compose(const struct websocket_reply *reply)
{
    char status[24] = "";
    int digits = reply->status != 0 ? snprintf(status, sizeof status, ",\"status\":%d", reply->status) : 0;
    size_t length = strlen("{\"event\":") + strlen(reply->event) + (size_t)digits + strlen(",\"data\":}") +
                    reply->length + (reply->id != NULL ? strlen(",\"id\":") + strlen(reply->id) : 0);
    struct websocket_outgoing *outgoing = outgoing_create(length);
    if (outgoing == NULL)
        return NULL;

    char *at = put_text((char *)outgoing->buffer + LWS_PRE, "{\"event\":");
    at = put_text(at, reply->event);
    if (reply->id != NULL)
        at = put_text(put_text(at, ",\"id\":"), reply->id);
    at = put(at, status, (size_t)digits);
    at = put_text(at, ",\"data\":");
    at = put(at, reply->data, reply->length);
    put(at, "}", 1);
    return outgoing;
}

/* Returns the compressed message in the plain one's place, or that one when it does not pay. */
static struct websocket_outgoing *compress_message(struct websocket_outgoing *plain)
{
    if (plain->length < WEBSOCKET_DEFLATE_MIN)
        return plain;
    struct websocket_outgoing *outgoing = outgoing_create(plain->length);
    if (outgoing == NULL)
        return plain;
    size_t length = websocket_deflate(plain->buffer + LWS_PRE, plain->length, outgoing->buffer + LWS_PRE);
    if (length == 0) {
        free(outgoing);
        return plain;
    }
    outgoing->binary = plain->binary;
    free(plain);
    outgoing->length = length;
    outgoing->deflated = true;
    struct websocket_outgoing *fitted = realloc(outgoing, sizeof *outgoing + LWS_PRE + length);
    return fitted != NULL ? fitted : outgoing;
}

static void enqueue(struct websocket_session *session, struct websocket_outgoing *outgoing)
{
    if (session->first == NULL) {
        session->first = outgoing;
        session->progress_at_us = clock_us();
    } else {
        session->last->next = outgoing;
    }
    session->last = outgoing;
    session->queued_bytes += outgoing->length;
    session->message_at_us = clock_us();
}

size_t websocket_send(struct websocket_session *session, const struct websocket_reply *reply)
{
    if (session->state >= WEBSOCKET_CLOSING)
        return 0;
    struct websocket_outgoing *outgoing = compose(reply);
    if (outgoing == NULL) {
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
        return 0;
    }
    enqueue(session, session->deflates ? compress_message(outgoing) : outgoing);
    websocket_want_flush(session);
    return session->queued_bytes;
}

void websocket_send_message(struct websocket_session *session, bool binary, const void *data, size_t length)
{
    if (session->state >= WEBSOCKET_CLOSING)
        return;
    struct websocket_outgoing *outgoing = outgoing_create(length);
    if (outgoing == NULL) {
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
        return;
    }
    outgoing->binary = binary;
    if (length > 0)
        memcpy(outgoing->buffer + LWS_PRE, data, length);
    enqueue(session, session->deflates ? compress_message(outgoing) : outgoing);
    websocket_want_flush(session);
}

static void drop_first(struct websocket_session *session)
{
    struct websocket_outgoing *outgoing = session->first;
    session->first = outgoing->next;
    session->queued_bytes -= outgoing->length - outgoing->sent;
    if (session->first == NULL)
        session->last = NULL;
    free(outgoing);
}

void websocket_output_free(struct websocket_session *session)
{
    while (session->first != NULL)
        drop_first(session);
}

static int write_fragment(struct websocket_session *session)
{
    struct websocket_outgoing *outgoing = session->first;
    size_t left = outgoing->length - outgoing->sent;
    size_t length = left < WEBSOCKET_FRAGMENT ? left : WEBSOCKET_FRAGMENT;
    bool begins = outgoing->sent == 0, ends = length == left;
    session->frame_deflated = begins && outgoing->deflated;
    int flags = lws_write_ws_flags(outgoing->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, begins, ends);
    int written = lws_write(
        session->wsi, outgoing->buffer + LWS_PRE + outgoing->sent, length, (enum lws_write_protocol)flags);
    if (written < (int)length)
        return -1;
    outgoing->sent += length;
    session->queued_bytes -= length;
    session->progress_at_us = clock_us();
    if (ends)
        drop_first(session);
    return 0;
}

/* With something in it: libwebsockets does not tell of a pong without. */
static int write_ping(struct websocket_session *session)
{
    unsigned char buffer[LWS_PRE + 1] = { [LWS_PRE] = '?' };
    session->ping_due = false;
    return lws_write(session->wsi, buffer + LWS_PRE, 1, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* Between the two marks of what is queued it stays as it is. */
static bool must_pause(const struct websocket_session *session)
{
    if (session->state >= WEBSOCKET_CLOSING)
        return false; /* the client's answer is to be read */
    size_t mark = session->paused ? STREAM_LOW_WATER : WEBSOCKET_PAUSE_BYTES;
    return session->queued_bytes > mark || websocket_fiber_full(session);
}

void websocket_flow(struct websocket_session *session)
{
    bool pause = must_pause(session);
    if (session->close_begun || pause == session->paused)
        return;
    session->paused = pause;
    lws_rx_flow_control(session->wsi, pause ? 0 : 1);
    if (!pause) {
        websocket_session_heard(session);
        lws_callback_on_writable(session->wsi); /* what it has read already waits for an event */
    }
}

/* Reads on or not, and wakes the writers that were held back. */
static void queue_changed(struct websocket_session *session)
{
    websocket_flow(session);
    if (session->queued_bytes > STREAM_LOW_WATER)
        return;
    for (struct websocket_call *call = session->calls; call != NULL; call = call->next)
        context_writable(call->ctx);
    websocket_fiber_writable(session);
}

/*
 * What libwebsockets could not send it keeps, and then breaks the connection off instead of answering a close
 * of the client's: so it gets nothing that the socket has no room for.
 */
int websocket_flush(struct websocket_session *session)
{
    if (session->close_begun)
        return 0;
    while ((session->ping_due || session->first != NULL) && !lws_send_pipe_choked(session->wsi)) {
        int result = session->ping_due ? write_ping(session) : write_fragment(session);
        if (result < 0)
            return result;
    }
    queue_changed(session);
    if (session->first != NULL || session->ping_due)
        websocket_session_watch(session);
    if (session->first != NULL || session->ping_due || session->state == WEBSOCKET_CLOSING)
        lws_callback_on_writable(session->wsi);
    return 0;
}
