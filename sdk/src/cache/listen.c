/*
 * The session that listens; see listen.h.
 *
 * It is up once a message of its own has come back: behind a pooler that pools transactions LISTEN succeeds and
 * nothing is ever heard. From then on a small query every few seconds finds a connection that is dead without
 * saying so. Whatever goes wrong ends the session, drops what the cache holds, and a new one is tried.
 */
#include "cache/listen.h"

#include "cache/outbox.h"
#include "db/offload.h"
#include "db/resolve.h"

#include <log.h>

#include <edge/crypto.h>

#include <errno.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_LIMIT_S 15.0
#define ANSWER_LIMIT_S 5.0
#define HEARTBEAT_S 5.0
#define RETRY_FIRST_S 0.1
#define RETRY_MAX_S 5.0

enum ear_state {
    EAR_CLOSED,     /* no session; timer: the next try */
    EAR_RESOLVING,  /* a thread looks the hosts up */
    EAR_CONNECTING, /* io: what PQconnectPoll waits for; timer: its limit */
    EAR_LISTENING,  /* LISTEN is under way; timer: its limit */
    EAR_PROBING,    /* a message to itself is under way; timer: its limit */
    EAR_UP,         /* hears. timer: the next heartbeat, or the limit of the statement under way */
};

enum statement {
    STATEMENT_NONE,
    STATEMENT_LISTEN,
    STATEMENT_PROBE,
    STATEMENT_TELL,
    STATEMENT_HEARTBEAT
};

struct look_up {
    struct offload job;
    char *url;
    struct resolved resolved;
    int error;
    bool wanted; /* the loop's */
};

static struct {
    struct ev_loop *loop;
    char *url;
    enum ear_state state;
    enum statement statement;
    PGconn *pg;
    ev_io io;
    ev_timer timer;
    ev_prepare tell; /* before the loop blocks: all deletes of a turn go in one statement */
    double retry_s;
    char probe[40];
    struct look_up *look_up;
    bool complained;
} ear;

static void set_timer(double seconds)
{
    ev_timer_stop(ear.loop, &ear.timer);
    ev_timer_set(&ear.timer, seconds + (ev_time() - ev_now(ear.loop)), 0);
    ev_timer_start(ear.loop, &ear.timer);
}

static void close_session(void)
{
    ev_io_stop(ear.loop, &ear.io);
    if (ear.look_up != NULL)
        ear.look_up->wanted = false;
    ear.look_up = NULL;
    PQfinish(ear.pg);
    ear.pg = NULL;
    ear.state = EAR_CLOSED;
    ear.statement = STATEMENT_NONE;
}

static void lose(const char *why)
{
    if (!ear.complained)
        log_event(EDGE_LOG_WARN, "cache_listener_lost",
            { "reason", edge_text(why != NULL ? why : PQerrorMessage(ear.pg)) });
    ear.complained = true;
    if (ear.state == EAR_UP)
        cache_deafened();
    close_session();
    set_timer(ear.retry_s);
    ear.retry_s = ear.retry_s * 2 < RETRY_MAX_S ? ear.retry_s * 2 : RETRY_MAX_S;
}

static void watch(int events)
{
    ev_io_stop(ear.loop, &ear.io);
    ev_io_set(&ear.io, PQsocket(ear.pg), events);
    ev_io_start(ear.loop, &ear.io);
}

/* Sends a statement with at most one parameter and waits for its answer within the limit. */
static void ask(enum statement statement, const char *sql, const char *parameter)
{
    ear.statement = statement;
    set_timer(ANSWER_LIMIT_S);
    int left = -1;
    if (PQsendQueryParams(ear.pg, sql, parameter != NULL, NULL, &parameter, NULL, NULL, 0) == 1)
        left = PQflush(ear.pg);
    if (left < 0)
        lose(NULL);
    else
        watch(left > 0 ? EV_READ | EV_WRITE : EV_READ);
}

