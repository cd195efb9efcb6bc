/*
 * reload: the part that workers have in a transaction: they prepare and follow, or others take their place.
 */
#include "supervisor/reload_private.h"

#include "config/config.h"
#include "supervisor/control.h"

#include <errno.h>
#include <log.h>
#include <string.h>

#define PREPARE_SECONDS 5.0 /* beyond a function's cpu_limit, which a worker may be busy for */
#define START_SECONDS 60.0

/* --- prepare --- */

static bool serves(const struct process *process)
{
    return process->state == PROCESS_READY || process->state == PROCESS_WAITING;
}

static void flip(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    atomic_store_explicit(&supervisor->registry->revision, reload->number, memory_order_release);
    for (int i = 0; i < supervisor->slots->count; i++) {
        struct process *process = &supervisor->processes[i];
        if (serves(process) && process->revision == reload->number)
            control_say(process->control_fd, CONTROL_FOLLOW, reload->number, NULL);
    }
    reload_take_over(reload);
    reload_finish(reload);
}

static void ask(struct process *process, uint64_t number, const char *manifest)
{
    process->asked = control_say(process->control_fd, CONTROL_PREPARE, number, manifest) == 0;
}

static void flip_when_all_have(struct reload *reload)
{
    const struct supervisor *supervisor = reload->supervisor;
    for (int i = 0; i < supervisor->slots->count; i++) {
        const struct process *process = &supervisor->processes[i];
        if (serves(process) && process->revision != reload->number)
            return;
    }
    flip(reload);
}

/* Workers forget what they have prepared. */
static void abandon(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    for (int i = 0; i < supervisor->slots->count; i++) {
        if (!serves(&supervisor->processes[i]))
            continue;
        supervisor->processes[i].asked = false;
        control_say(supervisor->processes[i].control_fd, CONTROL_ABANDON, reload->number, NULL);
    }
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct reload *reload = timer->data;
    struct supervisor *supervisor = reload->supervisor;
    abandon(reload);
    if (reload->state == RELOAD_REPLACE) {
        workers_send_away(supervisor);
        reload_give_up(reload, "the workers that were to take over did not start in time");
    } else {
        reload_give_up(reload, "a worker did not load it in time");
    }
}

static void limit(struct reload *reload, double seconds)
{
    ev_timer_stop(reload->supervisor->loop, &reload->limit);
    ev_set_cb(&reload->limit, on_limit);
    ev_timer_set(&reload->limit, seconds, 0);
    ev_timer_start(reload->supervisor->loop, &reload->limit);
}

void reload_prepare(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    reload->state = RELOAD_PREPARE;
    limit(reload, PREPARE_SECONDS + (double)supervisor->config->server.cpu_limit_ms / 1000);
    for (int i = 0; i < supervisor->slots->count; i++)
        if (serves(&supervisor->processes[i]))
            ask(&supervisor->processes[i], reload->number, reload->manifest);
    flip_when_all_have(reload);
}

/* --- replace --- */

static int wanted_workers(const struct supervisor *supervisor, const struct config *config)
{
    if (supervisor->options->workers > 0 || config->server.workers == 0)
        return supervisor->wanted;
    return config->server.workers;
}

/*
 * New workers are forked from what is to be served, so it is taken over before they are; if they cannot start,
 * it is put back.
 */
void reload_replace(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    int count = wanted_workers(supervisor, reload->config);
    struct listener listener = supervisor->listener;
    struct deployment *deployment = supervisor->deployment;
    const struct config *config = deployment->config;
    char manifest[STORE_PATH_BYTES];
    uint64_t number = deployment->number;
    reload->state = RELOAD_REPLACE;
    limit(reload, START_SECONDS);
    memcpy(manifest, deployment->manifest, sizeof manifest);
    memcpy(deployment->manifest, reload->manifest, sizeof manifest);
    deployment->number = reload->number;
    supervisor->config = deployment->config = reload->config;
    if (reload->listener.fd >= 0)
        supervisor->listener = reload->listener;
    int result = workers_bring(supervisor, count);
    supervisor->config = deployment->config = config;
    supervisor->listener = listener;
    deployment->number = number;
    memcpy(deployment->manifest, manifest, sizeof manifest);
    if (result == 0)
        return;
    workers_send_away(supervisor);
    reload_give_up(reload, result == -EAGAIN ? "too many workers are still leaving: try again in a moment"
                                             : "workers could not be started");
}

static void change_over_when_all_wait(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    for (int i = 0; i < supervisor->slots->count; i++)
        if (supervisor->processes[i].incoming && supervisor->processes[i].state != PROCESS_WAITING)
            return;
    atomic_store_explicit(&supervisor->registry->revision, reload->number, memory_order_release);
    supervisor->wanted = wanted_workers(supervisor, reload->config);
    workers_change_over(supervisor);
    if (reload->listener.fd >= 0) {
        listen_close(&supervisor->listener);
        supervisor->listener = reload->listener;
        reload->listener.fd = -1;
    }
    reload_take_over(reload);
    reload_finish(reload);
}

/* --- what workers say --- */

/*
 * A worker that was started before a revision, and is ready behind it, loads that first: it has accepted
 * nothing yet.
 */
void reload_worker_ready(struct process *process, const struct control_message *message)
{
    struct reload *reload = process->supervisor->reload;
    const struct deployment *deployment = process->supervisor->deployment;
    process->revision = message->number;
    if (process->incoming) {
        if (reload->state == RELOAD_REPLACE)
            change_over_when_all_wait(reload);
    } else if (message->number != 0 && message->number != deployment->number) {
        ask(process, deployment->number, deployment->manifest);
    } else {
        worker_go(process);
        if (reload->state == RELOAD_PREPARE)
            ask(process, reload->number, reload->manifest);
    }
}

static void prepared(struct process *process, uint64_t number)
{
    struct reload *reload = process->supervisor->reload;
    process->revision = number;
    if (process->state == PROCESS_WAITING && !process->incoming) {
        control_say(process->control_fd, CONTROL_FOLLOW, number, NULL);
        reload_worker_ready(process, &(struct control_message){ .number = number });
        return;
    }
    if (reload->state == RELOAD_PREPARE && number == reload->number)
        flip_when_all_have(reload);
}

void reload_worker_said(struct process *process, const struct control_message *message)
{
    struct supervisor *supervisor = process->supervisor;
    struct reload *reload = supervisor->reload;
    if (!process->asked)
        return;
    process->asked = false;
    if (message->kind == CONTROL_PREPARED) {
        prepared(process, message->number);
    } else if (reload->state == RELOAD_PREPARE && message->number == reload->number) {
        abandon(reload);
        reload_give_up(reload, message->text);
    } else if (process->state == PROCESS_WAITING) {
        control_send(process->control_fd, CONTROL_DRAIN); /* another is started, from what is served now */
    }
}

void reload_worker_gone(struct process *process, bool by_function)
{
    struct supervisor *supervisor = process->supervisor;
    struct reload *reload = supervisor->reload;
    bool asked = process->asked;
    process->asked = false;
    if (reload->state == RELOAD_REPLACE && process->incoming) {
        workers_send_away(supervisor);
        reload_give_up(reload, "a worker could not start with it; its log lines say why");
    } else if (reload->state == RELOAD_PREPARE && asked && !by_function) {
        abandon(reload);
        reload_give_up(reload, "a worker ended while it loaded it");
    } else if (reload->state == RELOAD_PREPARE) {
        flip_when_all_have(reload);
    }
}
