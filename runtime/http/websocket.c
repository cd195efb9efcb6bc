/*
 * libwebsockets as a guest of the loop, and the sessions it frames; see websocket.h.
 *
 * It gets sockets whose opening request has been checked, so its header tables are in use for the length of
 * one call only. Its timers are used for nothing: they are a list searched from the front, and under libev a
 * new one does not fire before the one that was due first when it was set. Pings and deadlines are ours
 * (websocket_session.c).
 */
#include "websocket.h"

#include "websocket_deflate.h"
#include "websocket_session.h"

#include "plugin/generation.h"

#include <fiber.h>
#include <log.h>

#include <errno.h>
#include <string.h>

enum {
    HEADER_TABLES = 4,
    RECEIVE_BYTES = 1024, /* of each session, idle or not; a longer message is read in several steps */
};

static struct {
    struct ev_loop *loop;
    ev_prepare before_block;
    ev_idle keep_turning; /* a turn's work may have woken fibers, whose own turn was over by then */
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct websocket_session *sessions;
    struct websocket_session *adopting; /* for as long as websocket_adopt runs */
    bool draining;
} websocket;

bool websocket_draining(void)
{
    return websocket.draining;
}

struct websocket_session *websocket_session_of(struct lws *wsi)
{
    struct websocket_session *session = lws_get_opaque_user_data(wsi);
    return session != NULL ? session : websocket.adopting;
}

static void on_library_log(int level, const char *line)
{
    log_event(level == LLL_ERR ? EDGE_LOG_WARN : EDGE_LOG_DEBUG, "libwebsockets", { "line", edge_text(line) });
}

static void list_add(struct websocket_session *session)
{
    session->next = websocket.sessions;
    if (session->next != NULL)
        session->next->previous = session;
    websocket.sessions = session;
}

static void list_remove(struct websocket_session *session)
{
    if (session->previous != NULL)
        session->previous->next = session->next;
    else
        websocket.sessions = session->next;
    if (session->next != NULL)
        session->next->previous = session->previous;
}

static void opened(struct websocket_session *session, struct lws *wsi)
{
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    lws_set_opaque_user_data(wsi, session);
    lws_set_wsi_user(wsi, session); /* without one it does not say when it begins to close */
    list_add(session);
    websocket.adopting = NULL;
    websocket_session_opened(session, wsi);
    /* What came behind the request waits in libwebsockets for an event of this socket. */
    lws_callback_on_writable(wsi);
}

static int add_header(struct lws *wsi, struct lws_process_html_args *args, const char *name, const char *value)
{
    unsigned char *at = (unsigned char *)args->p, *end = at + args->max_len;
    if (lws_add_http_header_by_name(
            wsi, (const unsigned char *)name, (const unsigned char *)value, (int)strlen(value), &at, end) != 0)
        return -1;
    args->p = (char *)at;
    args->max_len = (int)(end - at);
    return 0;
}

/* The answer's headers beside those of the handshake. A function's subprotocol is none that libwebsockets
 * knows. */
static int add_headers(struct lws *wsi, struct lws_process_html_args *args)
{
    const struct websocket_session *session = websocket_session_of(wsi);
    int result = add_header(wsi, args, "x-function-version:", session->generation->id);
    if (result == 0 && session->stale)
        result = add_header(wsi, args, "x-function-stale:", "true");
    if (result == 0 && session->subprotocol != NULL)
        result = add_header(wsi, args, "sec-websocket-protocol:", session->subprotocol);
    return result;
}

static void receive(struct websocket_session *session, struct lws *wsi, const void *data, size_t length)
{
    websocket_session_heard(session);
    websocket_receive(session, &(const struct websocket_piece){
                                   .data = data,
                                   .length = length,
                                   .first = lws_is_first_fragment(wsi),
                                   .last = lws_is_final_fragment(wsi),
                                   .binary = lws_frame_is_binary(wsi),
                                   .deflated = (lws_get_reserved_bits(wsi) & 0x40) != 0,
                               });
}

