/*
 * workers: forks them, listens to what they say, replaces those that end.
 */
#include "supervisor/workers.h"

#include <errno.h>
#include <log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "supervisor/control.h"
#include "worker/worker.h"

#define START_DEADLINE_S 60.0 /* to load every plugin and say so */
#define DRAIN_GRACE_S 1.0     /* beyond the drain timeout, which the worker keeps itself */
#define YOUNG_S 1.0           /* a worker that lives less long died of its start */
#define YOUNG_DEATHS_MAX 5    /* before the first one was ready: give up */
#define RESTART_DELAY_S 0.1   /* doubled with each young death */
#define RESTART_DELAY_MAX_S 2.0

int workers_count(const struct supervisor *supervisor, enum process_state state)
{
    int count = 0;
    for (int i = 0; i < supervisor->slots->count; i++)
        count += supervisor->processes[i].state == state;
    return count;
}

bool workers_gone(const struct supervisor *supervisor)
{
    return workers_count(supervisor, PROCESS_NONE) == supervisor->slots->count;
}

/* In the child: nothing of the supervisor's loop or of its talk with other workers stays. */
static void forget_supervisor(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++)
        if (supervisor->processes[i].state != PROCESS_NONE)
            close(supervisor->processes[i].control_fd);
    /* libev keeps one table of signals a process; a watcher left in it could not be set on another loop. */
    ev_signal_stop(supervisor->loop, &supervisor->terminate);
    ev_signal_stop(supervisor->loop, &supervisor->interrupt);
    ev_signal_stop(supervisor->loop, &supervisor->child);
    ev_loop_destroy(supervisor->loop);
}

static void reset_signals(void)
{
    static const int ignored[] = { SIGINT, SIGHUP, SIGPIPE };
    static const int defaults[] = { SIGTERM, SIGCHLD, SIGUSR2 };
    for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
        signal(ignored[i], SIG_IGN);
    for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
        signal(defaults[i], SIG_DFL);

    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void become_worker(
    struct supervisor *supervisor, struct slot *slot, int control_fd, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(1);

    const struct serve_options *options = supervisor->options;
    int index = slot_index(supervisor->slots, slot);
    char name[32];
    snprintf(name, sizeof(name), "worker %d", index);
    prctl(PR_SET_NAME, name);
    log_set_source(name);
    atomic_store(&slot->pid, getpid());
    forget_supervisor(supervisor);
    reset_signals();

    const struct worker_boot boot = {
        .config = supervisor->config,
        .index = index,
        .listen_fd = supervisor->listener.fd,
        .control_fd = control_fd,
        .slot = slot,
        .slots = supervisor->slots,
        .rates = supervisor->rates,
        .sandbox = options->sandbox,
    };
    int status = (options->worker != NULL ? options->worker : worker_run)(&boot);
    log_flush();
    exit(status); /* not _exit: LeakSanitizer reports at exit */
}

static void on_control(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct process *process = watcher->data;
    switch (control_receive(watcher->fd)) {
    case CONTROL_READY:
        if (process->state != PROCESS_STARTING)
            break;
        process->state = PROCESS_READY;
        process->deadline = 0;
        supervisor_worker_ready(process->supervisor);
        break;
    case CONTROL_RETIRING:
        if (process->state == PROCESS_LEAVING)
            break;
        log_event(EDGE_LOG_WARN, "worker_retiring", { "pid", edge_int(process->pid) });
        crash_report(process);
        process->state = PROCESS_LEAVING;
        process->deadline =
            ev_now(loop) + (double)process->supervisor->config->server.drain_timeout_ms / 1000 + DRAIN_GRACE_S;
        workers_fill(process->supervisor);
        break;
    case CONTROL_CLOSED: /* it is about to end; SIGCHLD says how */
        ev_io_stop(loop, watcher);
        break;
    default:
        break;
    }
}

static void process_begin(struct process *process, pid_t pid, struct slot *slot, int control_fd)
{
    struct ev_loop *loop = process->supervisor->loop;
    process->state = PROCESS_STARTING;
    process->pid = pid;
    process->slot = slot;
    process->control_fd = control_fd;
    process->started_at = ev_now(loop);
    process->deadline = process->started_at + START_DEADLINE_S;
    process->seen = (struct sighting){ 0 };
    atomic_store(&slot->pid, pid);
    ev_io_init(&process->control, on_control, control_fd, EV_READ);
    process->control.data = process;
    ev_io_start(loop, &process->control);
}

/* Signals are blocked around the fork: the child must not take one with the supervisor's handlers. */
static int process_fork(struct supervisor *supervisor, struct slot *slot)
{
    int supervisor_fd, worker_fd;
    int status = control_open(&supervisor_fd, &worker_fd);
    if (status < 0)
        return status;

    log_flush();
    fflush(NULL);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        close(supervisor_fd);
        become_worker(supervisor, slot, worker_fd, parent);
    }
    status = pid < 0 ? -errno : 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(worker_fd);
    if (status < 0) {
        close(supervisor_fd);
        return status;
    }
    process_begin(&supervisor->processes[slot_index(supervisor->slots, slot)], pid, slot, supervisor_fd);
    return 0;
}

