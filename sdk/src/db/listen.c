/*
 * LISTEN for the whole worker: one connection, made when the first listener comes, kept half a minute after
 * the last has gone, made again when it is lost.
 *
 * It is none of the pool's: a session that listens belongs to nobody's transaction. One command is under way
 * at a time; which one is next is read off the channels: one that has listeners and is not listened to yet, or
 * the other way round.
 */
#include "db/listen.h"

#include "db/connection.h"
#include "db/pool.h"
#include "db/resolve.h"

#include <edge/log.h>

#include <log.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNEL_NAME_MAX 63 /* NAMEDATALEN - 1 */
#define ANSWER_LIMIT_S 5.0
#define UNUSED_LIMIT_S 30.0
#define RETRY_FIRST_S 0.05
#define RETRY_MAX_S 0.8

struct channel {
    char name[CHANNEL_NAME_MAX + 1];
    bool on; /* the server has been told to tell us */
    TAILQ_HEAD(, db_listener) listeners;
    TAILQ_ENTRY(channel) link;
};

static struct {
    enum {
        LISTEN_OFF,        /* no connection; the first listener moves it on */
        LISTEN_WAITING,    /* no connection; the timer makes the next attempt */
        LISTEN_RESOLVING,  /* the look-up of the host's name moves it on */
        LISTEN_CONNECTING, /* the socket moves it on */
        LISTEN_READY,      /* no command under way; the timer runs when there is no channel */
        LISTEN_COMMAND,    /* the answer moves it on, or the timer */
    } state;
    PGconn *pg;
    ev_io io;
    ev_timer timer;
    struct resolve *resolve;
    struct channel *asked; /* whose command is under way */
    TAILQ_HEAD(, channel) channels;
    int failures;
    bool telling; /* listeners are being called: they may add and remove, which is looked at afterwards */
} worker;

static void next_command(void);
static void connect_now(void);

static void start_timer(double seconds)
{
    ev_timer_stop(pool_loop(), &worker.timer);
    ev_timer_set(&worker.timer, seconds, 0);
    ev_timer_start(pool_loop(), &worker.timer);
}

static void watch(int events)
{
    ev_io_stop(pool_loop(), &worker.io);
    ev_io_set(&worker.io, PQsocket(worker.pg), events);
    ev_io_start(pool_loop(), &worker.io);
}

static void drop_connection(void)
{
    ev_io_stop(pool_loop(), &worker.io);
    ev_timer_stop(pool_loop(), &worker.timer);
    if (worker.resolve != NULL)
        resolve_forget(worker.resolve);
    worker.resolve = NULL;
    PQfinish(worker.pg);
    worker.pg = NULL;
    worker.asked = NULL;
    worker.state = LISTEN_OFF;
}

static void remove_channel(struct channel *channel)
{
    TAILQ_REMOVE(&worker.channels, channel, link);
    free(channel);
}

/* Nobody is listened to any more; channels without listeners are nobody's. */
static void forget_all(void)
{
    struct channel *next = NULL;
    for (struct channel *channel = TAILQ_FIRST(&worker.channels); channel != NULL; channel = next) {
        next = TAILQ_NEXT(channel, link);
        channel->on = false;
        struct db_listener *listener = NULL;
        TAILQ_FOREACH(listener, &channel->listeners, link)
        listener->listening = false;
        if (TAILQ_EMPTY(&channel->listeners))
            remove_channel(channel);
    }
}

/* As the pool does it: 50 ms, doubling to 0.8 s, less jitter. */
static void lose(const char *message)
{
    const char *why = message != NULL     ? message
                      : worker.pg != NULL ? PQerrorMessage(worker.pg)
                                          : "out of memory";
    if (worker.failures++ == 0)
        log_event(EDGE_LOG_WARN, "database_listen_lost", { "message", edge_text(why) });
    drop_connection();
    forget_all();
    if (TAILQ_EMPTY(&worker.channels))
        return;
    double delay = RETRY_FIRST_S;
    for (int i = 1; i < worker.failures && delay < RETRY_MAX_S; i++)
        delay *= 2;
    worker.state = LISTEN_WAITING;
    start_timer(pool_jitter(delay < RETRY_MAX_S ? delay : RETRY_MAX_S));
}

