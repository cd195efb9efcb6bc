/*
 * watchdog: finds workers that stand still in one function, or in one state, and ends them.
 *
 * A worker's slot counts its switches between fibers. The same odd count at two ticks means that one
 * function has had the worker all the time between. It hangs when it burnt the limit in CPU time, or when
 * it held the worker WALL_FACTOR limits long by the clock: then it blocks in a system call. By the clock
 * alone, a worker on a crowded machine would be taken for one that hangs.
 */
#include <log.h>
#include <signal.h>
#include <time.h>

#include "config/config.h"
#include "supervisor/workers.h"

#define WALL_FACTOR 5
#define LAST_MOMENT_S 0.25
#define TICK_MIN_S 0.02
#define TICK_MAX_S 0.25

ev_tstamp watchdog_interval(const struct supervisor *supervisor)
{
    double interval = (double)supervisor->config->server.cpu_limit_ms / 4000;
    return interval < TICK_MIN_S ? TICK_MIN_S : interval > TICK_MAX_S ? TICK_MAX_S : interval;
}

static int64_t process_cpu_us(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/*
 * The worker's handler notes where it stands and tears the function loose; the worker then retires by itself
 * (CONTROL_RETIRING). One that cannot has a moment before it is killed.
 */
static void doom(struct process *process, ev_tstamp now)
{
    kill(process->pid, SIGUSR2);
    process->state = PROCESS_DOOMED;
    process->deadline = now + LAST_MOMENT_S;
}

static void check_running(struct process *process, ev_tstamp now)
{
    struct slot_snapshot running;
    bool runs = slot_read_running(process->slot, &running);
    int64_t cpu_us = process_cpu_us(process->pid);
    if (!runs || running.switches != process->seen.switches) {
        process->seen = (struct sighting){ .switches = running.switches, .at = now, .cpu_us = cpu_us };
        return;
    }

    int64_t limit_ms = process->supervisor->config->server.cpu_limit_ms;
    int64_t cpu_ms = (cpu_us - process->seen.cpu_us) / 1000;
    int64_t wall_ms = (int64_t)((now - process->seen.at) * 1000);
    if (cpu_ms < limit_ms && wall_ms < limit_ms * WALL_FACTOR)
        return;

    log_event(EDGE_LOG_ERROR, "worker_hangs",
        { "worker", edge_int(slot_index(process->supervisor->slots, process->slot)) },
        { "pid", edge_int(process->pid) }, { "function", edge_text(running.function) },
        { "generation", edge_text(running.generation) }, { "requestId", edge_text(running.request_id) },
        { "cpuMs", edge_int(cpu_ms) }, { "wallMs", edge_int(wall_ms) }, { "cpuLimitMs", edge_int(limit_ms) });
    doom(process, now);
}

static void check_deadline(struct process *process, ev_tstamp now)
{
    if (process->deadline == 0 || now < process->deadline)
        return;

    log_event(EDGE_LOG_ERROR,
        process->state == PROCESS_STARTING ? "worker_start_timeout" : "worker_drain_timeout",
        { "worker", edge_int(slot_index(process->supervisor->slots, process->slot)) },
        { "pid", edge_int(process->pid) });
    doom(process, now);
}

static void end_doomed(struct process *process, ev_tstamp now)
{
    if (now < process->deadline)
        return;
    if (kill(process->pid, SIGKILL) == 0)
        atomic_fetch_add(&process->supervisor->slots->kills, 1);
    process->deadline = now + 1;
}

void watchdog_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct supervisor *supervisor = timer->data;
    ev_tstamp now = ev_now(loop);
    for (int i = 0; i < supervisor->slots->count; i++) {
        struct process *process = &supervisor->processes[i];
        if (process->state == PROCESS_NONE)
            continue;
        if (process->state == PROCESS_DOOMED) {
            end_doomed(process, now);
            continue;
        }
        check_running(process, now);
        if (process->state != PROCESS_DOOMED)
            check_deadline(process, now);
    }
    log_flush();
}
