/*
 * reload: a transaction up to the gate's answer; see reload.h.
 */
#include "supervisor/reload_private.h"

#include "config/compare.h"
#include "config/config.h"
#include "supervisor/breaker.h"
#include "supervisor/control.h"
#include "supervisor/notify.h"
#include "supervisor/watch.h"
#include "worker/memory_limit.h"

#include <context.h>
#include <errno.h>
#include <log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct function_record *record_of(void *arg, int index)
{
    const struct reload *reload = arg;
    for (size_t i = 0; i < reload->change_count; i++)
        if (reload->changes[i].accepted && reload->changes[i].index == index)
            return &reload->changes[i].after;
    return &reload->supervisor->deployment->functions[index];
}

static bool anything_accepted(const struct reload *reload)
{
    bool any = reload->config != NULL;
    for (size_t i = 0; i < reload->change_count; i++)
        any = any || reload->changes[i].accepted;
    return any;
}

static void serve(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    struct deployment *deployment = supervisor->deployment;
    struct store_error error = { "" };
    bool first = deployment->number == 0;
    if (!first && !anything_accepted(reload))
        return reload_finish(reload);
    if (supervisor->options->check) {
        bool refused = json_array_size(json_object_get(reload->report, "refused")) > 0;
        reload_finish(reload);
        supervisor_stop(supervisor, refused ? 1 : 0);
        return;
    }
    const char *config_file = reload->config != NULL ? reload->config_file : deployment->config_file;
    reload->number = deployment->number + 1;
    if (supervisor->store.directory[0] != '\0' &&
        deployment_write_manifest(&supervisor->store, reload->number, reload_config(reload), config_file,
            supervisor->registry, record_of, reload, reload->manifest, &error) < 0) {
        reload_give_up(reload, error.text);
        if (first)
            supervisor_stop(supervisor, 1);
        return;
    }
    if (first) {
        atomic_store(&supervisor->registry->revision, reload->number);
        reload_take_over(reload);
        workers_fill(supervisor);
        reload_finish(reload);
    } else if (reload->config != NULL && !config_same_ground(reload->config, deployment->config)) {
        reload_replace(reload);
    } else {
        reload_prepare(reload);
    }
}

static void on_decided(void *arg)
{
    struct reload *reload = arg;
    struct deployment *deployment = reload->supervisor->deployment;
    reload->gated_us = clock_us();
    size_t next = 0;
    for (size_t i = 0; i < reload->change_count; i++) {
        struct change *change = &reload->changes[i];
        struct function_record *record = &deployment->functions[change->index];
        if (!change->gated) {
            change->accepted = true;
            continue;
        }
        const struct candidate *candidate = &reload->candidates[next++];
        change->accepted = candidate->accepted;
        if (!change->accepted) {
            record_problem(record, candidate->reason, change->after.since_us);
            memcpy(record->refused, change->build.hash, sizeof record->refused);
            report_refusal(reload, change->function->name, candidate->id, candidate->reason);
            continue;
        }
        bool canary = strcmp(change->after.serving.hash, change->build.hash) != 0;
        struct build *build = canary ? &change->after.canary : &change->after.serving;
        memcpy(build->id, candidate->id, sizeof build->id);
        memcpy(change->build.id, candidate->id, sizeof build->id);
        if (candidate->reason[0] != '\0')
            log_event(EDGE_LOG_WARN, "generation_unchecked", { "function", edge_text(change->function->name) },
                { "reason", edge_text(candidate->reason) });
    }
    serve(reload);
}

static void forget_supervisor_in_gate(void *arg)
{
    const struct reload *reload = arg;
    const struct server_config *server = &reload_config(reload)->server;
    workers_forget(reload->supervisor);
    memory_limit_start(memory_share(server->worker_memory_bytes, reload->supervisor->wanted));
}

