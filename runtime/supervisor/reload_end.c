/*
 * reload: how a transaction ends: taken over, or as if it had never been.
 */
#include "supervisor/reload_private.h"

#include "config/config.h"
#include "supervisor/breaker.h"
#include "supervisor/notify.h"
#include "supervisor/watch.h"

#include <log.h>
#include <stdlib.h>
#include <string.h>

static void answer(struct reload *reload)
{
    if (reload->request.done != NULL)
        reload->request.done(reload->request.arg, reload->report);
    json_decref(reload->report);
    reload->report = NULL;
}

/* A copy that is in no record is opened by nobody any more. */
static bool in_use(const struct deployment *deployment, const struct build *build)
{
    for (int i = 0; i < REGISTRY_MAX; i++) {
        const struct function_record *record = &deployment->functions[i];
        bool used =
            strcmp(record->serving.file, build->file) == 0 || strcmp(record->canary.file, build->file) == 0;
        for (int j = 0; j < REGISTRY_PREVIOUS_MAX; j++)
            used = used || strcmp(record->previous[j].file, build->file) == 0;
        if (used)
            return true;
    }
    return false;
}

void reload_clear_up(struct reload *reload)
{
    const struct deployment *deployment = reload->supervisor->deployment;
    for (size_t i = 0; i < reload->change_count; i++) {
        struct build *build = &reload->changes[i].build;
        if (build->hash[0] != '\0' && !in_use(deployment, build))
            store_remove(build);
    }
    config_free(reload->config);
    reload->config = NULL;
    if (reload->listener.fd >= 0)
        listen_close(&reload->listener);
    free(reload->candidates);
    reload->candidates = NULL;
    reload->change_count = 0;
}

static void publish_all(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    const struct config *config = supervisor->deployment->config;
    int count = atomic_load(&supervisor->registry->count);
    for (int index = 0; index < count; index++) {
        const struct function_config *function =
            config_function(config, supervisor->registry->entries[index].name);
        deployment_publish(supervisor->registry, index, &supervisor->deployment->functions[index], function,
            function != NULL && deployment_wants(function, supervisor->options->sandbox));
    }
}

void reload_finish(struct reload *reload)
{
    ev_timer_stop(reload->supervisor->loop, &reload->limit);
    publish_all(reload);
    reload_clear_up(reload);
    reload->state = RELOAD_IDLE;
    if (!reload->supervisor->stopping)
        notify_reloaded(reload->supervisor);
    answer(reload);
    log_flush();
    watch_follow(reload->supervisor);
    reload_begin_next(reload);
}

/* Nothing of it is served. What had been accepted is not tried again by itself. */
void reload_give_up(struct reload *reload, const char *reason)
{
    struct deployment *deployment = reload->supervisor->deployment;
    for (size_t i = 0; i < reload->change_count; i++) {
        struct change *change = &reload->changes[i];
        struct function_record *record = &deployment->functions[change->index];
        if (!change->accepted)
            continue;
        report_refusal(reload, change->function->name, change->build.id, reason);
        record_problem(record, reason, change->after.since_us);
        memcpy(record->refused, change->build.hash, sizeof record->refused);
    }
    if (reload->config != NULL)
        report_configuration(reload, "refused", reason);
    reload_finish(reload);
}

void reload_take_over(struct reload *reload)
{
    struct supervisor *supervisor = reload->supervisor;
    struct deployment *deployment = supervisor->deployment;
    report_commit(reload);
    for (size_t i = 0; i < reload->change_count; i++) {
        struct change *change = &reload->changes[i];
        struct function_record *record = &deployment->functions[change->index];
        if (!change->accepted)
            continue;
        struct function_record before = *record;
        *record = change->after;
        for (int j = -2; j < REGISTRY_PREVIOUS_MAX; j++) {
            const struct build *build = j == -2   ? &before.serving
                                        : j == -1 ? &before.canary
                                                  : &before.previous[j];
            if (build->hash[0] != '\0' && !in_use(deployment, build))
                store_remove(build);
        }
        breaker_forget(supervisor, change->index);
        if (change->gated)
            registry_set_stale(supervisor->registry, change->index, NULL);
    }
    if (reload->config != NULL) {
        config_free(deployment->owned);
        deployment->config = deployment->owned = reload->config;
        supervisor->config = deployment->config;
        reload->config = NULL;
        memcpy(deployment->config_hash, reload->config_hash, sizeof deployment->config_hash);
        memcpy(deployment->config_file, reload->config_file, sizeof deployment->config_file);
    }
    deployment->number = reload->number;
    memcpy(deployment->manifest, reload->manifest, sizeof deployment->manifest);
}
