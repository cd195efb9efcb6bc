/*
 * upgrade: rehearsal, and the step from one binary to another; see upgrade.h.
 */
#include "supervisor/upgrade.h"

#include "supervisor/command.h"
#include "supervisor/control.h"
#include "supervisor/notify.h"
#include "supervisor/reload.h"
#include "supervisor/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What one binary leaves to the next: "<listening fd> <fd of its own file> <address>", and for each worker
 * " <pid>:<control fd>".
 */
#define HANDOVER "EDGE_HANDOVER"

extern char **environ;

struct former {
    struct former *next;
    pid_t pid;
    int control_fd;
};

struct upgrade {
    char binary[4096];
    pid_t rehearsal;
    struct former *formers;
    int binary_before; /* its file; -1: none */
    bool returned;
};

static struct upgrade *state_of(struct supervisor *supervisor)
{
    if (supervisor->upgrade == NULL && (supervisor->upgrade = calloc(1, sizeof *supervisor->upgrade)) != NULL)
        supervisor->upgrade->binary_before = -1;
    return supervisor->upgrade;
}

/* --- rehearsal --- */

const char *upgrade_begin(struct supervisor *supervisor, const char *binary)
{
    struct upgrade *upgrade = state_of(supervisor);
    char *const *argv = supervisor->options->argv;
    if (upgrade == NULL)
        return "out of memory";
    if (argv == NULL || supervisor->stopping)
        return "only a host that `edge serve` runs can be upgraded";
    if (upgrade->rehearsal != 0 || !supervisor->announced)
        return "an upgrade is under way";
    snprintf(
        upgrade->binary, sizeof upgrade->binary, "%s", binary != NULL ? binary : supervisor->options->binary);
    if (access(upgrade->binary, X_OK) < 0)
        return "the binary is not there, or may not be executed";

    size_t count = 0;
    while (argv[count] != NULL)
        count++;
    char **arguments = calloc(count + 2, sizeof *arguments);
    if (arguments == NULL)
        return "out of memory";
    memcpy(arguments, argv, count * sizeof *arguments);
    arguments[count] = (char *)(uintptr_t) "--check";
    log_flush();
    pid_t child = fork();
    if (child == 0) {
        workers_forget(supervisor);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGCHLD, SIG_DFL);
        execv(upgrade->binary, arguments);
        _exit(127);
    }
    free(arguments);
    if (child < 0)
        return "no process for the rehearsal";
    upgrade->rehearsal = child;
    log_event(EDGE_LOG_INFO, "upgrade_rehearsed", { "binary", edge_text(upgrade->binary) },
        { "pid", edge_int(child) });
    return NULL;
}

/* --- the step --- */

static void keep_open(int fd)
{
    fcntl(fd, F_SETFD, 0);
}

static void add(char *text, size_t size, const char *more)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s", more);
}

static void hand_over(struct supervisor *supervisor, int own_file)
{
    struct upgrade *upgrade = supervisor->upgrade;
    char text[16384], one[64];
    keep_open(supervisor->listener.fd);
    if (own_file >= 0)
        keep_open(own_file);
    snprintf(text, sizeof text, "%d %d %s", supervisor->listener.fd, own_file, supervisor->listener.address);
    for (int i = 0; i < supervisor->slots->count; i++) {
        const struct process *process = &supervisor->processes[i];
        if (process->state == PROCESS_NONE)
            continue;
        keep_open(process->control_fd);
        snprintf(one, sizeof one, " %d:%d", (int)process->pid, process->control_fd);
        add(text, sizeof text, one);
    }
    for (const struct former *former = upgrade->formers; former != NULL; former = former->next) {
        keep_open(former->control_fd);
        snprintf(one, sizeof one, " %d:%d", (int)former->pid, former->control_fd);
        add(text, sizeof text, one);
    }
    setenv(HANDOVER, text, 1);
}

/* Signals stay blocked, and pending, until the next binary has handlers for them. */
static void step(struct supervisor *supervisor)
{
    struct upgrade *upgrade = supervisor->upgrade;
    sigset_t all, before;
    int own_file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    notify_reloading(supervisor);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    hand_over(supervisor, own_file);
    commands_close(supervisor);
    log_event(EDGE_LOG_INFO, "upgrading", { "binary", edge_text(upgrade->binary) });
    log_flush();
    execv(upgrade->binary, supervisor->options->argv);
    int error = errno;
    unsetenv(HANDOVER);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (own_file >= 0)
        close(own_file);
    commands_open(supervisor);
    notify_ready(supervisor);
    log_event(EDGE_LOG_ERROR, "upgrade_failed", { "binary", edge_text(upgrade->binary) },
        { "reason", edge_text(strerror(error)) });
}

