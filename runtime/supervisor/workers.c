/*
 * workers: listens to what they say, replaces those that end.
 */
#include "supervisor/workers.h"

#include <errno.h>
#include <log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "supervisor/breaker.h"
#include "supervisor/control.h"
#include "supervisor/deployment.h"
#include "supervisor/reload.h"
#include "supervisor/upgrade.h"

#define DRAIN_GRACE_S 1.0   /* beyond the drain timeout, which the worker keeps itself */
#define YOUNG_S 1.0         /* a worker that lives less long died of its start */
#define YOUNG_DEATHS_MAX 5  /* before the first one was ready: give up */
#define RESTART_DELAY_S 0.1 /* doubled with each young death */
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

void worker_go(struct process *process)
{
    process->state = PROCESS_READY;
    control_say(process->control_fd, CONTROL_GO, 0, NULL);
    supervisor_worker_ready(process->supervisor);
}

static void retiring(struct process *process, ev_tstamp now)
{
    if (process->state == PROCESS_LEAVING)
        return;
    log_event(EDGE_LOG_WARN, "worker_retiring", { "pid", edge_int(process->pid) });
    process->state = PROCESS_LEAVING;
    process->deadline =
        now + (double)process->supervisor->config->server.drain_timeout_ms / 1000 + DRAIN_GRACE_S;
    crash_report(process);
    reload_worker_gone(process, true);
    workers_fill(process->supervisor);
}

void worker_heard(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct process *process = watcher->data;
    struct control_message message;
    switch (control_hear(watcher->fd, &message)) {
    case CONTROL_READY:
        if (process->state != PROCESS_STARTING)
            break;
        process->state = PROCESS_WAITING;
        process->deadline = 0;
        reload_worker_ready(process, &message);
        break;
    case CONTROL_PREPARED:
    case CONTROL_REFUSED:
        reload_worker_said(process, &message);
        break;
    case CONTROL_RETIRING:
        retiring(process, ev_now(loop));
        break;
    case CONTROL_CLOSED: /* it is about to end; SIGCHLD says how */
        ev_io_stop(loop, watcher);
        break;
    default:
        break;
    }
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

/* Those that serve, or will, as long as nothing takes over from them. */
static int staying(const struct supervisor *supervisor)
{
    int count = 0;
    for (int i = 0; i < supervisor->slots->count; i++) {
        const struct process *process = &supervisor->processes[i];
        bool stays = process->state == PROCESS_STARTING || process->state == PROCESS_WAITING ||
                     process->state == PROCESS_READY;
        count += stays && !process->incoming;
    }
    return count;
}

static int start_one(struct supervisor *supervisor)
{
    struct slot *slot = slot_take(supervisor->slots);
    if (slot == NULL)
        return -EAGAIN;
    int status = worker_fork(supervisor, slot);
    if (status == 0)
        return slot_index(supervisor->slots, slot);
    slot_release(slot);
    log_event(EDGE_LOG_ERROR, "fork_failed", { "error", edge_text(strerror(-status)) });
    return status;
}

void workers_fill(struct supervisor *supervisor)
{
    if (supervisor->stopping || supervisor->deployment->number == 0 || ev_is_active(&supervisor->restart))
        return;
    for (int missing = supervisor->wanted - staying(supervisor); missing > 0; missing--) {
        int started = start_one(supervisor);
        if (started == -EAGAIN) /* all places are taken by workers that leave; the next to end makes room */
            return;
        if (started >= 0)
            continue;
        supervisor->young_deaths++;
        hold_back(supervisor);
        return;
    }
}

int workers_bring(struct supervisor *supervisor, int count)
{
    for (; count > 0; count--) {
        int started = start_one(supervisor);
        if (started < 0)
            return started;
        supervisor->processes[started].incoming = true;
    }
    return 0;
}

static void leave(struct process *process, enum control how)
{
    struct supervisor *supervisor = process->supervisor;
    double allowed_s = (double)supervisor->config->server.drain_timeout_ms / 1000 + DRAIN_GRACE_S;
    if (control_send(process->control_fd, how) < 0)
        kill(process->pid, SIGTERM);
    if (process->state != PROCESS_LEAVING)
        process->deadline = ev_now(supervisor->loop) + allowed_s;
    process->state = PROCESS_LEAVING;
}

static bool is_there(const struct process *process)
{
    return process->state != PROCESS_NONE && process->state != PROCESS_DOOMED;
}

void workers_change_over(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++)
        if (supervisor->processes[i].incoming && is_there(&supervisor->processes[i]))
            worker_go(&supervisor->processes[i]);
    for (int i = 0; i < supervisor->slots->count; i++) {
        struct process *process = &supervisor->processes[i];
        if (is_there(process) && !process->incoming && process->state != PROCESS_LEAVING)
            leave(process, CONTROL_LEAVE);
        process->incoming = false;
    }
}

void workers_send_away(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++) {
        struct process *process = &supervisor->processes[i];
        if (!process->incoming)
            continue;
        process->incoming = false;
        if (is_there(process))
            leave(process, CONTROL_DRAIN);
    }
}

void workers_restart(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    ev_timer_stop(loop, timer);
    workers_fill(timer->data);
}

/* True when a function that ran is to blame. */
static bool log_death(struct process *process, int status)
{
    struct slot_snapshot running;
    bool ran = slot_read_running(process->slot, &running);
    bool reported = atomic_load(&process->slot->crash.signal) != 0;
    crash_report(process);
    if (ran && !reported) {
        counter_add(&slot_function(process->slot, running.function_index)->crashes, 1);
        breaker_count(process->supervisor, running.function_index, running.generation);
    }

    log_event(EDGE_LOG_ERROR, "worker_died",
        { "worker", edge_int(slot_index(process->supervisor->slots, process->slot)) },
        { "pid", edge_int(process->pid) },
        { "signal", WIFSIGNALED(status) ? edge_text(sigabbrev_np(WTERMSIG(status))) : edge_null() },
        { "exitStatus", WIFEXITED(status) ? edge_int(WEXITSTATUS(status)) : edge_null() },
        { "function", ran ? edge_text(running.function) : edge_null() },
        { "generation", ran ? edge_text(running.generation) : edge_null() },
        { "requestId", ran ? edge_text(running.request_id) : edge_null() });
    return ran || reported;
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
    bool leaving = process->state == PROCESS_LEAVING;
    process->state = PROCESS_LEAVING; /* what follows is not to ask it for anything */
    log_buffer_rescue(process->lines);
    bool by_function = !drained && log_death(process, status);
    if (supervisor->stopping && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        supervisor->exit_status = 1; /* a leak that the sanitizer reports at exit must not pass unseen */

    ev_io_stop(supervisor->loop, &process->control);
    close(process->control_fd);
    slot_release(process->slot);
    process->state = PROCESS_NONE;
    bool incoming = process->incoming;
    reload_worker_gone(process, by_function || leaving);
    process->incoming = process->asked = false;
    if (supervisor->stopping || drained || incoming)
        return workers_fill(supervisor);

    atomic_fetch_add(&supervisor->slots->restarts, 1);
    supervisor->young_deaths = young ? supervisor->young_deaths + 1 : 0;
    if (hopeless(supervisor, status)) {
        upgrade_return(supervisor);
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
    for (int i = 0; i < supervisor->slots->count; i++)
        if (is_there(&supervisor->processes[i]))
            leave(&supervisor->processes[i], CONTROL_DRAIN);
}

void workers_kill(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++)
        if (supervisor->processes[i].state != PROCESS_NONE)
            kill(supervisor->processes[i].pid, SIGKILL);
}
