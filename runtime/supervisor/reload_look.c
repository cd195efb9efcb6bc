/*
 * reload: what has changed since the last look.
 */
#include "supervisor/reload_private.h"

#include "config/compare.h"
#include "config/config.h"
#include "http/route.h"

#include <errno.h>
#include <fcntl.h>
#include <log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    CONFIG_MAX = 4 * 1024 * 1024
};

static int64_t unix_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const struct config *reload_config(const struct reload *reload)
{
    return reload->config != NULL ? reload->config : reload->supervisor->deployment->config;
}

/* --- functions.toml --- */

/* The whole file; malloc'ed. NULL when it cannot be read, errno says why. */
static char *read_config(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = fd >= 0 ? malloc(CONFIG_MAX) : NULL;
    ssize_t got = 0;
    *length = 0;
    while (text != NULL && *length < CONFIG_MAX && (got = read(fd, text + *length, CONFIG_MAX - *length)) > 0)
        *length += (size_t)got;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (text != NULL && got == 0)
        return text;
    free(text);
    errno = error;
    return NULL;
}

/* Routes that contradict one another are found here, not by every worker. */
static bool routes_fit(const struct config *config, char *reason, size_t size)
{
    struct route_table *table = NULL;
    struct route_error error = { "" };
    int result = route_table_create(config->functions, config->function_count, &table, &error);
    snprintf(reason, size, "%s: %s", config->path, result == -ENOMEM ? "out of memory" : error.text);
    if (result == 0)
        route_table_free(table);
    return result == 0;
}

/* Opens another address, so that it can be refused before anything has changed. */
static bool listener_fits(struct reload *reload, char *reason, size_t size)
{
    const struct supervisor *supervisor = reload->supervisor;
    struct listen_error error;
    if (supervisor->options->listen != NULL ||
        strcmp(reload->config->server.listen, supervisor->deployment->config->server.listen) == 0)
        return true;
    if (listen_open(reload->config->server.listen, &reload->listener, &error) == 0)
        return true;
    reload->listener.fd = -1;
    snprintf(reason, size, "%s", error.text);
    return false;
}

static void refuse_config(struct reload *reload, const char *reason)
{
    config_free(reload->config);
    reload->config = NULL;
    report_configuration(reload, "refused", reason);
}

/* Reads it from its copy: what is validated is what workers will read. */
static void take_config(struct reload *reload, const char *text, size_t length)
{
    struct supervisor *supervisor = reload->supervisor;
    struct config_error problem = { "" };
    struct store_error error = { "" };
    char name[STORE_HASH_BYTES + 16], reason[1200];
    snprintf(name, sizeof name, "%s.toml", reload->config_hash);
    if (store_write(&supervisor->store, name, text, length, reload->config_file, &error) < 0)
        return refuse_config(reload, error.text);
    if (config_load_copy(supervisor->deployment->config->path, reload->config_file, &reload->config, &problem) <
        0)
        refuse_config(reload, problem.text);
    else if (!routes_fit(reload->config, reason, sizeof reason) ||
             !listener_fits(reload, reason, sizeof reason))
        refuse_config(reload, reason);
}

/* The start has read the file already. */
static void take_first_config(struct reload *reload)
{
    struct deployment *deployment = reload->supervisor->deployment;
    memcpy(deployment->config_hash, reload->config_hash, sizeof deployment->config_hash);
    snprintf(deployment->config_file, sizeof deployment->config_file, "%s", reload->config_hash);
}

static void look_at_config(struct reload *reload)
{
    struct deployment *deployment = reload->supervisor->deployment;
    const char *path = deployment->config->path;
    struct signature seen = path != NULL ? signature_of(path) : (struct signature){ 0 };
    bool forced = reload->request.kind == RELOAD_FORCED;
    if (path == NULL || (!forced && signature_equal(&seen, &deployment->config_seen)))
        return;
    size_t length = 0;
    char *text = read_config(path, &length);
    if (text == NULL) {
        char reason[512];
        snprintf(reason, sizeof reason, "%s: cannot be read: %s", path, strerror(errno));
        deployment->config_seen = seen;
        return refuse_config(reload, reason);
    }
    deployment->config_seen = seen;
    store_hash(text, length, reload->config_hash);
    if (deployment->config_hash[0] == '\0')
        take_first_config(reload);
    else if (strcmp(reload->config_hash, deployment->config_hash) != 0)
        take_config(reload, text, length);
    free(text);
}

/* --- plugins --- */

static struct change *add_change(struct reload *reload, int index, const struct function_config *function)
{
    struct change *change = &reload->changes[reload->change_count++];
    *change = (struct change){ .index = index, .function = function };
    change->after = reload->supervisor->deployment->functions[index];
    return change;
}

/* A build that is served, or would be if the gate had not refused it. */
static bool is_known(const struct reload *reload, const struct function_record *record, const char *hash)
{
    bool forced = reload->request.kind == RELOAD_FORCED;
    return strcmp(record->serving.hash, hash) == 0 || strcmp(record->canary.hash, hash) == 0 ||
           (!forced && strcmp(record->refused, hash) == 0);
}

