/*
 * A WebSocket session: a socket that libwebsockets frames, the calls that run on it, and what is queued for
 * its client. Everything here is for runtime/http/websocket*.c; the rest of the runtime sees websocket.h.
 *
 * libwebsockets is entered from the loop's stack only: a call that has something to say queues it
 * (websocket_send), and the loop writes it before it blocks (websocket_flush_turn) or when the socket takes
 * more. A session is freed when its socket is closed and its last call has been released.
 */
#ifndef HTTP_WEBSOCKET_SESSION_H
#define HTTP_WEBSOCKET_SESSION_H

#include "websocket_caller.h"
#include "worker/deadline.h"

#include <libwebsockets.h>

struct edge_ctx;
struct exchange;
struct generation;
struct http_server;
struct websocket_fiber;
struct websocket_outgoing;

enum {
    WEBSOCKET_CALLS_MAX = 16,
    WEBSOCKET_MESSAGE_MAX = 1024 * 1024,
    WEBSOCKET_FRAGMENT = 16 * 1024,     /* longer messages leave in frames of this size */
    WEBSOCKET_PAUSE_BYTES = 256 * 1024, /* queued: nothing more is read until the client has taken them */
};

/* Close codes beside libwebsockets' (RFC 6455 7.4.2: 4000 and up are the application's). */
#define WEBSOCKET_CLOSE_EXPIRED 4401

enum websocket_state {
    WEBSOCKET_OPEN,
    WEBSOCKET_ENDING,  /* starts no call; closes when the last running one, or the session's function, has ended
                        */
    WEBSOCKET_CLOSING, /* what is queued goes out, then the close frame */
    WEBSOCKET_CLOSED,  /* libwebsockets has let go of the socket; off the list of sessions */
};

/* One message of a client that is being answered. On its session's list of those running, until it is answered.
 */
struct websocket_call {
    struct websocket_call *previous, *next;
    struct websocket_session *session;
    struct generation *generation;
    edge_ctx *ctx;
    char *body; /* the message */
    size_t body_length;
    char *id; /* JSON text of the message's "id", NULL without one */
    const char *answer;
    size_t answer_length;
    const char *media_type; /* of an answer in bytes, NULL otherwise */
    bool in_pieces;         /* whose bytes are sent as they come */
    bool cancelled;         /* by the client; its last event still goes out */
    bool ended;             /* "final" or "error" has been sent */
};

struct websocket_session {
    struct websocket_session *previous, *next; /* on the list of sessions */
    struct websocket_session *next_to_flush;
    bool to_flush;
    struct lws *wsi; /* NULL once closed */
    struct http_server *server;
    struct generation *generation;
    struct websocket_caller *caller;
    enum websocket_state state;
    int close_code;
    char close_reason[124];
    bool close_begun;     /* libwebsockets sends, or has sent, the close frame: it takes nothing more */
    bool owns_connection; /* counted as one of the server's: under TLS the pump's connection is there, too */
    unsigned references;  /* the socket, and calls that are not released yet */

    struct websocket_call *calls; /* running */
    unsigned call_count;
    struct websocket_fiber *fiber; /* of a function that speaks for the session: there are no calls */
    bool stale;                    /* x-function-stale, as respond_head */
    const char *subprotocol;       /* of it, agreed on; constant of the plugin */
    int64_t retired_at_us; /* when it is asked to finish, as its generation is served no more; 0: not so */
    int64_t drained_at_us; /* when it is not waited for any longer; 0: the host does not stop */

    char *message; /* being received */
    size_t message_length, message_capacity;
    bool message_deflated, message_binary;

    struct websocket_outgoing *first, *last;
    size_t queued_bytes;
    bool ping_due, paused, deflates;
    bool frame_deflated; /* the frame being handed to libwebsockets begins a compressed message */

    struct deadline deadline;
    int64_t silent_since_us; /* nothing came, and no ping was sent, since */
    int64_t message_at_us;   /* the last message, either way */
    int64_t progress_at_us;  /* when the client last took something, or there was nothing for it to take */
    unsigned pings_unanswered;
};

/* --- websocket.c: the list of sessions, and libwebsockets ------------------------------------------------- */

/* The session of a socket, also while it is being adopted. NULL when it has none. */
struct websocket_session *websocket_session_of(struct lws *wsi);

/*
 * Hands a socket to libwebsockets with the bytes already received, the opening request first. Takes fd over.
 * False when it could not be adopted; the session is gone then.
 */
bool websocket_adopt(struct websocket_session *session, int fd, const char *received, size_t length);

bool websocket_draining(void);

/* --- websocket_session.c: its life ------------------------------------------------------------------------ */

/* Takes caller over in every case. NULL when memory is short. */
struct websocket_session *websocket_session_create(
    struct http_server *server, struct generation *generation, struct websocket_caller *caller);
void websocket_session_hold(struct websocket_session *session);
void websocket_session_release(struct websocket_session *session);

