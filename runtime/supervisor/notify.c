/*
 * notify: datagrams to a service manager; see notify.h.
 */
#include "supervisor/notify.h"

#include "supervisor/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A socket of its own each time: it is rare, and nothing has to be kept out of children or over an upgrade. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = path != NULL ? strlen(path) : 0;
    if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') /* of the abstract namespace */
        address.sun_path[0] = '\0';

    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address,
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    close(fd);
}

void notify_ready(struct supervisor *supervisor)
{
    char text[sizeof supervisor->listener.address + 64];
    snprintf(text, sizeof text, "READY=1\nSTATUS=%d workers serve at %s", supervisor->wanted,
        supervisor->listener.address);
    supervisor->reloading_told = false;
    notify(text);
}

/* systemd 253 and later tell by the time which of several reloads has ended. */
void notify_reloading(struct supervisor *supervisor)
{
    char text[128];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
        (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    supervisor->reloading_told = true;
    notify(text);
}

void notify_reloaded(struct supervisor *supervisor)
{
    if (supervisor->reloading_told)
        notify_ready(supervisor);
}

void notify_stopping(const struct supervisor *supervisor)
{
    if (supervisor->options->check)
        return;
    notify("STOPPING=1\nSTATUS=Draining");
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    notify("WATCHDOG=1");
}

void notify_watchdog_start(struct supervisor *supervisor)
{
    const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    double seconds = interval != NULL ? strtod(interval, NULL) / 1e6 : 0;
    bool wanted = seconds > 0 && !supervisor->options->check && (pid == NULL || atol(pid) == (long)getpid());
    ev_timer_init(&supervisor->manager_watchdog, on_tick, 0, seconds / 2);
    if (wanted)
        ev_timer_again(supervisor->loop, &supervisor->manager_watchdog);
}

void notify_watchdog_stop(struct supervisor *supervisor)
{
    ev_timer_stop(supervisor->loop, &supervisor->manager_watchdog);
}
