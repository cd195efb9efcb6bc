/*
 * Reloading: from files that have changed to workers that serve them, as one transaction at a time.
 *
 *   look     functions.toml is read and validated whole; plugins whose content is new are copied
 *   gate     a child loads and starts each new build (gate.h); what it refuses stays as it was
 *   prepare  every worker loads the revision beside the one it serves; one no, and all forget it
 *   flip     the registry's revision is raised: the next request anywhere is served by the new one
 *
 * Where the ground that workers stand on has changed ([server], [database], [auth], [providers]), new workers
 * are started with it instead. When all are ready they accept, and those before them leave.
 *
 * The start of the host is the same transaction without workers. What is asked for while one runs is done
 * behind it, once.
 */
#ifndef SUPERVISOR_RELOAD_H
#define SUPERVISOR_RELOAD_H

#include <jansson.h>
#include <stdbool.h>

struct control_message;
struct process;
struct reload;
struct supervisor;

enum reload_kind {
    RELOAD_CHANGED,  /* what has changed since the last look */
    RELOAD_FORCED,   /* the same, and what was refused or withdrawn before is tried again */
    RELOAD_ROLLBACK, /* one function goes back: from its canary, else to the build before */
    RELOAD_PROMOTE,  /* one function's canary serves everybody */
};

struct reload_request {
    enum reload_kind kind;
    const char *cause;    /* for the log: "start", "file", "signal", "command", "crashes" */
    const char *function; /* of a roll-back or promotion; of a forced reload NULL: all */
    /* Told the outcome: {"changed": [{"function","generation","previous"}], "refused": [{"function","reason"}],
     * "configuration": "unchanged" | "changed" | "refused", "reason"?, "revision"}. NULL: nobody is. */
    void (*done)(void *arg, json_t *report);
    void *arg;
};

/* Makes ready for transactions; the first is the start's. 0, or a negative errno that has been said. */
int reload_open(struct supervisor *supervisor);
void reload_close(struct supervisor *supervisor);

void reload_ask(struct supervisor *supervisor, const struct reload_request *request);

/* A child has ended that is no worker. */
void reload_reap(struct supervisor *supervisor);

/*
 * A worker has loaded a revision, or said something about one. It is gone: because of a function that it ran,
 * or perhaps of what it was loading.
 */
void reload_worker_ready(struct process *process, const struct control_message *message);
void reload_worker_said(struct process *process, const struct control_message *message);
void reload_worker_gone(struct process *process, bool by_function);

#endif