static void tell_attached(struct channel *channel)
{
    struct db_listener *next = NULL;
    for (struct db_listener *at = TAILQ_FIRST(&channel->listeners); at != NULL; at = next) {
        next = TAILQ_NEXT(at, link);
        if (at->listening)
            continue;
        at->listening = true;
        at->attached(at);
    }
}

static struct channel *find_channel(const char *name)
{
    struct channel *channel = NULL;
    TAILQ_FOREACH(channel, &worker.channels, link)
    if (strcmp(channel->name, name) == 0)
        break;
    return channel;
}

static void tell_notified(const PGnotify *notification)
{
    struct channel *channel = find_channel(notification->relname);
    struct db_listener *next = NULL;
    struct db_listener *at = channel != NULL ? TAILQ_FIRST(&channel->listeners) : NULL;
    for (; at != NULL; at = next) {
        next = TAILQ_NEXT(at, link);
        if (at->listening)
            at->notified(at, notification->extra);
    }
}

static void take_notifications(void)
{
    PGnotify *notification = NULL;
    worker.telling = true;
    while ((notification = PQnotifies(worker.pg)) != NULL) {
        tell_notified(notification);
        PQfreemem(notification);
    }
    worker.telling = false;
}

static void send_command(struct channel *channel)
{
    char *name = PQescapeIdentifier(worker.pg, channel->name, strlen(channel->name)), *sql = NULL;
    bool sent = name != NULL && asprintf(&sql, "%s %s", channel->on ? "UNLISTEN" : "LISTEN", name) > 0;
    sent = sent && PQsendQuery(worker.pg, sql);
    if (sql != NULL)
        free(sql);
    PQfreemem(name);
    if (!sent || PQflush(worker.pg) < 0) {
        lose(NULL);
        return;
    }
    worker.asked = channel;
    worker.state = LISTEN_COMMAND;
    watch(EV_READ | EV_WRITE);
    start_timer(ANSWER_LIMIT_S);
}

static void next_command(void)
{
    if (worker.state != LISTEN_READY || worker.telling)
        return;
    struct channel *channel = NULL;
    TAILQ_FOREACH(channel, &worker.channels, link)
    if (channel->on == TAILQ_EMPTY(&channel->listeners)) {
        send_command(channel);
        return;
    }
    if (TAILQ_EMPTY(&worker.channels))
        start_timer(UNUSED_LIMIT_S);
    else
        ev_timer_stop(pool_loop(), &worker.timer);
}

/* The command is done: who waits for the channel is told. */
static void answered(void)
{
    struct channel *channel = worker.asked;
    worker.asked = NULL;
    worker.state = LISTEN_READY;
    worker.failures = 0;
    channel->on = !channel->on;
    worker.telling = true;
    if (channel->on)
        tell_attached(channel);
    worker.telling = false;
    if (!channel->on && TAILQ_EMPTY(&channel->listeners))
        remove_channel(channel);
    next_command();
}

static void take_answer(void)
{
    while (worker.state == LISTEN_COMMAND && !PQisBusy(worker.pg)) {
        PGresult *result = PQgetResult(worker.pg);
        bool failed = result != NULL && PQresultStatus(result) != PGRES_COMMAND_OK;
        bool last = result == NULL;
        PQclear(result);
        if (failed)
            lose(NULL);
        else if (last)
            answered();
    }
}

static void ready(int events)
{
    if (((events & EV_READ) && !PQconsumeInput(worker.pg)) || PQflush(worker.pg) < 0) {
        lose(NULL);
        return;
    }
    if (events & EV_WRITE)
        watch(PQflush(worker.pg) > 0 ? EV_READ | EV_WRITE : EV_READ);
    take_notifications();
    take_answer();
    next_command();
}

