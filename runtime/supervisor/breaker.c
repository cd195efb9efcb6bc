/*
 * breaker: counting crashes, and what is done about them; see breaker.h.
 */
#include "supervisor/breaker.h"

#include "config/config.h"
#include "supervisor/deployment.h"
#include "supervisor/reload.h"
#include "supervisor/workers.h"

#include <context.h>
#include <errno.h>
#include <log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CRASHES_MAX = 64,
    QUARANTINE_S = 10,
    QUARANTINE_MAX_S = 300,
};

struct history {
    char generation[REGISTRY_ID_BYTES];
    int64_t crashes_us[CRASHES_MAX]; /* newest first */
    int count;
    int64_t quarantine_s; /* the last one's length; 0: there was none */
    bool withdrawn;       /* a roll-back has been asked for */
};

struct breaker {
    struct history functions[REGISTRY_MAX];
};

int breaker_open(struct supervisor *supervisor)
{
    supervisor->breaker = calloc(1, sizeof *supervisor->breaker);
    return supervisor->breaker != NULL ? 0 : -ENOMEM;
}

void breaker_close(struct supervisor *supervisor)
{
    free(supervisor->breaker);
    supervisor->breaker = NULL;
}

void breaker_forget(struct supervisor *supervisor, int index)
{
    supervisor->breaker->functions[index] = (struct history){ 0 };
    registry_recovered(supervisor->registry, index);
}

static bool too_many(const struct history *history, const struct server_config *server, int64_t now_us)
{
    int limit = server->crash_limit < CRASHES_MAX ? server->crash_limit : CRASHES_MAX;
    return limit > 0 && history->count >= limit &&
           now_us - history->crashes_us[limit - 1] <= server->crash_window_ms * 1000;
}

static void quarantine(struct supervisor *supervisor, int index, struct history *history, int64_t now_us)
{
    struct registry_entry *entry = &supervisor->registry->entries[index];
    struct function_record *record = &supervisor->deployment->functions[index];
    char reason[128];
    history->quarantine_s = history->quarantine_s == 0 ? QUARANTINE_S : 2 * history->quarantine_s;
    if (history->quarantine_s > QUARANTINE_MAX_S)
        history->quarantine_s = QUARANTINE_MAX_S;
    atomic_store(&entry->blocked_until_us, now_us + history->quarantine_s * 1000000);
    log_event(EDGE_LOG_ERROR, "generation_quarantined", { "function", edge_text(entry->name) },
        { "generation", edge_text(history->generation) }, { "crashes", edge_int(history->count) },
        { "restored", edge_null() }, { "retryAfterS", edge_int(history->quarantine_s) });
    snprintf(reason, sizeof reason, "it crashed %d times, and there is no earlier build to go back to",
        history->count);
    record_problem(record, reason, edge_now_exact());
    struct function_status status;
    registry_read(supervisor->registry, index, &status);
    status.state = FUNCTION_QUARANTINED;
    status.problem_at_us = record->problem_at_us;
    memcpy(status.problem, record->problem, sizeof status.problem);
    registry_write(supervisor->registry, index, &status);
}

/* One that could not be withdrawn is tried again with its next crash. */
static void on_withdrawn(void *arg, json_t *report)
{
    struct history *history = arg;
    if (json_array_size(json_object_get(report, "changed")) == 0)
        history->withdrawn = false;
}

static void withdraw(struct supervisor *supervisor, int index, struct history *history)
{
    const struct function_record *record = &supervisor->deployment->functions[index];
    const char *name = supervisor->registry->entries[index].name;
    bool canary = strcmp(record->canary.id, history->generation) == 0;
    const char *restored = canary ? record->serving.id : record->previous[0].id;
    char reason[160];
    history->withdrawn = true;
    log_event(EDGE_LOG_ERROR, "generation_quarantined", { "function", edge_text(name) },
        { "generation", edge_text(history->generation) }, { "crashes", edge_int(history->count) },
        { "restored", edge_text(restored) });
    snprintf(reason, sizeof reason, "%.44s crashed %d times; %.44s serves again", history->generation,
        history->count, restored);
    record_problem(&supervisor->deployment->functions[index], reason, edge_now_exact());
    reload_ask(supervisor, &(struct reload_request){ .kind = RELOAD_ROLLBACK,
                               .cause = "crashes",
                               .function = name,
                               .done = on_withdrawn,
                               .arg = history });
}

void breaker_count(struct supervisor *supervisor, int index, const char *generation)
{
    if (index < 0 || index >= REGISTRY_MAX || supervisor->stopping)
        return;
    struct history *history = &supervisor->breaker->functions[index];
    const struct function_record *record = &supervisor->deployment->functions[index];
    bool serves = strcmp(record->serving.id, generation) == 0;
    bool canary = record->canary.hash[0] != '\0' && strcmp(record->canary.id, generation) == 0;
    if (!serves && !canary)
        return; /* what still ran of a build that has been replaced */
    if (strcmp(history->generation, generation) != 0) {
        *history = (struct history){ 0 };
        snprintf(history->generation, sizeof history->generation, "%s", generation);
    }
    int64_t now_us = clock_us();
    memmove(history->crashes_us + 1, history->crashes_us, (CRASHES_MAX - 1) * sizeof *history->crashes_us);
    history->crashes_us[0] = now_us;
    history->count += history->count < CRASHES_MAX;

    bool blocked = atomic_load(&supervisor->registry->entries[index].blocked_until_us) != 0;
    if (history->withdrawn || (!blocked && !too_many(history, &supervisor->config->server, now_us)))
        return;
    if (canary || record->previous[0].hash[0] != '\0')
        withdraw(supervisor, index, history);
    else
        quarantine(supervisor, index, history, now_us);
}
