/*
 * A session's life, and what it waits for; see websocket_session.h.
 *
 * One deadline of the worker's wheel does for a session: it is set to whatever is due next, and looked at
 * again when it fires. What comes and goes meanwhile only notes the time.
 */
#include "websocket_session.h"

#include "connection.h"
#include "plugin/generation.h"
#include "server.h"
#include "websocket.h"
#include "worker/state.h"

#include <log.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    PING_MS = 30 * 1000,
    IDLE_MS = 10 * 60 * 1000,
    PINGS_UNANSWERED_MAX = 2,
    CLOSE_MS = 5 * 1000 /* for the client's answer to a close frame */
};

/* Tests cannot wait ten minutes; only hosts of the sandbox listen to them. */
static int64_t setting_ms(const struct websocket_session *session, const char *variable, int64_t milliseconds)
{
    const char *text = worker_of(session->server)->boot->sandbox ? getenv(variable) : NULL;
    return text != NULL ? strtoll(text, NULL, 10) : milliseconds;
}

static int64_t ping_ms(const struct websocket_session *session)
{
    return setting_ms(session, "EDGE_TEST_WEBSOCKET_PING_MS", PING_MS);
}

static int64_t idle_ms(const struct websocket_session *session)
{
    return setting_ms(session, "EDGE_TEST_WEBSOCKET_IDLE_MS", IDLE_MS);
}

/* Waiting for the client to take something, or to answer a close. */
static bool blocked(const struct websocket_session *session)
{
    return session->first != NULL || session->state == WEBSOCKET_CLOSING || lws_partial_buffered(session->wsi);
}

