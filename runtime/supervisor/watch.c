/*
 * watch: inotify(7) and a look a second; see watch.h.
 */
#include "supervisor/watch.h"

#include "config/config.h"
#include "supervisor/deployment.h"
#include "supervisor/reload.h"
#include "supervisor/workers.h"

#include <errno.h>
#include <ev.h>
#include <log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_SECONDS 1.0
#define SETTLE_SECONDS 0.005 /* an editor's and a build's several events are one change */

struct watch {
    struct supervisor *supervisor;
    int fd, plugins, config; /* inotify, and its watches; -1: none */
    char plugins_path[STORE_PATH_BYTES], config_path[STORE_PATH_BYTES];
    ev_io events;
    ev_timer look, settle;
    uint64_t unsettled; /* mark of files that differed at the last look, and may still be written to */
};

/* Closed behind writing, put in place by a rename, or linked. */
static const uint32_t EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR;

static void ask(struct watch *watch)
{
    reload_ask(watch->supervisor, &(struct reload_request){ .kind = RELOAD_CHANGED, .cause = "file" });
}

static void on_settled(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    ev_timer_stop(loop, timer);
    ask(timer->data);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A plain file that has been created is about to be written; its closing is what counts. A link is whole. */
static bool is_link(const struct watch *watch, const struct inotify_event *event)
{
    char path[2 * STORE_PATH_BYTES];
    struct stat status;
    const char *place = event->wd == watch->plugins ? watch->plugins_path : watch->config_path;
    snprintf(path, sizeof path, "%s/%s", place, event->name);
    return lstat(path, &status) == 0 && (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

static bool concerns(const struct watch *watch, const struct inotify_event *event)
{
    if (event->len == 0 || ((event->mask & IN_CREATE) != 0 && !is_link(watch, event)))
        return false;
    const char *slash = strrchr(watch->supervisor->deployment->config->path, '/');
    const char *config = slash != NULL ? slash + 1 : watch->supervisor->deployment->config->path;
    return ends_with(event->name, ".so") || strcmp(event->name, config) == 0;
}

static void on_events(struct ev_loop *loop, ev_io *watcher, int mask)
{
    (void)mask;
    struct watch *watch = watcher->data;
    char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length;
    bool concerned = false;
    while ((length = read(watcher->fd, buffer, sizeof buffer)) > 0) {
        const struct inotify_event *event;
        for (char *at = buffer; at < buffer + length; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)(const void *)at;
            concerned = concerned || concerns(watch, event) || (event->mask & IN_Q_OVERFLOW) != 0;
        }
    }
    if (!concerned || ev_is_active(&watch->settle))
        return;
    ev_timer_set(&watch->settle, SETTLE_SECONDS, 0);
    ev_timer_start(loop, &watch->settle);
}

/* --- once a second --- */

static void mix(uint64_t *mark, const struct signature *signature)
{
    const unsigned char *bytes = (const unsigned char *)signature;
    for (size_t i = 0; i < sizeof *signature; i++)
        *mark = (*mark ^ bytes[i]) * UINT64_C(1099511628211);
}

/* A mark of all files that are not as they were at the last reload; 0: all are. */
static uint64_t differences(const struct watch *watch)
{
    const struct supervisor *supervisor = watch->supervisor;
    const struct deployment *deployment = supervisor->deployment;
    const struct config *config = deployment->config;
    uint64_t mark = UINT64_C(14695981039346656037);
    bool any = false;
    struct signature now = signature_of(config->path);
    if (!signature_equal(&now, &deployment->config_seen)) {
        any = true;
        mix(&mark, &now);
    }
    for (size_t i = 0; i < config->function_count; i++) {
        char path[STORE_PATH_BYTES];
        int index = registry_find(supervisor->registry, config->functions[i].name);
        if (index < 0 || !deployment_wants(&config->functions[i], supervisor->options->sandbox))
            continue;
        deployment_plugin_path(config, &config->functions[i], path, sizeof path);
        now = signature_of(path);
        if (signature_equal(&now, &deployment->functions[index].seen))
            continue;
        any = true;
        mix(&mark, &now);
    }
    return any ? mark : 0;
}

/* What differs in the same way at two looks is not being written to. */
static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct watch *watch = timer->data;
    watch_follow(watch->supervisor);
    uint64_t mark = differences(watch);
    if (mark != 0 && mark == watch->unsettled)
        ask(watch);
    watch->unsettled = mark;
}

/* --- what is watched --- */

static void watch_directory(
    struct watch *watch, int *descriptor, char place[STORE_PATH_BYTES], const char *path)
{
    /* A path that leads elsewhere, or to a directory made anew, gets another descriptor. */
    int now = inotify_add_watch(watch->fd, path, EVENTS);
    if (*descriptor >= 0 && now != *descriptor && *descriptor != watch->plugins)
        inotify_rm_watch(watch->fd, *descriptor);
    *descriptor = now;
    snprintf(place, STORE_PATH_BYTES, "%s", path);
}

void watch_follow(struct supervisor *supervisor)
{
    struct watch *watch = supervisor->watch;
    if (watch == NULL || watch->fd < 0)
        return;
    const struct config *config = supervisor->deployment->config;
    char directory[STORE_PATH_BYTES];
    snprintf(directory, sizeof directory, "%s", config->path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[slash == directory] = '\0';
    else
        snprintf(directory, sizeof directory, ".");
    watch_directory(watch, &watch->config, watch->config_path, directory);
    watch_directory(watch, &watch->plugins, watch->plugins_path, config->server.plugins);
}

int watch_open(struct supervisor *supervisor)
{
    if (!supervisor->config->server.watch || supervisor->config->path == NULL ||
        supervisor->options->worker != NULL)
        return 0;
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return -ENOMEM;
    supervisor->watch = watch;
    *watch = (struct watch){ .supervisor = supervisor, .plugins = -1, .config = -1 };
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ev_timer_init(&watch->look, on_look, LOOK_SECONDS, LOOK_SECONDS);
    ev_init(&watch->settle, on_settled);
    watch->look.data = watch->settle.data = watch->events.data = watch;
    ev_timer_start(supervisor->loop, &watch->look);
    if (watch->fd < 0) {
        log_event(EDGE_LOG_WARN, "watching_slowly", { "reason", edge_text(strerror(errno)) });
        return 0;
    }
    ev_io_init(&watch->events, on_events, watch->fd, EV_READ);
    watch->events.data = watch;
    ev_io_start(supervisor->loop, &watch->events);
    watch_follow(supervisor);
    return 0;
}

void watch_close(struct supervisor *supervisor)
{
    struct watch *watch = supervisor->watch;
    if (watch == NULL)
        return;
    ev_timer_stop(supervisor->loop, &watch->look);
    ev_timer_stop(supervisor->loop, &watch->settle);
    if (watch->fd >= 0) {
        ev_io_stop(supervisor->loop, &watch->events);
        close(watch->fd);
    }
    free(watch);
    supervisor->watch = NULL;
}
