/*
 * The worker's connections and the fibers that wait for one; see pool.h.
 *
 * First come, first served: while anybody waits, nobody overtakes. A connection that comes free goes straight
 * to the head of the queue. Connections are made when somebody waits and there is room, and one is always
 * tried for, so that the host knows whether the database is there.
 */
#include "db/pool.h"

#include "db/cancel.h"
#include "db/connection.h"
#include "db/listen.h"
#include "db/offload.h"

#include <log.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKOFF_FIRST_S 0.05
#define BACKOFF_MAX_S 0.8 /* a second after the server's return at most, connecting included */
#define SWEEP_EVERY_S 15.0
#define IDLE_MAX_US INT64_C(60000000)
#define KEPT_IDLE 2

static struct {
    struct ev_loop *loop;
    struct db_settings settings;
    struct db_connection *connections; /* pool_max of them */
    TAILQ_HEAD(connection_list, db_connection)
    idle; /* used last comes first, so that the others can be closed */
    TAILQ_HEAD(, operation) waiting;
    ev_timer retry;   /* active: the last attempt failed, and the next one is at its end */
    ev_timer acquire; /* the head of the queue has waited long enough */
    ev_timer sweep;
    int failures; /* attempts that failed since the last one that did not */
    bool reached; /* the last attempt succeeded */
    int open, up, waiting_count;
    uint64_t random;
    struct db_stats counters;
} pool;

const struct db_settings *pool_settings(void)
{
    return &pool.settings;
}

struct ev_loop *pool_loop(void)
{
    return pool.loop;
}

double pool_jitter(double seconds)
{
    pool.random ^= pool.random << 13;
    pool.random ^= pool.random >> 7;
    pool.random ^= pool.random << 17;
    return seconds * (0.5 + 0.4 * (double)(pool.random % 1024) / 1024);
}

static void fail_now(struct operation *operation, int kind, const char *message)
{
    operation_fail(operation, kind, message);
    operation_done(operation);
}

static void unqueue(struct operation *operation)
{
    TAILQ_REMOVE(&pool.waiting, operation, link);
    pool.waiting_count--;
    if (pool.waiting_count == 0)
        ev_timer_stop(pool.loop, &pool.acquire);
}

static void fail_waiting(int kind, const char *message)
{
    while (!TAILQ_EMPTY(&pool.waiting)) {
        struct operation *operation = TAILQ_FIRST(&pool.waiting);
        unqueue(operation);
        fail_now(operation, kind, message);
    }
}

static void open_one(void)
{
    for (int i = 0; i < pool.settings.pool_max; i++) {
        if (pool.connections[i].state != CONNECTION_CLOSED)
            continue;
        pool.open++;
        db_connection_open(&pool.connections[i]);
        return;
    }
}

/* One connection under way for each who waits, as far as there is room. After a failure the retry timer leads.
 */
static void grow(void)
{
    int connecting = 0;
    for (int i = 0; i < pool.settings.pool_max; i++)
        connecting +=
            pool.connections[i].state != CONNECTION_CLOSED && !db_connection_is_up(&pool.connections[i]);

    for (; connecting < pool.waiting_count && pool.open < pool.settings.pool_max; connecting++) {
        if (ev_is_active(&pool.retry))
            return;
        open_one();
    }
}

static void start_acquire_timer(void)
{
    const struct operation *head = TAILQ_FIRST(&pool.waiting);
    double left =
        (double)(head->submitted_us - clock_us()) / 1e6 + (double)pool.settings.acquire_timeout_ms / 1000;
    ev_timer_stop(pool.loop, &pool.acquire);
    ev_timer_set(&pool.acquire, left > 0.001 ? left : 0.001, 0);
    ev_timer_start(pool.loop, &pool.acquire);
}

static void acquire_timed_out(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    int64_t oldest_us = clock_us() - pool.settings.acquire_timeout_ms * 1000;
    struct operation *head = NULL;
    while ((head = TAILQ_FIRST(&pool.waiting)) != NULL && head->submitted_us <= oldest_us) {
        unqueue(head);
        fail_now(head, DB_BUSY, "no connection came free within [database].acquire_timeout");
    }
    if (head != NULL)
        start_acquire_timer();
}

static void enqueue(struct operation *operation)
{
    operation->state = OPERATION_WAITING;
    TAILQ_INSERT_TAIL(&pool.waiting, operation, link);
    if (pool.waiting_count++ == 0)
        start_acquire_timer();
    grow();
}

void pool_remove_idle(struct db_connection *connection)
{
    TAILQ_REMOVE(&pool.idle, connection, link);
}

/* A connection that the server has closed while it was idle is replaced: nothing was sent on it yet. */
static struct db_connection *take_idle(void)
{
    struct db_connection *connection = NULL;
    while ((connection = TAILQ_FIRST(&pool.idle)) != NULL) {
        if (db_connection_is_alive(connection))
            return connection;
        db_connection_lose(connection, "the server closed an idle connection");
    }
    return NULL;
}

void pool_submit(struct operation *operation)
{
    if (pool.connections == NULL) {
        fail_now(operation, DB_NOT_SET_UP, "[database].url is not set");
        return;
    }
    if (operation->holder != NULL && *operation->holder != NULL) {
        db_connection_send(*operation->holder, operation);
        return;
    }
    struct db_connection *connection = pool.waiting_count == 0 ? take_idle() : NULL;
    if (connection != NULL)
        db_connection_send(connection, operation);
    else if (pool.up == 0 && ev_is_active(&pool.retry))
        fail_now(operation, DB_UNAVAILABLE, "the last attempt to connect has failed");
    else
        enqueue(operation);
}

