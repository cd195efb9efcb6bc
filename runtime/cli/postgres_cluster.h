/*
 * The files of the embedded Postgres: which server fits them, making them, and what they tell about a failure.
 */
#ifndef POSTGRES_CLUSTER_H
#define POSTGRES_CLUSTER_H

#include "cli/postgres_home.h"

/*
 * Path of the installed server that can run the cluster: of its own version, or the newest one (at least 15)
 * when there is no cluster yet. False when none is installed, which is said.
 */
bool cluster_program(const struct postgres_home *home, char program[PATH_MAX]);

/* Makes a cluster when there is none. It appears whole or not at all, however this ends. */
bool cluster_make(const struct postgres_home *home, const char *program);

/*
 * Stops a server that runs on the cluster without an `edge dev` above it (the lock is ours, so there is none),
 * and removes the pid file that a killed one left. False when it does not go away, which is said.
 */
bool cluster_stop_orphan(const struct postgres_home *home);

/* Whether the server's log contains a text. */
bool cluster_log_says(const struct postgres_home *home, const char *text);

/* Says on standard error what failed, why as far as the log tells, and what to do. */
void cluster_explain(const struct postgres_home *home, const char *what);

#endif