/* Negative closes, with what lws_close_reason has said. */
static int write_more(struct websocket_session *session, struct lws *wsi)
{
    if (websocket_flush(session) < 0)
        return -1;
    bool done = session->first == NULL && !lws_partial_buffered(wsi);
    if (session->state != WEBSOCKET_CLOSING || session->close_begun || !done)
        return 0;
    lws_close_reason(wsi, (enum lws_close_status)session->close_code, (unsigned char *)session->close_reason,
        strlen(session->close_reason));
    return -1;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    (void)user;
    struct websocket_session *session = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_ADD_HEADERS:
        return add_headers(wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        opened(websocket.adopting, wsi);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        receive(session, wsi, in, length);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        websocket_session_heard(session);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_more(session, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        if (session != NULL)
            websocket_fiber_left(session, in, length);
        return 0;
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        if (session != NULL)
            websocket_session_close_begun(session);
        return 0;
    case LWS_CALLBACK_CLOSED:
        lws_set_opaque_user_data(wsi, NULL);
        list_remove(session);
        websocket_session_closed(session);
        return 0;
    case LWS_CALLBACK_HTTP: /* no request but an upgrade is ever handed over */
        return -1;
    default:
        return 0;
    }
}

/* The first one is for clients that ask for no subprotocol; its name is never sent. */
static const struct lws_protocols protocols[] = {
    { .name = "edge",
        .callback = on_event,
        .rx_buffer_size = RECEIVE_BYTES,
        .tx_packet_size = WEBSOCKET_FRAGMENT },
    { .name = "bearer",
        .callback = on_event,
        .rx_buffer_size = RECEIVE_BYTES,
        .tx_packet_size = WEBSOCKET_FRAGMENT },
    { 0 },
};

static const lws_retry_bo_t no_pings_of_the_library = { 0 };

static int start_library(void)
{
    void *loops[] = { websocket.loop };
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .extensions = websocket_extensions,
        .uid = (uid_t)-1,
        .gid = (gid_t)-1,
        .foreign_loops = loops,
        .max_http_header_pool = HEADER_TABLES,
        .retry_and_idle_policy = &no_pings_of_the_library,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
    };
    /* At the start, for 1 ms and 440 KiB: that its libev plugin is missing is not to come out in a request. */
    lws_set_log_level(LLL_ERR | LLL_WARN, on_library_log);
    websocket.context = lws_create_context(&info);
    websocket.vhost = websocket.context != NULL ? lws_create_vhost(websocket.context, &info) : NULL;
    if (websocket.vhost != NULL)
        return 0;
    log_event(EDGE_LOG_ERROR, "websocket_start_failed",
        { "hint", edge_text("libwebsockets needs its libev plugin: install "
                            "libwebsockets-evlib-ev") });
    return -ENOSYS;
}

static void turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)watcher, (void)events;
    bool upgraded = websocket_upgrade_turn(), flushed = websocket_flush_turn();
    if (upgraded || flushed)
        ev_idle_start(loop, &websocket.keep_turning);
    else
        ev_idle_stop(loop, &websocket.keep_turning);
}

static void idle_turn(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)loop, (void)watcher, (void)events;
}

int websocket_start(struct ev_loop *loop)
{
    websocket.loop = loop;
    ev_idle_init(&websocket.keep_turning, idle_turn);
    ev_prepare_init(&websocket.before_block, turn);
    ev_set_priority(&websocket.before_block, -1); /* after the fibers, whose messages it writes */
    ev_prepare_start(loop, &websocket.before_block);
    return start_library();
}

bool websocket_adopt(struct websocket_session *session, int fd, const char *received, size_t length)
{
    /* It announces every adopted socket as an error. */
    websocket.adopting = session;
    lws_set_log_level(0, on_library_log);
    struct lws *wsi = lws_adopt_socket_vhost_readbuf(websocket.vhost, fd, received, length);
    lws_set_log_level(LLL_ERR | LLL_WARN, on_library_log);
    if (websocket.adopting == NULL)
        return wsi != NULL;

    websocket.adopting = NULL;
    log_event(EDGE_LOG_WARN, "websocket_adoption_failed");
    if (wsi != NULL)
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    websocket_session_abandon(session);
    return false;
}

void websocket_drain(void)
{
    websocket.draining = true;
    for (struct websocket_session *session = websocket.sessions; session != NULL; session = session->next)
        websocket_session_drain(session);
}

void websocket_retire(void)
{
    for (struct websocket_session *session = websocket.sessions; session != NULL; session = session->next)
        websocket_session_retire(session);
}

void websocket_stop(void)
{
    if (websocket.context != NULL)
        lws_context_destroy(websocket.context);
    websocket_flush_turn();
    websocket.context = NULL;
    websocket.vhost = NULL;
    ev_prepare_stop(websocket.loop, &websocket.before_block);
    ev_idle_stop(websocket.loop, &websocket.keep_turning);
    websocket_deflate_stop();
}
