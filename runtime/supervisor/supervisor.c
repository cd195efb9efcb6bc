/*
 * supervisor: start, announcement, signals and the good order of a stop.
 */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <log.h>
#include <log_ring.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/config.h"
#include "http/rate.h"
#include "supervisor/breaker.h"
#include "supervisor/command.h"
#include "supervisor/notify.h"
#include "supervisor/reload.h"
#include "supervisor/upgrade.h"
#include "supervisor/watch.h"
#include "supervisor/workers.h"

#define RATE_SLOTS 65536      /* callers whose rate is known at the same time */
#define INTERRUPT_AGAIN_S 0.3 /* wrappers forward the Ctrl-C that the terminal sends us too */

static int core_count(void)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

static int worker_count(const struct config *config, const struct serve_options *options)
{
    if (options->workers > 0)
        return options->workers;
    return config->server.workers > 0 ? config->server.workers : core_count();
}

static void start_log(const struct server_config *server)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    int level = EDGE_LOG_INFO;
    for (int i = 0; i < 4; i++)
        if (strcasecmp(server->log_level, levels[i]) == 0)
            level = i;

    bool text = strcmp(server->log_format, "text") == 0 ||
                (strcmp(server->log_format, "json") != 0 && isatty(STDERR_FILENO));
    log_set_source("supervisor");
    log_ring_open();
    log_open(STDERR_FILENO, text ? LOG_TEXT : LOG_JSON, (edge_log_level)level);
}

/* Connections are descriptors; the soft limit of most systems is 1024. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * A worker's memory holds what users have entrusted it with, so it is not written to a disk or handed to a
 * crash collector. Of one byte, which is what makes the kernel leave out both (core(5), fs/coredump.c); a limit
 * of 0 does not stop a core_pattern that is a pipe. The log has the backtrace. EDGE_CORE_DUMPS=1 is for who
 * needs more.
 */