/* The handshake is done. */
void websocket_session_opened(struct websocket_session *session, struct lws *wsi);

/*
 * Starts no more calls, and closes with the code once those running have been answered, or the session's
 * function has ended. reason: at most 123 bytes; more are cut off.
 */
void websocket_session_end(struct websocket_session *session, int code, const char *reason);

/* The host is about to stop: as websocket_session_end, but a session's function is not waited for to the last.
 */
void websocket_session_drain(struct websocket_session *session);

/* If its generation has been replaced: a function that speaks for it is asked to finish when its time is over.
 */
void websocket_session_retire(struct websocket_session *session);

/* Closes behind what is queued; the session's function is told. */
void websocket_session_close(struct websocket_session *session, int code, const char *reason);

/* The caller's token has expired: says so, and closes with 4401. For a session's function. */
void websocket_session_expire(struct websocket_session *session);

/* Closes without another word; the session may be gone on return. */
void websocket_session_kill(struct websocket_session *session);

/* libwebsockets has begun to close, for whatever reason: nothing can be sent any more. */
void websocket_session_close_begun(struct websocket_session *session);

/* libwebsockets has closed the socket: calls lose their client, the session is gone on return. */
void websocket_session_closed(struct websocket_session *session);

/* The socket never opened, or is closed: gives its place among the connections back, and the reference. */
void websocket_session_abandon(struct websocket_session *session);

/* A call has been answered. */
void websocket_session_call_ended(struct websocket_session *session);

/* Something came from the client, if only a pong. */
void websocket_session_heard(struct websocket_session *session);

/* True behind the expiry of the token that the session was opened with. */
bool websocket_session_expired(const struct websocket_session *session);

/* Sets the deadline to what is due next. */
void websocket_session_watch(struct websocket_session *session);

/* --- websocket_output.c: what goes out -------------------------------------------------------------------- */

struct websocket_reply {
    const char *event; /* JSON text */
    const char *id;    /* JSON text, NULL without one */
    int status;        /* 0: not said */
    const char *data;  /* JSON text */
    size_t length;     /* of data */
};

/* Queues {"event","id","status","data"}; returns the bytes queued for this client. */
size_t websocket_send(struct websocket_session *session, const struct websocket_reply *reply);

/* Queues a message as it is. */
void websocket_send_message(struct websocket_session *session, bool binary, const void *data, size_t length);

/* Stops reading, or reads on, as what is queued and what waits for the function demands. From the loop only. */
void websocket_flow(struct websocket_session *session);

/* The loop is to look at the session before it blocks. */
void websocket_want_flush(struct websocket_session *session);

/* Looks at those that want it; true when there were any. */
bool websocket_flush_turn(void);

/* Writes what the socket takes. Negative: it is broken. */
int websocket_flush(struct websocket_session *session);

/* Drops what is queued. */
void websocket_output_free(struct websocket_session *session);

/* --- websocket_message.c: what comes in ------------------------------------------------------------------- */

/* A piece of a message, as libwebsockets says about it. */
struct websocket_piece {
    const char *data;
    size_t length;
    bool first, last, binary, deflated;
};
void websocket_receive(struct websocket_session *session, const struct websocket_piece *piece);

/* --- websocket_call.c: a message's call ------------------------------------------------------------------- */

/* A socket outlives reloads: takes what serves its function now, for the next message. False: nothing does. */
bool websocket_session_follow(struct websocket_session *session);

/* Starts the function; takes body and id (JSON text or NULL) over. */
void websocket_call_start(struct websocket_session *session, char *body, size_t length, char *id);

/* The client wants no more of it; see websocket.h. */
void websocket_call_cancel(struct websocket_call *call);

/* Answers a message that starts no call: code and message are constants of the host. */
void websocket_refuse(struct websocket_session *session, const char *id, const char *code, const char *message,
    const char *field);

/* --- websocket_fiber.c: a function that speaks for the session; nothing happens without one -----------------
 */

/* Starts it; it has run to its first wait, or to its end, on return. */
void websocket_fiber_start(struct websocket_session *session);

/* Takes a malloc'ed message over. There is a function. */
void websocket_fiber_receive(struct websocket_session *session, char *data, size_t length, bool binary);

/* So much waits for it that the client is to be held back. */
bool websocket_fiber_full(const struct websocket_session *session);

void websocket_fiber_writable(struct websocket_session *session);
void websocket_fiber_drain(struct websocket_session *session);

/* The host closes the session; the client has said that it does, with a close frame's payload. */
void websocket_fiber_ended(struct websocket_session *session, int code, const char *reason);
void websocket_fiber_left(struct websocket_session *session, const void *payload, size_t length);

/* The socket is closed. */
void websocket_fiber_closed(struct websocket_session *session);

/* --- websocket_upgrade.c ---------------------------------------------------------------------------------- */

/* Identifies the callers of upgrades that came in this turn; true when there were any. */
bool websocket_upgrade_turn(void);

#endif