static void refuse_file(struct reload *reload, int index, const char *name, const char *reason)
{
    struct function_record *record = &reload->supervisor->deployment->functions[index];
    record_problem(record, reason, unix_us());
    report_refusal(reload, name, NULL, reason);
}

/* The file is not there: what is served goes on. Said once, as its signature is zero from now on. */
static void miss_file(
    struct reload *reload, int index, const struct function_config *function, const char *path)
{
    char reason[STORE_PATH_BYTES + 128];
    snprintf(reason, sizeof reason, "%s is not there. Build it: scripts/build %s", path, function->plugin);
    refuse_file(reload, index, function->name, reason);
}

static void stage(struct reload *reload, int index, const struct function_config *function, const char *path,
    const struct signature *seen)
{
    struct supervisor *supervisor = reload->supervisor;
    struct function_record *record = &supervisor->deployment->functions[index];
    struct store_error error = { "" };
    struct build build;
    int result = store_add(&supervisor->store, path, function->plugin, &build, &error);
    record->seen = *seen;
    if (result < 0)
        return refuse_file(reload, index, function->name, error.text);
    if (is_known(reload, record, build.hash))
        return;
    struct change *change = add_change(reload, index, function);
    change->build = build;
    change->gated = true;
    snprintf(change->path, sizeof change->path, "%s", path);
    change->after.seen = *seen;
    bool canary = function->canary > 0 && record->serving.hash[0] != '\0';
    if (canary)
        change->after.canary = build;
    else
        record_serve(&change->after, &build, unix_us());
    if (!canary)
        change->after.canary = (struct build){ 0 };
}

/* A canary that functions.toml does not ask for any more is promoted. */
static void promote(struct reload *reload, int index, const struct function_config *function)
{
    struct change *change = add_change(reload, index, function);
    record_serve(&change->after, &change->after.canary, unix_us());
    change->after.canary = (struct build){ 0 };
}

static void look_at_function(struct reload *reload, const struct function_config *function)
{
    struct supervisor *supervisor = reload->supervisor;
    int index = registry_add(supervisor->registry, function->name);
    if (index < 0 || !deployment_wants(function, supervisor->options->sandbox))
        return;
    struct function_record *record = &supervisor->deployment->functions[index];
    char path[STORE_PATH_BYTES];
    deployment_plugin_path(reload_config(reload), function, path, sizeof path);
    struct signature seen = signature_of(path);
    bool forced = reload->request.kind == RELOAD_FORCED;
    if (forced && reload->function[0] != '\0' && strcmp(reload->function, function->name) != 0)
        return;
    bool missing = signature_equal(&seen, &(struct signature){ 0 });
    bool first = record->serving.hash[0] == '\0' && record->problem[0] == '\0';
    if (missing) {
        if (forced || first || !signature_equal(&seen, &record->seen))
            miss_file(reload, index, function, path);
        record->seen = seen;
    } else if (forced || !signature_equal(&seen, &record->seen)) {
        stage(reload, index, function, path, &seen);
    } else if (record->canary.hash[0] != '\0' && function->canary == 0) {
        promote(reload, index, function);
    }
}

/* --- one function, by command --- */

static void look_at_command(struct reload *reload)
{
    const struct config *config = reload_config(reload);
    char reason[256];
    int index = registry_find(reload->supervisor->registry, reload->function);
    const struct function_config *function = config_function(config, reload->function);
    if (index < 0 || function == NULL) {
        snprintf(reason, sizeof reason, "functions.toml has no function \"%s\"", reload->function);
        report_refusal(reload, reload->function, NULL, reason);
        return;
    }
    const struct function_record *record = &reload->supervisor->deployment->functions[index];
    if (reload->request.kind == RELOAD_PROMOTE && record->canary.hash[0] != '\0') {
        promote(reload, index, function);
        return;
    }
    struct change *change = add_change(reload, index, function);
    if (reload->request.kind == RELOAD_ROLLBACK && record_roll_back(&change->after, unix_us()))
        return;
    reload->change_count--;
    snprintf(reason, sizeof reason, "%s has no %s", reload->function,
        reload->request.kind == RELOAD_PROMOTE ? "canary" : "earlier build to go back to");
    report_refusal(reload, reload->function, NULL, reason);
}

bool reload_look(struct reload *reload)
{
    reload->change_count = 0;
    reload->listener.fd = -1;
    if (reload->request.kind == RELOAD_CHANGED || reload->request.kind == RELOAD_FORCED)
        look_at_config(reload);
    const struct config *config = reload_config(reload);
    free(reload->changes);
    reload->changes = calloc(config->function_count + 1, sizeof *reload->changes);
    if (reload->changes == NULL)
        return false;
    if (reload->request.kind == RELOAD_ROLLBACK || reload->request.kind == RELOAD_PROMOTE) {
        look_at_command(reload);
        return reload->change_count > 0;
    }
    for (size_t i = 0; i < config->function_count; i++)
        look_at_function(reload, &config->functions[i]);
    return reload->change_count > 0 || reload->config != NULL;
}