static int64_t blocked_max_ms(const struct websocket_session *session)
{
    return session->close_begun ? CLOSE_MS : session->server->config->server.write_timeout_ms;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool websocket_session_expired(const struct websocket_session *session)
{
    int64_t until_us = session->caller->valid_until_us;
    int64_t clock = worker_of(session->server)->test_clock_us;
    return until_us != 0 && (clock != 0 ? clock : edge_now_exact()) >= until_us;
}

/* When a session is to be closed that a function speaks for. A clock that tests have set does not move. */
static int64_t fiber_due_us(const struct websocket_session *session, int64_t now)
{
    int64_t due = session->drained_at_us != 0 ? session->drained_at_us : INT64_MAX;
    if (session->retired_at_us != 0 && session->state == WEBSOCKET_OPEN)
        due = smaller(due, session->retired_at_us);
    int64_t until_us = session->caller->valid_until_us;
    if (until_us != 0 && worker_of(session->server)->test_clock_us == 0)
        due = smaller(due, now + until_us - edge_now_exact());
    return due;
}

void websocket_session_watch(struct websocket_session *session)
{
    int64_t now = clock_us();
    int64_t due = session->close_begun ? INT64_MAX : session->silent_since_us + ping_ms(session) * 1000;
    if (session->call_count == 0 && session->state == WEBSOCKET_OPEN)
        due = smaller(due, session->message_at_us + idle_ms(session) * 1000);
    if (session->fiber != NULL && session->state < WEBSOCKET_CLOSING)
        due = smaller(due, fiber_due_us(session, now));
    if (blocked(session))
        due = smaller(due, session->progress_at_us + blocked_max_ms(session) * 1000);
    deadline_set(&session->deadline, due > now ? (due - now + 999) / 1000 : 1);
}

static void ask_for_life(struct websocket_session *session, int64_t now)
{
    session->silent_since_us = now;
    session->pings_unanswered++;
    session->ping_due = true;
    websocket_want_flush(session);
}

static void look(struct deadline *deadline)
{
    struct websocket_session *session =
        (struct websocket_session *)(void *)((char *)deadline - offsetof(struct websocket_session, deadline));
    int64_t now = clock_us();
    bool silent = !session->close_begun && now - session->silent_since_us >= ping_ms(session) * 1000;
    bool stalled = blocked(session) && now - session->progress_at_us >= blocked_max_ms(session) * 1000;
    /* Pongs of a client that is held back are not read. */
    bool mute = session->pings_unanswered >= PINGS_UNANSWERED_MAX && !session->paused;
    if (stalled || (silent && mute)) {
        websocket_session_kill(session);
        return;
    }
    if (silent)
        ask_for_life(session, now);
    bool idle = session->call_count == 0 && now - session->message_at_us >= idle_ms(session) * 1000;
    if (session->fiber != NULL && websocket_session_expired(session))
        websocket_session_expire(session);
    else if (session->fiber != NULL && session->retired_at_us != 0 && now >= session->retired_at_us &&
             session->state == WEBSOCKET_OPEN)
        websocket_session_drain(session);
    else if (session->fiber != NULL && session->drained_at_us != 0 && now >= session->drained_at_us)
        websocket_session_close(session, session->close_code, session->close_reason);
    else if (idle && session->state == WEBSOCKET_OPEN)
        websocket_session_close(session, LWS_CLOSE_STATUS_NORMAL, "idle");
    websocket_session_watch(session);
}

struct websocket_session *websocket_session_create(
    struct http_server *server, struct generation *generation, struct websocket_caller *caller)
{
    struct websocket_session *session = caller != NULL ? calloc(1, sizeof *session) : NULL;
    if (session == NULL) {
        free(caller);
        return NULL;
    }
    session->server = server;
    session->generation = generation;
    session->caller = caller;
    session->references = 1;
    session->deadline.passed = look;
    session->silent_since_us = session->message_at_us = session->progress_at_us = clock_us();
    generation_hold(generation);
    return session;
}

void websocket_session_hold(struct websocket_session *session)
{
    session->references++;
}

void websocket_session_release(struct websocket_session *session)
{
    if (--session->references > 0)
        return;
    generation_release(session->generation);
    free(session->caller);
    free(session);
}

void websocket_session_opened(struct websocket_session *session, struct lws *wsi)
{
    session->wsi = wsi;
    if (session->generation->function->session != NULL)
        websocket_fiber_start(session);
    websocket_session_watch(session);
    if (websocket_draining())
        websocket_session_drain(session);
    websocket_session_retire(session); /* a reload may have come between its request and this */
}

static void close_when_done(struct websocket_session *session)
{
    if (session->state == WEBSOCKET_ENDING && session->call_count == 0 && session->fiber == NULL)
        websocket_session_close(session, session->close_code, session->close_reason);
}

static void set_close(struct websocket_session *session, int code, const char *reason)
{
    session->close_code = code;
    if (reason != session->close_reason)
        snprintf(session->close_reason, sizeof session->close_reason, "%s", reason);
}

void websocket_session_end(struct websocket_session *session, int code, const char *reason)
{
    if (session->state != WEBSOCKET_OPEN)
        return;
    session->state = WEBSOCKET_ENDING;
    set_close(session, code, reason);
    close_when_done(session);
}

void websocket_session_drain(struct websocket_session *session)
{
    websocket_session_end(session, LWS_CLOSE_STATUS_GOINGAWAY, "draining");
    if (session->state != WEBSOCKET_ENDING || session->fiber == NULL)
        return;
    session->drained_at_us = clock_us() + session->server->config->server.drain_timeout_ms * 1000 / 2;
    websocket_fiber_drain(session);
    websocket_session_watch(session);
}

void websocket_session_retire(struct websocket_session *session)
{
    if (session->fiber == NULL || session->generation->owners > 0 || session->retired_at_us != 0)
        return;
    session->retired_at_us = clock_us() + session->server->config->server.drain_timeout_ms * 1000;
    websocket_session_watch(session);
}

void websocket_session_expire(struct websocket_session *session)
{
    websocket_refuse(session, NULL, "unauthorized", "The session has expired", NULL);
    websocket_session_close(session, WEBSOCKET_CLOSE_EXPIRED, "session expired");
}

void websocket_session_close(struct websocket_session *session, int code, const char *reason)
{
    if (session->state >= WEBSOCKET_CLOSING)
        return;
    session->state = WEBSOCKET_CLOSING;
    set_close(session, code, reason);
    websocket_fiber_ended(session, code, session->close_reason);
    if (session->first == NULL)
        session->progress_at_us = clock_us();
    websocket_want_flush(session);
    websocket_session_watch(session);
}

void websocket_session_close_begun(struct websocket_session *session)
{
    session->state = WEBSOCKET_CLOSING;
    session->close_begun = true;
    session->ping_due = false;
    session->progress_at_us = clock_us();
    websocket_output_free(session);
    websocket_session_watch(session);
}

void websocket_session_kill(struct websocket_session *session)
{
    /* It would wait for what it could not send yet, and that is what fails now. */
    shutdown(lws_get_socket_fd(session->wsi), SHUT_RDWR);
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

void websocket_session_closed(struct websocket_session *session)
{
    session->state = WEBSOCKET_CLOSED;
    session->wsi = NULL;
    deadline_clear(&session->deadline);
    websocket_output_free(session);
    free(session->message);
    session->message = NULL;
    log_event(EDGE_LOG_DEBUG, "websocket_closed", { "function", edge_text(session->generation->config->name) },
        { "close", edge_int(session->close_code) }, { "calls", edge_int(session->call_count) });

    for (struct websocket_call *call = session->calls, *next = NULL; call != NULL; call = next) {
        next = call->next;
        context_client_gone(call->ctx);
    }
    websocket_fiber_closed(session);
    websocket_session_abandon(session);
}

void websocket_session_abandon(struct websocket_session *session)
{
    struct http_server *server = session->server;
    if (session->owns_connection) {
        server->connection_count--;
        http_server_check_drained(server);
    }
    websocket_session_release(session);
}

void websocket_session_call_ended(struct websocket_session *session)
{
    session->message_at_us = clock_us();
    close_when_done(session);
}

void websocket_session_heard(struct websocket_session *session)
{
    session->silent_since_us = clock_us();
    session->pings_unanswered = 0;
}