static void tell_waiting(void)
{
    if (ear.state != EAR_UP || ear.statement != STATEMENT_NONE || outbox_is_empty())
        return;
    char *payloads = outbox_text();
    if (payloads != NULL)
        ask(STATEMENT_TELL,
            "SELECT pg_notify('edge_cache', said) FROM jsonb_array_elements_text($1::jsonb) said", payloads);
    free(payloads);
}

static void before_block(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)events;
    ev_prepare_stop(loop, watcher);
    tell_waiting();
}

void listen_tell(const char *payload)
{
    if (ear.url == NULL)
        return;
    outbox_add(payload);
    ev_prepare_start(ear.loop, &ear.tell);
}

static void probe(void)
{
    uint8_t random[12];
    edge_random(random, sizeof random);
    ear.probe[0] = '?';
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(ear.probe + 1 + 2 * i, 3, "%02x", random[i]);
    ear.state = EAR_PROBING;
    ask(STATEMENT_PROBE, "SELECT pg_notify('edge_cache', $1)", ear.probe);
}

static void answered(bool good)
{
    enum statement statement = ear.statement;
    ear.statement = STATEMENT_NONE;
    if (!good) {
        lose(NULL);
        return;
    }
    if (statement == STATEMENT_LISTEN) {
        probe();
        return;
    }
    if (statement == STATEMENT_TELL)
        outbox_sent();
    if (ear.state == EAR_UP) {
        set_timer(HEARTBEAT_S);
        tell_waiting();
    } /* else the probe has still to come back, within the time there is for it */
}

static void hear(const PGnotify *notification)
{
    bool own = notification->be_pid == PQbackendPID(ear.pg);
    if (own && ear.state == EAR_PROBING && strcmp(notification->extra, ear.probe) == 0) {
        ear.state = EAR_UP;
        ear.retry_s = RETRY_FIRST_S;
        ear.complained = false;
        log_event(EDGE_LOG_DEBUG, "cache_listener_up", { "pid", edge_int(notification->be_pid) });
        if (ear.statement == STATEMENT_NONE) {
            set_timer(HEARTBEAT_S);
            tell_waiting();
        }
    } else if (!own && notification->extra[0] != '?') {
        cache_heard(notification->extra);
    }
}

static void receive(void)
{
    if (!PQconsumeInput(ear.pg)) {
        lose(NULL);
        return;
    }
    bool over = false, good = true;
    while (ear.statement != STATEMENT_NONE && !over && !PQisBusy(ear.pg)) {
        PGresult *result = PQgetResult(ear.pg);
        over = result == NULL;
        if (result != NULL && PQresultStatus(result) != PGRES_COMMAND_OK &&
            PQresultStatus(result) != PGRES_TUPLES_OK)
            good = false;
        PQclear(result);
    }
    PGnotify *notification = NULL;
    while ((notification = PQnotifies(ear.pg)) != NULL) {
        hear(notification);
        PQfreemem(notification);
    }
    if (over)
        answered(good);
}

static void connect_step(void)
{
    ev_io_stop(ear.loop, &ear.io);
    switch (PQconnectPoll(ear.pg)) {
    case PGRES_POLLING_READING:
        watch(EV_READ);
        return;
    case PGRES_POLLING_WRITING:
        watch(EV_WRITE);
        return;
    case PGRES_POLLING_OK:
        PQsetnonblocking(ear.pg, 1);
        ear.state = EAR_LISTENING;
        ask(STATEMENT_LISTEN, "LISTEN edge_cache", NULL);
        return;
    default:
        lose(NULL);
    }
}

static void on_socket(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)watcher;
    if (ear.state == EAR_CONNECTING) {
        connect_step();
        return;
    }
    if ((events & EV_WRITE) != 0) {
        int left = PQflush(ear.pg);
        if (left < 0) {
            lose(NULL);
            return;
        }
        watch(left > 0 ? EV_READ | EV_WRITE : EV_READ);
    }
    if ((events & EV_READ) != 0)
        receive();
}

/* What a session says without being asked is its good-bye: the socket tells as much. */
static void drop_notice(void *arg, const PGresult *notice)
{
    (void)arg, (void)notice;
}

