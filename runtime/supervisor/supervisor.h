/*
 * The supervisor: opens the listening socket, forks workers, replaces those that die or hang, stops them in
 * good order. It never runs a line of a plugin.
 *
 * SIGTERM, SIGINT   drain: workers finish what is in flight, up to [server] drain_timeout; a second SIGINT
 *                   stops at once
 * SIGHUP            reloads: functions.toml and plugins are looked at, also those that were refused before
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>

struct config;
struct worker_boot;

struct serve_options {
    const char *listen; /* instead of [server] listen; NULL: as configured */
    int workers;        /* instead of [server] workers; 0: as configured */
    bool sandbox;
    bool check;        /* gates the plugins and ends: 0 when all may be served; no socket is opened */
    char *const *argv; /* of a process that may be upgraded, and the file that it runs; NULL: it may not */
    const char *binary;
    /*
     * Called once every worker accepts, with the address that was bound ("127.0.0.1:43211", "unix:/path").
     * NULL: the line "listening on http://127.0.0.1:43211" goes to standard output.
     */
    void (*on_ready)(void *arg, const char *address);
    void *on_ready_arg;
    int (*worker)(const struct worker_boot *boot); /* NULL: worker_run; unit tests bring their own */
};

/*
 * Serves until told to stop. Opens the log on standard error as [server] says. Returns the process's exit
 * status: 0 after a drain, 1 when it could not start (standard error says what to change) or was stopped at
 * once. Children that it did not fork are left alone.
 */
int serve_run(const struct config *config, const struct serve_options *options);

#endif