static void gate(struct reload *reload)
{
    size_t count = 0;
    reload->candidates = calloc(reload->change_count + 1, sizeof *reload->candidates);
    if (reload->candidates == NULL)
        return reload_give_up(reload, "out of memory");
    for (size_t i = 0; i < reload->change_count; i++) {
        const struct change *change = &reload->changes[i];
        if (change->gated)
            reload->candidates[count++] = (struct candidate){
                .name = change->function->plugin,
                .file = change->build.file,
                .shown = change->path,
            };
    }
    if (reload->supervisor->announced)
        notify_reloading(reload->supervisor);
    const struct config *config = reload_config(reload);
    reload->state = RELOAD_GATE;
    reload->gate = (struct gate){
        .loop = reload->supervisor->loop,
        .database_url = config->database.url,
        .seconds = (double)config->server.gate_timeout_ms / 1000,
        .in_child = forget_supervisor_in_gate,
        .decided = on_decided,
        .arg = reload,
        .candidates = reload->candidates,
        .count = count,
    };
    gate_start(&reload->gate);
}

static void begin(struct reload *reload)
{
    reload->begun_us = clock_us();
    reload->report = json_pack("{s:[], s:[], s:s}", "changed", "refused", "configuration", "unchanged");
    bool first = reload->supervisor->deployment->number == 0;
    if (reload_look(reload) || first)
        gate(reload);
    else
        reload_finish(reload);
}

void reload_begin_next(struct reload *reload)
{
    struct waiter *waiter = reload->queue;
    if (waiter == NULL || reload->state != RELOAD_IDLE || reload->supervisor->stopping)
        return;
    reload->queue = waiter->next;
    reload->request = waiter->request;
    memcpy(reload->function, waiter->function, sizeof reload->function);
    free(waiter);
    begin(reload);
}

/* Files that change while a transaction runs are one look behind it. */
static bool is_waiting(const struct reload *reload)
{
    for (const struct waiter *waiter = reload->queue; waiter != NULL; waiter = waiter->next)
        if (waiter->request.kind == RELOAD_CHANGED && waiter->request.done == NULL)
            return true;
    return false;
}

void reload_ask(struct supervisor *supervisor, const struct reload_request *request)
{
    struct reload *reload = supervisor->reload;
    if (request->kind == RELOAD_CHANGED && request->done == NULL && is_waiting(reload))
        return;
    struct waiter *waiter = calloc(1, sizeof *waiter), **end = &reload->queue;
    if (waiter == NULL)
        return;
    waiter->request = *request;
    snprintf(
        waiter->function, sizeof waiter->function, "%s", request->function != NULL ? request->function : "");
    while (*end != NULL)
        end = &(*end)->next;
    *end = waiter;
    reload_begin_next(reload);
}

void reload_reap(struct supervisor *supervisor)
{
    if (supervisor->reload != NULL && supervisor->reload->state == RELOAD_GATE)
        gate_reap(&supervisor->reload->gate);
}

int reload_open(struct supervisor *supervisor)
{
    struct store_error error;
    const struct server_config *server = &supervisor->config->server;
    supervisor->reload = calloc(1, sizeof *supervisor->reload);
    supervisor->deployment = calloc(1, sizeof *supervisor->deployment);
    if (supervisor->reload == NULL || supervisor->deployment == NULL)
        return -ENOMEM;
    supervisor->deployment->config = supervisor->config;
    supervisor->reload->supervisor = supervisor;
    supervisor->reload->listener.fd = -1;
    ev_init(&supervisor->reload->limit, NULL);
    supervisor->reload->limit.data = supervisor->reload;
    if (supervisor->options->worker != NULL)
        return 0; /* it loads nothing */
    int result = store_open(&supervisor->store, server->spool, server->plugins, &error);
    if (result < 0)
        fprintf(stderr, "edge: %s\n", error.text);
    return result;
}

void reload_close(struct supervisor *supervisor)
{
    struct reload *reload = supervisor->reload;
    if (reload != NULL) {
        if (reload->state == RELOAD_GATE)
            gate_cancel(&reload->gate);
        while (reload->queue != NULL) {
            struct waiter *waiter = reload->queue;
            reload->queue = waiter->next;
            free(waiter);
        }
        reload_clear_up(reload);
        json_decref(reload->report);
        free(reload->changes);
        free(reload);
    }
    if (supervisor->deployment != NULL)
        config_free(supervisor->deployment->owned);
    free(supervisor->deployment);
    store_close(&supervisor->store);
    supervisor->reload = NULL;
    supervisor->deployment = NULL;
}
