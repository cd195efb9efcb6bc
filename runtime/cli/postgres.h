/*
 * The embedded Postgres of `edge dev`: a cluster in .edge/postgres that runs while edge dev does.
 */
#ifndef POSTGRES_H
#define POSTGRES_H

#include "cli/postgres_home.h"

#include <sys/types.h>

struct postgres {
    struct postgres_home home;
    char program[PATH_MAX];   /* path of "postgres" */
    pid_t pid;                /* 0: not running */
    char owner_url[PATH_MAX]; /* superuser, for migrations */
    char url[PATH_MAX];       /* role edge_runtime, for the host */
};

/*
 * Starts the cluster, made if there is none, and waits until it answers; its database exists then. home is
 * filled in. A server that an `edge dev` of the past left behind is stopped first. False when it does not come
 * up, and what to do about it on standard error.
 */
bool postgres_start(struct postgres *postgres);

/* Stops it: sessions are closed, data is on disk. */
void postgres_stop(struct postgres *postgres);

#endif
