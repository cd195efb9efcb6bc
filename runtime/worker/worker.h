/*
 * A worker process: what the supervisor hands it at its birth.
 *
 * The supervisor forks it with default signal dispositions but SIGINT, SIGHUP and SIGPIPE ignored (a
 * terminal's Ctrl-C reaches the whole process group; the supervisor decides), with PR_SET_PDEATHSIG, and
 * with no loop of its own. Its way through the states of its slot:
 *
 *   starting   set by the supervisor. Load, connect; a failure is logged and returned.
 *   ready      CONTROL_READY with the number of the revision that is loaded; once the supervisor has said
 *              CONTROL_GO, accept and atomic_store(&slot->state, SLOT_READY)
 *   draining   on CONTROL_DRAIN, SIGTERM, or the end of file of control_fd: stop accepting, close
 *              listen_fd, finish what is in flight, at most config->server.drain_timeout_ms, return 0.
 *              A worker that retires of its own accord (a fiber crashed) says CONTROL_RETIRING first and
 *              a replacement is started at once.
 *
 * A worker that is still there a second after the drain timeout is killed. SIGUSR2 asks for a backtrace of
 * what runs in the log; the watchdog sends it shortly before it kills.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct rate_table;
struct registry;
struct slot;
struct slots;

struct worker_boot {
    const struct config *config;
    int index;      /* its slot's: unique among the living workers */
    int listen_fd;  /* non-blocking, shared by all workers; TCP_NODELAY is inherited by what it accepts */
    int control_fd; /* SOCK_SEQPACKET, non-blocking; see supervisor/control.h */
    struct slot *slot;
    struct slots *slots;
    struct rate_table *rates;  /* shared by all workers */
    struct registry *registry; /* as well */
    const char *manifest;      /* of the revision to begin with (revision.h) */
    size_t memory_bytes;       /* that it may take (memory_limit.h) */
    bool sandbox;              /* serve the sandbox providers too */
};

/* Serves until drained. Returns the process's exit status: 0 after a drain, 1 when it could not start. */
int worker_run(const struct worker_boot *boot);

#endif
