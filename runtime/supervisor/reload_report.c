/*
 * reload: what is said of a transaction, in the log, in the registry, and to whoever has asked for it.
 */
#include "supervisor/reload_private.h"

#include "config/compare.h"
#include "config/config.h"

#include <context.h>
#include <log.h>
#include <string.h>

void report_refusal(struct reload *reload, const char *function, const char *generation, const char *reason)
{
    int index = registry_find(reload->supervisor->registry, function);
    bool served = index >= 0 && reload->supervisor->deployment->functions[index].serving.hash[0] != '\0';
    log_event(EDGE_LOG_ERROR, served ? "generation_refused" : "function_not_loaded",
        { "function", edge_text(function) },
        { "generation", generation != NULL && generation[0] != '\0' ? edge_text(generation) : edge_null() },
        { "reason", edge_text(reason) }, { "cause", edge_text(reload->request.cause) });
    json_array_append_new(json_object_get(reload->report, "refused"),
        json_pack("{s:s, s:s}", "function", function, "reason", reason));
}

void report_configuration(struct reload *reload, const char *state, const char *reason)
{
    if (strcmp(state, "refused") == 0)
        log_event(EDGE_LOG_ERROR, "configuration_refused", { "reason", edge_text(reason) },
            { "cause", edge_text(reload->request.cause) });
    json_object_set_new(reload->report, "configuration", json_string(state));
    if (reason != NULL)
        json_object_set_new(reload->report, "reason", json_string(reason));
}

static void report_difference(struct reload *reload, const struct config *before, const struct config *after)
{
    size_t added = 0, removed = 0, changed = 0;
    for (size_t i = 0; i < after->function_count; i++) {
        const struct function_config *was = config_function(before, after->functions[i].name);
        added += was == NULL;
        changed += was != NULL && !config_same_function(was, &after->functions[i]);
    }
    for (size_t i = 0; i < before->function_count; i++)
        removed += config_function(after, before->functions[i].name) == NULL;
    log_event(EDGE_LOG_INFO, "configuration_live", { "revision", edge_int((int64_t)reload->number) },
        { "added", edge_int((int64_t)added) }, { "removed", edge_int((int64_t)removed) },
        { "changed", edge_int((int64_t)changed) }, { "cause", edge_text(reload->request.cause) });
    report_configuration(reload, "changed", NULL);
}

static void report_change(struct reload *reload, const struct change *change)
{
    const struct function_record *before = &reload->supervisor->deployment->functions[change->index];
    bool canary =
        change->after.canary.hash[0] != '\0' && strcmp(change->after.canary.hash, before->canary.hash) != 0;
    const struct build *now = canary ? &change->after.canary : &change->after.serving;
    const char *was = canary ? "" : before->serving.hash[0] != '\0' ? before->serving.id : "";
    log_event(EDGE_LOG_INFO, canary ? "canary_live" : "generation_live",
        { "function", edge_text(change->function->name) }, { "generation", edge_text(now->id) },
        { "previous", was[0] != '\0' ? edge_text(was) : edge_null() },
        { "percent", canary ? edge_int(change->function->canary) : edge_null() },
        { "revision", edge_int((int64_t)reload->number) }, { "cause", edge_text(reload->request.cause) },
        { "gateUs", edge_int(reload->gated_us - reload->begun_us) },
        { "visibleUs", edge_int(clock_us() - reload->gated_us) });
    json_array_append_new(json_object_get(reload->report, "changed"),
        json_pack("{s:s, s:s, s:s, s:b}", "function", change->function->name, "generation", now->id, "previous",
            was, "canary", canary));
}

void report_commit(struct reload *reload)
{
    const struct deployment *deployment = reload->supervisor->deployment;
    if (reload->config != NULL)
        report_difference(reload, deployment->config, reload->config);
    /* The start's own are said in one line, and by each worker in one. */
    if (deployment->number == 0)
        log_event(EDGE_LOG_INFO, "functions_gated", { "count", edge_int((int64_t)reload->change_count) },
            { "us", edge_int(reload->gated_us - reload->begun_us) });
    for (size_t i = 0; i < reload->change_count && deployment->number > 0; i++)
        if (reload->changes[i].accepted)
            report_change(reload, &reload->changes[i]);
    json_object_set_new(reload->report, "revision", json_integer((json_int_t)reload->number));
}