void upgrade_return(struct supervisor *supervisor)
{
    struct upgrade *upgrade = supervisor->upgrade;
    if (upgrade == NULL || upgrade->binary_before < 0 || upgrade->formers == NULL || upgrade->returned)
        return;
    upgrade->returned = true;
    log_event(EDGE_LOG_ERROR, "upgrade_failed",
        { "reason", edge_text("its workers cannot start; the binary before serves on") });
    log_flush();
    workers_kill(supervisor);
    hand_over(supervisor, -1);
    commands_close(supervisor);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    fexecve(upgrade->binary_before, supervisor->options->argv, environ);
}

static void former_reap(struct upgrade *upgrade)
{
    struct former **at = &upgrade->formers;
    while (*at != NULL) {
        struct former *former = *at;
        int status;
        pid_t ended = waitpid(former->pid, &status, WNOHANG);
        if (ended == 0) {
            at = &former->next;
            continue;
        }
        close(former->control_fd);
        *at = former->next;
        free(former);
    }
}

void upgrade_reap(struct supervisor *supervisor)
{
    struct upgrade *upgrade = supervisor->upgrade;
    int status;
    if (upgrade == NULL)
        return;
    former_reap(upgrade);
    if (upgrade->rehearsal == 0 || waitpid(upgrade->rehearsal, &status, WNOHANG) != upgrade->rehearsal)
        return;
    upgrade->rehearsal = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && !supervisor->stopping) {
        step(supervisor);
        return;
    }
    log_event(EDGE_LOG_ERROR, "upgrade_refused", { "binary", edge_text(upgrade->binary) },
        { "exitStatus", WIFEXITED(status) ? edge_int(WEXITSTATUS(status)) : edge_null() },
        { "signal", WIFSIGNALED(status) ? edge_text(sigabbrev_np(WTERMSIG(status))) : edge_null() });
}

/* --- the next binary --- */

static void take_former(struct upgrade *upgrade, const char *text)
{
    struct former *former = calloc(1, sizeof *former);
    if (former == NULL)
        return;
    former->pid = (pid_t)strtol(text, NULL, 10);
    const char *colon = strchr(text, ':');
    former->control_fd = colon != NULL ? (int)strtol(colon + 1, NULL, 10) : -1;
    fcntl(former->control_fd, F_SETFD, FD_CLOEXEC);
    former->next = upgrade->formers;
    upgrade->formers = former;
}

bool upgrade_take_over(struct supervisor *supervisor)
{
    const char *given = getenv(HANDOVER);
    struct upgrade *upgrade = given != NULL ? state_of(supervisor) : NULL;
    if (upgrade == NULL)
        return false;
    char *text = strdup(given), *at = text, *word = NULL;
    unsetenv(HANDOVER);
    for (int i = 0; text != NULL && (word = strsep(&at, " ")) != NULL; i++) {
        if (i == 0)
            supervisor->listener.fd = (int)strtol(word, NULL, 10);
        else if (i == 1)
            upgrade->binary_before = (int)strtol(word, NULL, 10);
        else if (i == 2)
            snprintf(supervisor->listener.address, sizeof supervisor->listener.address, "%s", word);
        else
            take_former(upgrade, word);
    }
    free(text);
    fcntl(supervisor->listener.fd, F_SETFD, FD_CLOEXEC);
    if (upgrade->binary_before >= 0)
        fcntl(upgrade->binary_before, F_SETFD, FD_CLOEXEC);
    return true;
}

void upgrade_dismiss(struct supervisor *supervisor)
{
    struct upgrade *upgrade = supervisor->upgrade;
    if (upgrade == NULL)
        return;
    if (upgrade->formers != NULL)
        log_event(EDGE_LOG_INFO, "upgraded", { "pid", edge_int(getpid()) });
    for (const struct former *former = upgrade->formers; former != NULL; former = former->next)
        if (control_send(former->control_fd, supervisor->stopping ? CONTROL_DRAIN : CONTROL_LEAVE) < 0)
            kill(former->pid, SIGTERM);
    if (upgrade->binary_before >= 0)
        close(upgrade->binary_before);
    upgrade->binary_before = -1;
}

bool upgrade_leaving(const struct supervisor *supervisor)
{
    return supervisor->upgrade != NULL && supervisor->upgrade->formers != NULL;
}

void upgrade_kill(const struct supervisor *supervisor)
{
    const struct former *former = supervisor->upgrade != NULL ? supervisor->upgrade->formers : NULL;
    for (; former != NULL; former = former->next)
        kill(former->pid, SIGKILL);
}

void upgrade_close(struct supervisor *supervisor)
{
    struct upgrade *upgrade = supervisor->upgrade;
    if (upgrade == NULL)
        return;
    if (upgrade->rehearsal != 0)
        kill(upgrade->rehearsal, SIGKILL);
    while (upgrade->formers != NULL) {
        struct former *former = upgrade->formers;
        upgrade->formers = former->next;
        close(former->control_fd);
        free(former);
    }
    free(upgrade);
    supervisor->upgrade = NULL;
}