static void connect_to(const struct resolved *resolved)
{
    /* What precedes dbname is a default, what follows it overrides the URL. */
    const char *const keywords[] = { "fallback_application_name", "keepalives_idle", "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "dbname", "client_encoding", "host", "hostaddr", "port", NULL };
    const char *const values[] = { "edge cache", "30", "5", "3", "4000", ear.url, "UTF8", resolved->host,
        resolved->hostaddr, resolved->port, NULL };
    ear.state = EAR_CONNECTING;
    ear.pg = PQconnectStartParams(keywords, values, 1);
    if (ear.pg == NULL || PQstatus(ear.pg) == CONNECTION_BAD) {
        lose(ear.pg == NULL ? "out of memory" : NULL);
        return;
    }
    PQsetNoticeReceiver(ear.pg, drop_notice, NULL);
    watch(EV_WRITE);
}

static void look_up_work(struct offload *job)
{
    struct look_up *look_up = (struct look_up *)(void *)job;
    look_up->error = resolve_url(look_up->url, &look_up->resolved);
}

static void look_up_free(struct offload *job)
{
    struct look_up *look_up = (struct look_up *)(void *)job;
    resolved_free(&look_up->resolved);
    free(look_up->url);
    free(look_up);
}

static void looked_up(struct offload *job)
{
    struct look_up *look_up = (struct look_up *)(void *)job;
    if (look_up->wanted) {
        ear.look_up = NULL;
        if (look_up->error != 0)
            lose(gai_strerror(look_up->error));
        else
            connect_to(&look_up->resolved);
    }
    look_up_free(job);
}

static bool look_up_start(void)
{
    struct look_up *look_up = calloc(1, sizeof *look_up);
    if (look_up == NULL)
        return false;
    look_up->job.work = look_up_work;
    look_up->job.done = looked_up;
    look_up->job.drop = look_up_free;
    look_up->wanted = true;
    look_up->url = strdup(ear.url);
    if (look_up->url == NULL || offload_run(&look_up->job) < 0) {
        look_up_free(&look_up->job);
        return false;
    }
    ear.state = EAR_RESOLVING;
    ear.look_up = look_up;
    return true;
}

static void open_session(void)
{
    set_timer(CONNECT_LIMIT_S);
    if (!resolve_needed(ear.url))
        connect_to(&(const struct resolved){ 0 });
    else if (!look_up_start())
        lose("no thread can be had to look the host name up");
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    if (ear.state == EAR_CLOSED)
        open_session();
    else if (ear.state == EAR_UP && ear.statement == STATEMENT_NONE)
        ask(STATEMENT_HEARTBEAT, "SELECT 1", NULL);
    else if (ear.state == EAR_PROBING && ear.statement == STATEMENT_NONE)
        lose("nothing is heard: LISTEN needs a session, not a pooler's transactions; set DATABASE_LISTEN_URL");
    else
        lose("the server did not answer in time");
}

int listen_start(struct ev_loop *loop, const char *url)
{
    ear.loop = loop;
    ear.url = url != NULL ? strdup(url) : NULL;
    if (url == NULL || ear.url == NULL)
        return url == NULL ? 0 : -ENOMEM;
    ear.state = EAR_CLOSED;
    ear.retry_s = RETRY_FIRST_S;
    ear.complained = false;
    ev_init(&ear.io, on_socket);
    ev_timer_init(&ear.timer, on_timer, 0, 0);
    ev_prepare_init(&ear.tell, before_block);
    open_session();
    return 0;
}

void listen_stop(void)
{
    if (ear.url == NULL)
        return;
    ev_timer_stop(ear.loop, &ear.timer);
    ev_prepare_stop(ear.loop, &ear.tell);
    close_session();
    outbox_clear();
    free(ear.url);
    ear.url = NULL;
}

bool listen_hears(void)
{
    return ear.url == NULL || ear.state == EAR_UP;
}

bool listen_connected(void)
{
    return ear.state == EAR_UP;
}
