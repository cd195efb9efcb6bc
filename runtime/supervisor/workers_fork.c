/*
 * workers: one is forked, and becomes one.
 */
#include "supervisor/workers.h"

#include <errno.h>
#include <log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "config/config.h"
#include "supervisor/command.h"
#include "supervisor/control.h"
#include "supervisor/deployment.h"
#include "worker/memory_limit.h"
#include "worker/worker.h"

#define START_DEADLINE_S 60.0 /* to load every plugin and say so */

/*
 * The sockets of all workers are marked close-on-exec, so only a child that goes on as this program has to
 * close them.
 */
void workers_forget(struct supervisor *supervisor)
{
    for (int i = 0; i < supervisor->slots->count; i++)
        if (supervisor->processes[i].state != PROCESS_NONE)
            close(supervisor->processes[i].control_fd);
    commands_forget(supervisor);
    /* libev keeps one table of signals a process; a watcher left in it could not be set on another loop. */
    ev_signal_stop(supervisor->loop, &supervisor->terminate);
    ev_signal_stop(supervisor->loop, &supervisor->interrupt);
    ev_signal_stop(supervisor->loop, &supervisor->child);
    ev_signal_stop(supervisor->loop, &supervisor->hangup);
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
    log_buffer_use(supervisor->processes[index].lines);
    atomic_store(&slot->pid, getpid());
    workers_forget(supervisor);
    reset_signals();

    const struct worker_boot boot = {
        .config = supervisor->config,
        .index = index,
        .listen_fd = supervisor->listener.fd,
        .control_fd = control_fd,
        .slot = slot,
        .slots = supervisor->slots,
        .rates = supervisor->rates,
        .registry = supervisor->registry,
        .manifest = supervisor->deployment->manifest,
        .memory_bytes = memory_share(supervisor->config->server.worker_memory_bytes, supervisor->wanted),
        .sandbox = options->sandbox,
    };
    int status = (options->worker != NULL ? options->worker : worker_run)(&boot);
    log_flush();
    exit(status); /* not _exit: LeakSanitizer reports at exit */
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
    process->incoming = process->asked = false;
    process->revision = 0;
    atomic_store(&slot->pid, pid);
    ev_io_init(&process->control, worker_heard, control_fd, EV_READ);
    process->control.data = process;
    ev_io_start(loop, &process->control);
}

/* Signals are blocked around the fork: the child must not take one with the supervisor's handlers. */
int worker_fork(struct supervisor *supervisor, struct slot *slot)
{
    struct process *process = &supervisor->processes[slot_index(supervisor->slots, slot)];
    process->lines = process->lines != NULL ? process->lines : log_buffer_create();
    if (process->lines == NULL)
        return -ENOMEM;
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
    process_begin(process, pid, slot, supervisor_fd);
    return 0;
}