static void hold_back(struct supervisor *supervisor)
{
    int doublings = supervisor->young_deaths < 2 ? 0 : supervisor->young_deaths - 2;
    double delay = RESTART_DELAY_S * (double)(1 << (doublings > 8 ? 8 : doublings));
    if (delay > RESTART_DELAY_MAX_S)
        delay = RESTART_DELAY_MAX_S;

    log_event(EDGE_LOG_WARN, "worker_restart_delayed", { "delayMs", edge_int((int64_t)(delay * 1000)) },
        { "deathsInARow", edge_int(supervisor->young_deaths) });
    ev_timer_set(&supervisor->restart, delay, 0);
    ev_timer_start(supervisor->loop, &supervisor->restart);
}

void workers_fill(struct supervisor *supervisor)
{
    if (supervisor->stopping || ev_is_active(&supervisor->restart))
        return;

    int missing = supervisor->wanted - workers_count(supervisor, PROCESS_STARTING) -
                  workers_count(supervisor, PROCESS_READY);
    for (; missing > 0; missing--) {
        struct slot *slot = slot_take(supervisor->slots);
        if (slot == NULL) /* all are taken by workers that leave; the next to end makes room */
            return;
        int status = process_fork(supervisor, slot);
        if (status == 0)
            continue;
        slot_release(slot);
        log_event(EDGE_LOG_ERROR, "fork_failed", { "error", edge_text(strerror(-status)) });
        supervisor->young_deaths++;
        hold_back(supervisor);
        return;
    }
}

void workers_restart(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    ev_timer_stop(loop, timer);
    workers_fill(timer->data);
}

static void log_death(struct process *process, int status)
{
    struct slot_snapshot running;
    bool ran = slot_read_running(process->slot, &running);
    bool reported = atomic_load(&process->slot->crash.signal) != 0;
    crash_report(process);
    if (ran && !reported)
        counter_add(&slot_function(process->slot, running.function_index)->crashes, 1);

    log_event(EDGE_LOG_ERROR, "worker_died",
        { "worker", edge_int(slot_index(process->supervisor->slots, process->slot)) },
        { "pid", edge_int(process->pid) },
        { "signal", WIFSIGNALED(status) ? edge_text(sigabbrev_np(WTERMSIG(status))) : edge_null() },
        { "exitStatus", WIFEXITED(status) ? edge_int(WEXITSTATUS(status)) : edge_null() },
        { "function", ran ? edge_text(running.function) : edge_null() },
        { "generation", ran ? edge_text(running.generation) : edge_null() },
        { "requestId", ran ? edge_text(running.request_id) : edge_null() });
}

/* Whether the death calls for the end of the whole: no start has ever succeeded, and none will. */
static bool hopeless(const struct supervisor *supervisor, int status)
{
    if (supervisor->announced)
        return false;
    return (WIFEXITED(status) && WEXITSTATUS(status) != 0) || supervisor->young_deaths >= YOUNG_DEATHS_MAX;
}

static void process_ended(struct process *process, int status)
{
    struct supervisor *supervisor = process->supervisor;
    bool drained = process->state == PROCESS_LEAVING && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    bool young = process->state == PROCESS_STARTING || ev_now(supervisor->loop) - process->started_at < YOUNG_S;
    if (!drained)
        log_death(process, status);
    if (supervisor->stopping && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        supervisor->exit_status = 1; /* a leak that the sanitizer reports at exit must not pass unseen */

    ev_io_stop(supervisor->loop, &process->control);
    close(process->control_fd);
    slot_release(process->slot);
    process->state = PROCESS_NONE;
    if (supervisor->stopping || drained)
        return workers_fill(supervisor);

    atomic_fetch_add(&supervisor->slots->restarts, 1);
    supervisor->young_deaths = young ? supervisor->young_deaths + 1 : 0;
    if (hopeless(supervisor, status)) {
        log_event(EDGE_LOG_ERROR, "start_failed", { "why", edge_text("a worker could not start") });
        supervisor_stop(supervisor, 1);
    } else if (supervisor->young_deaths > 1 && !ev_is_active(&supervisor->restart)) {
        hold_back(supervisor);
    } else {
        workers_fill(supervisor);
    }
}

/* By pid, one after the other: children that somebody else in this process started are not ours to reap. */
void workers_reap(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++) {
        struct process *process = &supervisor->processes[i];
        int status;
        if (process->state != PROCESS_NONE && waitpid(process->pid, &status, WNOHANG) == process->pid)
            process_ended(process, status);
    }
}

void workers_drain(struct supervisor *supervisor)
{
    double allowed_s = (double)supervisor->config->server.drain_timeout_ms / 1000 + DRAIN_GRACE_S;
    for (int i = 0; i < supervisor->slots->count; i++) {
        struct process *process = &supervisor->processes[i];
        if (process->state == PROCESS_NONE || process->state == PROCESS_DOOMED)
            continue;
        if (control_send(process->control_fd, CONTROL_DRAIN) < 0)
            kill(process->pid, SIGTERM);
        if (process->state != PROCESS_LEAVING)
            process->deadline = ev_now(supervisor->loop) + allowed_s;
        process->state = PROCESS_LEAVING;
    }
}

void workers_kill(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++)
        if (supervisor->processes[i].state != PROCESS_NONE)
            kill(supervisor->processes[i].pid, SIGKILL);
}