static void connect_step(void)
{
    /* Stopped first: the poll may close the socket. */
    ev_io_stop(pool_loop(), &worker.io);
    switch (PQconnectPoll(worker.pg)) {
    case PGRES_POLLING_READING:
        watch(EV_READ);
        return;
    case PGRES_POLLING_WRITING:
        watch(EV_WRITE);
        return;
    case PGRES_POLLING_OK:
        PQsetnonblocking(worker.pg, 1);
        worker.state = LISTEN_READY;
        watch(EV_READ);
        next_command();
        return;
    default:
        lose(NULL);
    }
}

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)io;
    if (worker.state == LISTEN_CONNECTING)
        connect_step();
    else
        ready(events);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    if (worker.state == LISTEN_WAITING)
        connect_now();
    else if (worker.state == LISTEN_READY)
        drop_connection();
    else
        lose("the server did not answer in time");
}

static void ignore_notice(void *arg, const PGresult *notice)
{
    (void)arg, (void)notice;
}

static void connect_to(void *arg, const struct resolved *resolved, const char *error)
{
    (void)arg;
    worker.resolve = NULL;
    if (error != NULL) {
        lose(error);
        return;
    }
    worker.state = LISTEN_CONNECTING;
    worker.pg = connect_start(pool_settings()->url, resolved);
    if (worker.pg == NULL || PQstatus(worker.pg) == CONNECTION_BAD) {
        lose(NULL);
        return;
    }
    PQsetNoticeReceiver(worker.pg, ignore_notice, NULL);
    watch(EV_WRITE);
}

static void connect_now(void)
{
    const char *url = pool_settings()->url;
    start_timer(connect_limit_s(url));
    worker.state = LISTEN_RESOLVING;
    if (!resolve_needed(url)) {
        connect_to(NULL, &(const struct resolved){ 0 }, NULL);
        return;
    }
    worker.resolve = resolve_start(url, connect_to, NULL);
    if (worker.resolve == NULL)
        lose("no thread can be had to look the host name up");
}

static struct channel *add_channel(const char *name)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    snprintf(channel->name, sizeof channel->name, "%s", name);
    TAILQ_INIT(&channel->listeners);
    TAILQ_INSERT_TAIL(&worker.channels, channel, link);
    return channel;
}

int db_listen_add(struct db_listener *listener)
{
    if (pool_loop() == NULL)
        return -ENOENT;
    if (pool_settings()->pgbouncer)
        return -ENOTSUP;
    size_t length = strlen(listener->channel);
    if (length == 0 || length > CHANNEL_NAME_MAX)
        return -EINVAL;
    struct channel *channel = find_channel(listener->channel);
    if (channel == NULL && (channel = add_channel(listener->channel)) == NULL)
        return -ENOMEM;

    TAILQ_INSERT_TAIL(&channel->listeners, listener, link);
    /* A command under way for the channel would change what is on: its answer decides. */
    listener->listening = channel->on && worker.asked != channel;
    if (listener->listening)
        listener->attached(listener);
    else if (worker.state == LISTEN_OFF)
        connect_now();
    else
        next_command();
    return 0;
}

void db_listen_remove(struct db_listener *listener)
{
    struct channel *channel = find_channel(listener->channel);
    if (channel == NULL) /* the pool has been stopped */
        return;
    TAILQ_REMOVE(&channel->listeners, listener, link);
    if (!TAILQ_EMPTY(&channel->listeners))
        return;
    if (!channel->on && worker.asked != channel)
        remove_channel(channel);
    next_command();
}

void db_listen_start(void)
{
    memset(&worker, 0, sizeof worker);
    TAILQ_INIT(&worker.channels);
    ev_io_init(&worker.io, on_socket, -1, 0);
    ev_timer_init(&worker.timer, on_timer, 0, 0);
}

void db_listen_stop(void)
{
    drop_connection();
    while (!TAILQ_EMPTY(&worker.channels))
        remove_channel(TAILQ_FIRST(&worker.channels));
}
