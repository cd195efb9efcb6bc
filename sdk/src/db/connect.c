/*
 * Making a connection, without blocking the loop, until the session is ready for its first operation.
 *
 * libpq tries the hosts of the URL one after the other; each try may bring another socket, so the watcher
 * follows PQsocket. tcp_user_timeout makes a host that swallows packets fail in time for the next one to be
 * tried: PQconnectPoll knows no time limit of its own.
 */
#include "db/connection.h"

#include "db/pool.h"
#include "db/resolve.h"

#include <edge/log.h>

#include <stdlib.h>
#include <string.h>

#define CONNECT_LIMIT_S 5.0

/*
 * Notices are for interactive users, but for one: to a session that is owed nothing, libpq hands the server's
 * FATAL good-bye as a notice.
 */
static void take_notice(void *arg, const PGresult *notice)
{
    struct db_connection *connection = arg;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
        connection->closing = true;
}

static bool begin_session(struct db_connection *connection)
{
    db_connection_set_state(connection, CONNECTION_SETTING_UP);
    if (PQsetnonblocking(connection->pg, 1) < 0 || !PQenterPipelineMode(connection->pg))
        return false;
    connection->setup_failed = false;
    return pipeline_send_settings(connection) && db_connection_flush(connection);
}

/* libev must be told even when the number stays the same: it may be another socket. */
static void follow_socket(struct db_connection *connection, int events)
{
    ev_io_stop(pool_loop(), &connection->io);
    connection->fd = PQsocket(connection->pg);
    ev_io_set(&connection->io, connection->fd, events);
    ev_io_start(pool_loop(), &connection->io);
}

static void connect_step(struct db_connection *connection)
{
    /* Stopped first: the poll may close the socket, and a descriptor is not to be watched when it is closed. */
    ev_io_stop(pool_loop(), &connection->io);
    switch (PQconnectPoll(connection->pg)) {
    case PGRES_POLLING_READING:
        follow_socket(connection, EV_READ);
        return;
    case PGRES_POLLING_WRITING:
        follow_socket(connection, EV_WRITE);
        return;
    case PGRES_POLLING_OK:
        connection->fd = PQsocket(connection->pg);
        if (begin_session(connection))
            return;
        break;
    default:
        break;
    }
    db_connection_lose(connection, NULL);
}

static void on_socket(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    struct db_connection *connection = watcher->data;
    if (connection->state == CONNECTION_CONNECTING)
        connect_step(connection);
    else
        db_connection_ready(connection, events);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct db_connection *connection = timer->data;
    if (connection->state == CONNECTION_RESOLVING)
        db_connection_lose(connection, "the host name could not be looked up in time");
    else if (connection->state == CONNECTION_CONNECTING)
        db_connection_lose(connection, "the server did not accept the connection in time");
    else
        db_connection_time_is_up(connection);
}

/* What precedes dbname is a default, what follows it overrides the URL; NULL changes nothing. */
PGconn *connect_start(const char *url, const struct resolved *resolved)
{
    const char *const keywords[] = {
        "fallback_application_name",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "dbname",
        "client_encoding",
        "host",
        "hostaddr",
        "port",
        NULL,
    };
    const char *const values[] = {
        "edge",
        "30",
        "5",
        "3",
        "4000",
        url,
        "UTF8",
        resolved->host,
        resolved->hostaddr,
        resolved->port,
        NULL,
    };
    return PQconnectStartParams(keywords, values, 1);
}

/* A host that does not answer costs tcp_user_timeout; the next one must still have its chance. */
double connect_limit_s(const char *url)
{
    double hosts = 1;
    for (const char *at = url; *at != '\0'; at++)
        hosts += *at == ',';
    return hosts * CONNECT_LIMIT_S;
}

static void connect_to(struct db_connection *connection, const struct resolved *resolved)
{
    db_connection_set_state(connection, CONNECTION_CONNECTING);
    connection->pg = connect_start(pool_settings()->url, resolved);
    if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD) {
        db_connection_lose(connection, connection->pg == NULL ? "out of memory" : NULL);
        return;
    }
    PQsetNoticeReceiver(connection->pg, take_notice, connection);
    follow_socket(connection, EV_WRITE);
}

/* Its host's addresses, or why there are none. */
static void resolved_hosts(void *arg, const struct resolved *resolved, const char *error)
{
    struct db_connection *connection = arg;
    connection->resolve = NULL;
    if (error != NULL)
        db_connection_lose(connection, error);
    else
        connect_to(connection, resolved);
}

void db_connection_open(struct db_connection *connection)
{
    db_connection_set_state(connection, CONNECTION_RESOLVING);
    statement_cache_init(&connection->statements);
    connection->oversized = connection->statements_stale = connection->closing = connection->breaks = false;
    connection->expected_count = connection->expected_next = 0;
    connection->received_bytes = connection->reads = 0;
    ev_io_init(&connection->io, on_socket, -1, 0);
    connection->io.data = connection;
    ev_timer_init(&connection->timer, on_timer, connect_limit_s(pool_settings()->url), 0);
    connection->timer.data = connection;
    ev_timer_start(pool_loop(), &connection->timer);

    if (!resolve_needed(pool_settings()->url)) {
        connect_to(connection, &(const struct resolved){ 0 });
        return;
    }
    connection->resolve = resolve_start(pool_settings()->url, resolved_hosts, connection);
    if (connection->resolve == NULL)
        db_connection_lose(connection, "no thread can be had to look the host name up");
}
