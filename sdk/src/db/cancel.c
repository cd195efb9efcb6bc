/*
 * Cancel requests that do not block the loop.
 *
 * PQcancel connects, writes, and waits until the server has closed that connection: a fork of the server's
 * and at least one round trip, and seconds when the network is down. libpq 15 has no asynchronous form of it,
 * so each request has a thread. Only operations that do not end by themselves within moments come here.
 * Measured on a Unix socket of a busy machine: PQcancel 6.6 ms, starting a thread 0.08 ms.
 */
#include "db/cancel.h"

#include "db/connection.h"
#include "db/offload.h"

#include <stdlib.h>

struct cancel {
    struct offload job;
    PGcancel *request;
    struct db_connection *connection; /* the loop's; NULL once it is gone */
};

static void send_request(struct offload *job)
{
    char error[256];
    PQcancel(((struct cancel *)(void *)job)->request, error, sizeof error);
}

static void cancel_free(struct offload *job)
{
    PQfreeCancel(((struct cancel *)(void *)job)->request);
    free(job);
}

static void arrived(struct offload *job)
{
    struct db_connection *connection = ((struct cancel *)(void *)job)->connection;
    cancel_free(job);
    if (connection != NULL)
        db_connection_cancel_arrived(connection);
}

struct cancel *cancel_send(struct db_connection *connection)
{
    struct cancel *cancel = calloc(1, sizeof *cancel);
    if (cancel == NULL)
        return NULL;
    cancel->job.work = send_request;
    cancel->job.done = arrived;
    cancel->job.drop = cancel_free;
    cancel->connection = connection;
    cancel->request = PQgetCancel(connection->pg);
    if (cancel->request != NULL && offload_run(&cancel->job) == 0)
        return cancel;
    cancel_free(&cancel->job);
    return NULL;
}

void cancel_forget(struct cancel *cancel)
{
    cancel->connection = NULL;
}
