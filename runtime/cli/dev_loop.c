/*
 * What `edge dev` waits for: signals and ended children, keys, the host's log, sources that change, the build.
 */
#include "cli/command.h"
#include "cli/dev.h"
#include "cli/keys.h"
#include "cli/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POSTGRES_RESTART_MS = 5000,
    SETTLE_MS = 10 /* an editor's several writes are one change */
};

enum source {
    SOURCE_SIGNALS,
    SOURCE_TERMINAL,
    SOURCE_LOG,
    SOURCE_FILES,
    SOURCE_BUILD,
    SOURCE_COUNT
};

static bool has_ended(pid_t *pid, int *status)
{
    if (*pid <= 0 || waitpid(*pid, status, WNOHANG) != *pid)
        return false;
    *pid = 0;
    return true;
}

/* A child may have ended. The host's end is ours, and a debugger's; the database's is mended. -1 to go on. */
static int child_ended(struct dev *dev)
{
    int status;
    if (has_ended(&dev->host.pid, &status))
        return failure("the host has ended");
    if (has_ended(&dev->debugger, &status))
        return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? failure("gdb cannot be started") : STATUS_DONE;
    if (!dev->database.embedded || !has_ended(&dev->database.postgres.pid, &status))
        return -1;

    bool again = process_clock_ms() - dev->database_started_ms > POSTGRES_RESTART_MS;
    failure(again ? "Postgres has ended and is started again" : "Postgres ends as soon as it has started");
    dev->database_started_ms = process_clock_ms();
    return again && postgres_start(&dev->database.postgres) ? -1 : STATUS_FAILED;
}

/* Ctrl-Z: the shell gets the terminal as it was. The host stops with us, being of our process group. */
static void suspend(struct dev *dev)
{
    keys_restore();
    dev->keys = false;
    raise(SIGSTOP);
}

static int on_signals(struct dev *dev)
{
    struct signalfd_siginfo info;
    int status = -1;
    while (status < 0 && read(dev->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            status = child_ended(dev);
        else if (info.ssi_signo == SIGTSTP)
            suspend(dev);
        else if (info.ssi_signo == SIGCONT)
            dev->keys = keys_open();
        else if (info.ssi_signo != SIGINT || dev->debugger == 0) /* Ctrl-C is for the debugger */
            status = STATUS_DONE;
    }
    return status;
}

static int on_terminal(struct dev *dev)
{
    char keys[64];
    ssize_t length = read(STDIN_FILENO, keys, sizeof keys);
    dev->keys = length > 0; /* at its end nobody will press more */
    for (ssize_t i = 0; i < length; i++)
        if (!dev_key(dev, keys[i]))
            return STATUS_DONE;
    return -1;
}

static int on_log(struct dev *dev)
{
    char bytes[16 * 1024];
    ssize_t length = read(dev->host.log, bytes, sizeof bytes);
    if (length > 0) {
        dev_log_add(&dev->log, bytes, (size_t)length);
    } else if (length == 0) {
        close(dev->host.log);
        dev->host.log = -1;
    }
    return -1;
}

static int on_files(struct dev *dev)
{
    if (dev_sources_changed(&dev->sources)) {
        dev->changed_ms = process_clock_ms();
        dev->log.saved_ms = dev->changed_ms;
    }
    return -1;
}

static int on_build(struct dev *dev)
{
    if (dev_build_read(&dev->build))
        dev_build_done(dev);
    return -1;
}

/* Milliseconds until what has changed may be built; -1: nothing is to be done. */
static int settles_in(const struct dev *dev)
{
    if (dev->changed_ms == 0 || dev->build.pid != 0)
        return -1;
    int64_t left = dev->changed_ms + SETTLE_MS - process_clock_ms();
    return left > 0 ? (int)left : 0;
}

int dev_loop(struct dev *dev)
{
    static int (*const handlers[SOURCE_COUNT])(struct dev *) = {
        [SOURCE_SIGNALS] = on_signals,
        [SOURCE_TERMINAL] = on_terminal,
        [SOURCE_LOG] = on_log,
        [SOURCE_FILES] = on_files,
        [SOURCE_BUILD] = on_build,
    };
    for (;;) {
        struct pollfd sources[SOURCE_COUNT] = {
            [SOURCE_SIGNALS] = { .fd = dev->signals, .events = POLLIN },
            [SOURCE_TERMINAL] = { .fd = dev->keys ? STDIN_FILENO : -1, .events = POLLIN },
            [SOURCE_LOG] = { .fd = dev->host.log, .events = POLLIN },
            [SOURCE_FILES] = { .fd = dev->sources.fd, .events = POLLIN },
            [SOURCE_BUILD] = { .fd = dev->build.output, .events = POLLIN },
        };
        if (poll(sources, SOURCE_COUNT, settles_in(dev)) < 0 && errno != EINTR)
            return STATUS_FAILED;
        for (int i = 0; i < SOURCE_COUNT; i++) {
            int status = sources[i].revents != 0 ? handlers[i](dev) : -1;
            if (status >= 0)
                return status;
        }
        if (settles_in(dev) == 0)
            dev_build_begin(dev);
    }
}