void pool_count(const struct operation *operation)
{
    pool.counters.queries += operation->count;
    for (size_t i = 0; i < (operation->isolated ? operation->count : 1); i++)
        pool.counters.errors += operation->failures[i].kind != DB_NO_FAILURE;
}

void pool_forget(struct operation *operation)
{
    unqueue(operation);
}

void pool_give(struct db_connection *connection)
{
    struct operation *head = TAILQ_FIRST(&pool.waiting);
    if (head != NULL) {
        unqueue(head);
        db_connection_send(connection, head);
        return;
    }
    connection->idle_since_us = clock_us();
    db_connection_set_state(connection, CONNECTION_IDLE);
    TAILQ_INSERT_HEAD(&pool.idle, connection, link);
}

void pool_connected(void)
{
    if (pool.failures > 0)
        log_event(EDGE_LOG_INFO, "database_reachable", { "attempts", edge_int(pool.failures + 1) });
    pool.up++;
    pool.reached = true;
    pool.failures = 0;
    ev_timer_stop(pool.loop, &pool.retry);
    grow();
}

static void start_backoff(const char *message)
{
    double delay = BACKOFF_FIRST_S;
    for (int i = 0; i < pool.failures && delay < BACKOFF_MAX_S; i++)
        delay *= 2;
    if (pool.failures++ == 0)
        log_event(EDGE_LOG_ERROR, "database_unreachable", { "message", edge_text(message) });

    pool.reached = false;
    ev_timer_stop(pool.loop, &pool.retry);
    ev_timer_set(&pool.retry, pool_jitter(delay < BACKOFF_MAX_S ? delay : BACKOFF_MAX_S), 0);
    ev_timer_start(pool.loop, &pool.retry);
}

void pool_connection_lost(bool was_up, const char *message)
{
    pool.open--;
    if (was_up) {
        pool.up--;
        pool.counters.reconnects++;
        if (message != NULL)
            log_event(EDGE_LOG_WARN, "database_connection_lost", { "message", edge_text(message) });
    } else {
        start_backoff(message);
        if (pool.up == 0)
            fail_waiting(DB_UNAVAILABLE, "a connection could not be made");
    }
    if (pool.open == 0 && !ev_is_active(&pool.retry))
        open_one();
    else
        grow();
}

static void retry_now(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    if (pool.open == 0)
        open_one();
    else
        grow();
}

static void sweep(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    int64_t oldest_us = clock_us() - IDLE_MAX_US;
    struct db_connection *last = NULL;
    while (pool.open > KEPT_IDLE && (last = TAILQ_LAST(&pool.idle, connection_list)) != NULL &&
           last->idle_since_us < oldest_us) {
        db_connection_close(last);
        pool.open--;
        pool.up--;
    }
}

static int copy_settings(const struct db_settings *settings)
{
    pool.settings = *settings;
    pool.settings.url = strdup(settings->url);
    if (pool.settings.pool_max < 1)
        pool.settings.pool_max = 1;
    pool.connections = calloc((size_t)pool.settings.pool_max, sizeof *pool.connections);
    return pool.settings.url != NULL && pool.connections != NULL ? 0 : -ENOMEM;
}

int db_start(struct ev_loop *loop, const struct db_settings *settings)
{
    memset(&pool, 0, sizeof pool);
    if (settings->url == NULL)
        return 0;
    pool.loop = loop;
    pool.random = ((uint64_t)getpid() << 32 ^ (uint64_t)clock_us()) | 1;
    TAILQ_INIT(&pool.idle);
    TAILQ_INIT(&pool.waiting);
    ev_timer_init(&pool.retry, retry_now, 0, 0);
    ev_timer_init(&pool.acquire, acquire_timed_out, 0, 0);
    ev_timer_init(&pool.sweep, sweep, SWEEP_EVERY_S, SWEEP_EVERY_S);

    int error = copy_settings(settings);
    if (error == 0)
        error = offload_start(loop);
    if (error < 0)
        goto fail;
    ev_timer_start(loop, &pool.sweep);
    db_listen_start();
    open_one();
    return 0;

fail:
    free((char *)pool.settings.url);
    free(pool.connections);
    pool.connections = NULL;
    return error;
}

void db_stop(void)
{
    if (pool.connections == NULL)
        return;
    for (int i = 0; i < pool.settings.pool_max; i++) {
        if (pool.connections[i].state != CONNECTION_CLOSED)
            db_connection_close(&pool.connections[i]);
        free(pool.connections[i].expected);
    }
    db_listen_stop();
    offload_stop();
    ev_timer_stop(pool.loop, &pool.retry);
    ev_timer_stop(pool.loop, &pool.acquire);
    ev_timer_stop(pool.loop, &pool.sweep);
    free(pool.connections);
    free((char *)pool.settings.url);
    memset(&pool, 0, sizeof pool);
}

void db_get_stats(struct db_stats *stats)
{
    *stats = pool.counters;
    stats->waiting = pool.waiting_count;
    stats->open = pool.up;
    stats->busy = pool.up;
    if (pool.connections != NULL)
        for (struct db_connection *idle = TAILQ_FIRST(&pool.idle); idle != NULL; idle = TAILQ_NEXT(idle, link))
            stats->busy--;
    stats->reachable = pool.up > 0 || pool.reached;
}