static void refuse_core_dumps(void)
{
    const char *wanted = getenv("EDGE_CORE_DUMPS");
    struct rlimit limit;
    if ((wanted != NULL && strcmp(wanted, "1") == 0) || getrlimit(RLIMIT_CORE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
    setrlimit(RLIMIT_CORE, &limit);
}

static void announce(struct supervisor *supervisor)
{
    const char *address = supervisor->listener.address;
    const struct serve_options *options = supervisor->options;
    log_event(EDGE_LOG_INFO, "listening", { "address", edge_text(address) },
        { "workers", edge_int(supervisor->wanted) }, { "pid", edge_int(getpid()) });
    log_flush();
    if (options->on_ready != NULL) {
        options->on_ready(options->on_ready_arg, address);
        return;
    }
    const char *scheme = supervisor->config->server.tls_cert != NULL ? "https://" : "http://";
    printf("listening on %s%s\n", strncmp(address, "unix:", 5) == 0 ? "" : scheme, address);
    fflush(stdout);
}

void supervisor_worker_ready(struct supervisor *supervisor)
{
    if (supervisor->announced || workers_count(supervisor, PROCESS_READY) < supervisor->wanted)
        return;
    supervisor->announced = true;
    announce(supervisor);
    notify_ready(supervisor);
    upgrade_dismiss(supervisor);
}

static void break_when_gone(struct supervisor *supervisor)
{
    if (supervisor->stopping && workers_gone(supervisor) && !upgrade_leaving(supervisor))
        ev_break(supervisor->loop, EVBREAK_ALL);
}

void supervisor_stop(struct supervisor *supervisor, int exit_status)
{
    if (exit_status != 0)
        supervisor->exit_status = exit_status;
    if (supervisor->stopping)
        return;

    supervisor->stopping = true;
    notify_stopping(supervisor);
    ev_timer_stop(supervisor->loop, &supervisor->restart);
    listen_close(&supervisor->listener);
    workers_drain(supervisor);
    upgrade_dismiss(supervisor);
    break_when_gone(supervisor);
}

static void on_terminate(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop, (void)events;
    struct supervisor *supervisor = watcher->data;
    if (!supervisor->stopping)
        log_event(EDGE_LOG_INFO, "stopping", { "signal", edge_text(sigabbrev_np(watcher->signum)) },
            { "drainTimeoutMs", edge_int(supervisor->config->server.drain_timeout_ms) });
    log_flush();
    supervisor_stop(supervisor, 0);
}

static void on_interrupt(struct ev_loop *loop, ev_signal *watcher, int events)
{
    struct supervisor *supervisor = watcher->data;
    if (supervisor->interrupted_at == 0) {
        supervisor->interrupted_at = ev_now(loop);
        on_terminate(loop, watcher, events);
    } else if (ev_now(loop) - supervisor->interrupted_at > INTERRUPT_AGAIN_S) {
        log_event(EDGE_LOG_WARN, "stopped_at_once", { "signal", edge_text("INT") });
        supervisor->exit_status = 1;
        workers_kill(supervisor);
        upgrade_kill(supervisor);
    }
}

static void on_child(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop, (void)events;
    struct supervisor *supervisor = watcher->data;
    workers_reap(supervisor);
    reload_reap(supervisor);
    upgrade_reap(supervisor);
    log_flush();
    break_when_gone(supervisor);
}

static void on_hangup(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop, (void)events;
    reload_ask(watcher->data, &(struct reload_request){ .kind = RELOAD_FORCED, .cause = "signal" });
}

static void watch_signal(struct supervisor *supervisor, ev_signal *watcher,
    void (*callback)(struct ev_loop *, ev_signal *, int), int number)
{
    ev_signal_init(watcher, callback, number);
    watcher->data = supervisor;
    ev_signal_start(supervisor->loop, watcher);
}

static int start_listening(struct supervisor *supervisor)
{
    const char *configured = supervisor->config->server.listen;
    const char *given = supervisor->options->listen;
    struct listen_error error;
    if (supervisor->options->check || upgrade_take_over(supervisor))
        return 0;
    if (listen_inherit(&supervisor->listener, &error))
        return 0;
    if (error.text[0] == '\0' &&
        listen_open(given != NULL ? given : configured, &supervisor->listener, &error) == 0)
        return 0;
    fprintf(stderr, "edge: %s\n", error.text);
    return -EADDRNOTAVAIL;
}

/* Only a host that users do not reach tells them of its functions' sources. */
static enum staleness staleness_of(const struct serve_options *options)
{
    const char *stale = getenv("EDGE_STALE");
    if (!options->sandbox || stale == NULL)
        return STALENESS_UNKNOWN;
    return strcmp(stale, "refuse") == 0 ? STALENESS_REFUSED : STALENESS_SHOWN;
}

/* Everything that takes memory is taken here: a supervisor that starts does not run out of it later. */
static int prepare(struct supervisor *supervisor)
{
    int result = start_listening(supervisor);
    if (result < 0)
        return result;
    supervisor->loop = ev_loop_new(EVFLAG_AUTO);
    supervisor->slots = slots_create(supervisor->wanted);
    supervisor->registry = registry_create();
    supervisor->processes =
        supervisor->slots != NULL ? calloc((size_t)supervisor->slots->count, sizeof(struct process)) : NULL;
    supervisor->rates = rate_table_create(RATE_SLOTS);
    if (supervisor->loop == NULL || supervisor->slots == NULL || supervisor->processes == NULL ||
        supervisor->registry == NULL || supervisor->rates == NULL || breaker_open(supervisor) < 0) {
        fprintf(stderr, "edge: no memory for %d workers. Lower [server] workers\n", supervisor->wanted);
        return -ENOMEM;
    }
    supervisor->registry->staleness = staleness_of(supervisor->options);
    for (int i = 0; i < supervisor->slots->count; i++)
        supervisor->processes[i].supervisor = supervisor;
    return reload_open(supervisor);
}

static void release(struct supervisor *supervisor)
{
    upgrade_close(supervisor);
    reload_close(supervisor);
    breaker_close(supervisor);
    listen_close(&supervisor->listener);
    registry_free(supervisor->registry);
    rate_table_free(supervisor->rates);
    for (int i = 0; supervisor->processes != NULL && i < supervisor->slots->count; i++)
        log_buffer_free(supervisor->processes[i].lines);
    free(supervisor->processes);
    slots_free(supervisor->slots);
    if (supervisor->loop != NULL)
        ev_loop_destroy(supervisor->loop);
}

static void supervise(struct supervisor *supervisor)
{
    watch_signal(supervisor, &supervisor->terminate, on_terminate, SIGTERM);
    watch_signal(supervisor, &supervisor->interrupt, on_interrupt, SIGINT);
    watch_signal(supervisor, &supervisor->child, on_child, SIGCHLD);
    watch_signal(supervisor, &supervisor->hangup, on_hangup, SIGHUP);
    sigset_t none; /* an upgrade has blocked all until there are handlers */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    ev_init(&supervisor->restart, workers_restart);
    supervisor->restart.data = supervisor;
    ev_timer_init(
        &supervisor->watchdog, watchdog_tick, watchdog_interval(supervisor), watchdog_interval(supervisor));
    supervisor->watchdog.data = supervisor;
    ev_timer_start(supervisor->loop, &supervisor->watchdog);

    notify_watchdog_start(supervisor);

    commands_open(supervisor);
    reload_ask(supervisor, &(struct reload_request){ .kind = RELOAD_CHANGED, .cause = "start" });
    if (watch_open(supervisor) < 0)
        log_event(EDGE_LOG_WARN, "not_watching", { "reason", edge_text("out of memory") });
    if (!supervisor->stopping || !workers_gone(supervisor))
        ev_run(supervisor->loop, 0);

    watch_close(supervisor);
    commands_close(supervisor);

    notify_watchdog_stop(supervisor);
    ev_timer_stop(supervisor->loop, &supervisor->watchdog);
    ev_signal_stop(supervisor->loop, &supervisor->terminate);
    ev_signal_stop(supervisor->loop, &supervisor->interrupt);
    ev_signal_stop(supervisor->loop, &supervisor->child);
    ev_signal_stop(supervisor->loop, &supervisor->hangup);
}

int serve_run(const struct config *config, const struct serve_options *options)
{
    struct supervisor supervisor = {
        .config = config,
        .options = options,
        .listener = { .fd = -1 },
        .wanted = worker_count(config, options),
    };

    start_log(&config->server);
    raise_descriptor_limit();
    refuse_core_dumps();
    signal(SIGPIPE, SIG_IGN);
    if (prepare(&supervisor) < 0) {
        supervisor.exit_status = 1;
    } else {
        supervise(&supervisor);
        log_event(EDGE_LOG_INFO, "stopped", { "exitStatus", edge_int(supervisor.exit_status) });
    }
    log_flush();
    release(&supervisor);
    return supervisor.exit_status;
}
