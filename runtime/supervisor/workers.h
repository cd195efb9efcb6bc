/*
 * The supervisor's own state and its workers' processes; for this directory only.
 */
#ifndef SUPERVISOR_WORKERS_H
#define SUPERVISOR_WORKERS_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/listen.h"
#include "supervisor/slots.h"
#include "supervisor/store.h"
#include "supervisor/supervisor.h"

struct supervisor;

enum process_state {
    PROCESS_NONE,     /* the entry is free */
    PROCESS_STARTING, /* forked; loads */
    PROCESS_WAITING,  /* said CONTROL_READY; waits for CONTROL_GO */
    PROCESS_READY,    /* accepts */
    PROCESS_LEAVING,  /* told to drain, or said CONTROL_RETIRING; another is started for it */
    PROCESS_DOOMED,   /* hangs: told to tear its function loose; PROCESS_LEAVING when it can, else killed */
};

/* What the watchdog saw last. */
struct sighting {
    uint64_t switches;
    ev_tstamp at;
    int64_t cpu_us;
};

/* One forked worker; its place in the table is its slot's index. */
struct process {
    struct supervisor *supervisor;
    enum process_state state;
    pid_t pid;
    struct slot *slot;
    int control_fd;
    struct log_buffer *lines; /* that it has not written yet; kept for the next one in this place */
    ev_io control;
    ev_tstamp started_at, deadline; /* deadline of the present state; 0: none */
    struct sighting seen;
    bool incoming;     /* started by a reload to take over, together with others */
    uint64_t revision; /* that it has loaded last */
    bool asked;        /* to prepare the reload's revision, and has not answered */
};

struct supervisor {
    const struct config *config; /* the deployment's, whose ground workers stand on */
    const struct serve_options *options;
    struct ev_loop *loop;
    struct listener listener;
    struct slots *slots;
    struct rate_table *rates;
    struct registry *registry;
    struct store store;
    struct deployment *deployment;
    struct reload *reload;
    struct watch *watch;
    struct commands *commands;
    struct breaker *breaker;
    struct upgrade *upgrade;
    struct process *processes; /* slots->count of them */
    int wanted;                /* workers that should serve */
    int young_deaths;          /* in a row */
    ev_timer restart, watchdog;
    ev_timer manager_watchdog; /* notify.c */
    ev_signal terminate, interrupt, child, hangup;
    ev_tstamp interrupted_at; /* 0: not yet */
    bool announced;           /* every worker has been ready once */
    bool stopping;
    bool reloading_told; /* to the service manager, which waits for the end */
    int exit_status;
};

/* Starts workers until as many serve as are wanted, unless a restart is being held back. */
void workers_fill(struct supervisor *supervisor);
int workers_count(const struct supervisor *supervisor, enum process_state state);

/* workers_fork.c: starts one in a slot. 0 or a negative errno. */
int worker_fork(struct supervisor *supervisor, struct slot *slot);

/* ev callback of its control socket. */
void worker_heard(struct ev_loop *loop, ev_io *watcher, int events);

/* Starts count workers beside those there are; they wait for workers_change_over. 0 or a negative errno. */
int workers_bring(struct supervisor *supervisor, int count);

/* Those that came accept, those that were there leave; or those that came go again. */
void workers_change_over(struct supervisor *supervisor);
void workers_send_away(struct supervisor *supervisor);

/* A waiting worker accepts from now on. */
void worker_go(struct process *process);
bool workers_gone(const struct supervisor *supervisor);

/* In a child that is no worker: nothing of the supervisor's loop, sockets or talk with workers stays. */
void workers_forget(struct supervisor *supervisor);

/* Tells all to drain, or ends all now. */
void workers_drain(struct supervisor *supervisor);
void workers_kill(struct supervisor *supervisor);

/* Logs what a worker's signal handler noted, if it did, with the names of the code; crash_report.c. */
void crash_report(struct process *process);

/* Takes note of those that have ended. */
void workers_reap(struct supervisor *supervisor);

/* ev callbacks of the timers. */
void workers_restart(struct ev_loop *loop, ev_timer *timer, int events);
void watchdog_tick(struct ev_loop *loop, ev_timer *timer, int events);
ev_tstamp watchdog_interval(const struct supervisor *supervisor);

/* Of supervisor.c: a worker became ready; nothing is left to wait for. */
void supervisor_worker_ready(struct supervisor *supervisor);
void supervisor_stop(struct supervisor *supervisor, int exit_status);

#endif
