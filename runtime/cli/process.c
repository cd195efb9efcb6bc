/*
 * Child processes; see process.h.
 */
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_NOT_STARTED = 127,
    POLL_MS = 5
};

int64_t process_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

void process_sleep_ms(int64_t milliseconds)
{
    nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000 }, NULL);
}

static bool become(const char *user)
{
    const struct passwd *entry = getpwnam(user);
    return entry != NULL && initgroups(user, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 &&
           setuid(entry->pw_uid) == 0;
}

__attribute__((noreturn)) static void child(const struct process_start *start, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);

    if (start->own_session)
        setsid();
    if (start->output >= 0)
        dup2(start->output, STDOUT_FILENO);
    if (start->error >= 0)
        dup2(start->error, STDERR_FILENO);
    if (start->keep >= 0)
        fcntl(start->keep, F_SETFD, 0);
    /* Our directory may be closed to that user. */
    if (start->user != NULL && (!become(start->user) || chdir("/") != 0))
        _exit(EXIT_NOT_STARTED);

    /* After the change of user, which clears it; and we may have died already. */
    prctl(PR_SET_PDEATHSIG, start->death_signal);
    if (start->death_signal != 0 && getppid() != parent)
        _exit(EXIT_NOT_STARTED);
    execv(start->arguments[0], start->arguments);
    fprintf(stderr, "%s: %s\n", start->arguments[0], strerror(errno));
    _exit(EXIT_NOT_STARTED);
}

pid_t process_start(const struct process_start *start)
{
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(start, parent);
    return pid < 0 ? -errno : pid;
}

int process_wait(pid_t pid, int64_t timeout_ms, int *status)
{
    int64_t end = process_clock_ms() + timeout_ms;
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);
        if (ended == pid || (ended < 0 && errno != EINTR))
            return 0;
        if (process_clock_ms() >= end)
            return -ETIMEDOUT;
        process_sleep_ms(POLL_MS);
    }
}
