/*
 * deployment: records and manifests; see deployment.h.
 */
#include "supervisor/deployment.h"

#include "config/config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct signature signature_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return (struct signature){ 0 };
    return (struct signature){
        .device = status.st_dev,
        .inode = status.st_ino,
        .size = (uint64_t)status.st_size,
        .modified_ns = status.st_mtim.tv_sec * INT64_C(1000000000) + status.st_mtim.tv_nsec,
        .changed_ns = status.st_ctim.tv_sec * INT64_C(1000000000) + status.st_ctim.tv_nsec,
    };
}

bool signature_equal(const struct signature *a, const struct signature *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

void deployment_plugin_path(
    const struct config *config, const struct function_config *function, char *out, size_t size)
{
    snprintf(out, size, "%s/%s.so", config->server.plugins, function->plugin);
}

bool deployment_wants(const struct function_config *function, bool sandbox)
{
    return function->enabled && (!function->sandbox || sandbox);
}

void record_serve(struct function_record *record, const struct build *build, int64_t now_us)
{
    struct build before = record->serving;
    if (before.hash[0] != '\0') {
        /* Going back and forth between two builds must not push the third one out. */
        size_t last = 0;
        while (last < REGISTRY_PREVIOUS_MAX - 1 && strcmp(record->previous[last].hash, build->hash) != 0)
            last++;
        memmove(record->previous + 1, record->previous, last * sizeof *record->previous);
        record->previous[0] = before;
    }
    record->serving = *build;
    record->since_us = now_us;
    record->refused[0] = record->problem[0] = '\0';
}

bool record_roll_back(struct function_record *record, int64_t now_us)
{
    struct build left = record->canary.hash[0] != '\0' ? record->canary : record->serving;
    if (record->canary.hash[0] != '\0') {
        record->canary = (struct build){ 0 };
    } else {
        if (record->previous[0].hash[0] == '\0')
            return false;
        record->serving = record->previous[0];
        record->since_us = now_us;
        memmove(record->previous, record->previous + 1, (REGISTRY_PREVIOUS_MAX - 1) * sizeof *record->previous);
        record->previous[REGISTRY_PREVIOUS_MAX - 1] = (struct build){ 0 };
    }
    memcpy(record->refused, left.hash, sizeof record->refused);
    return true;
}

void record_problem(struct function_record *record, const char *text, int64_t now_us)
{
    snprintf(record->problem, sizeof record->problem, "%s", text);
    record->problem_at_us = now_us;
}

static json_t *entry_json(const struct function_record *record)
{
    json_t *entry = json_object();
    if (record->serving.hash[0] != '\0')
        json_object_set_new(entry, "file", json_string(record->serving.file));
    if (record->canary.hash[0] != '\0')
        json_object_set_new(entry, "canary", json_string(record->canary.file));
    return entry;
}

int deployment_write_manifest(struct store *store, uint64_t number, const struct config *config,
    const char *config_file, const struct registry *registry,
    const struct function_record *(*record_of)(void *arg, int index), void *arg, char out[STORE_PATH_BYTES],
    struct store_error *error)
{
    char name[64];
    json_t *functions = json_object();
    for (size_t i = 0; i < config->function_count; i++) {
        int index = registry_find(registry, config->functions[i].name);
        if (index >= 0)
            json_object_set_new(functions, config->functions[i].name, entry_json(record_of(arg, index)));
    }
    json_t *manifest = json_pack(
        "{s:I, s:s, s:o}", "revision", (json_int_t)number, "config", config_file, "functions", functions);
    char *text = manifest != NULL ? json_dumps(manifest, JSON_COMPACT) : NULL;
    json_decref(manifest);
    snprintf(error->text, sizeof error->text, "out of memory");
    if (text == NULL)
        return -ENOMEM;
    snprintf(name, sizeof name, "revision-%llu.json", (unsigned long long)number);
    int result = store_write(store, name, text, strlen(text), out, error);
    free(text);
    return result;
}

static void copy_id(char out[REGISTRY_ID_BYTES], const struct build *build)
{
    snprintf(out, REGISTRY_ID_BYTES, "%s", build->hash[0] != '\0' ? build->id : "");
}

void deployment_publish(struct registry *registry, int index, const struct function_record *record,
    const struct function_config *function, bool wanted)
{
    struct function_status status = { .state = FUNCTION_ABSENT };
    if (function != NULL && !wanted)
        status.state = FUNCTION_OFF;
    else if (function != NULL)
        status.state = record->serving.hash[0] != '\0' ? FUNCTION_SERVING : FUNCTION_NOT_LOADED;
    if (status.state == FUNCTION_SERVING && index >= 0 &&
        atomic_load(&registry->entries[index].blocked_until_us) != 0)
        status.state = FUNCTION_QUARANTINED;
    copy_id(status.serving, &record->serving);
    copy_id(status.canary, &record->canary);
    for (int i = 0; i < REGISTRY_PREVIOUS_MAX; i++)
        copy_id(status.previous[i], &record->previous[i]);
    status.since_us = record->since_us;
    status.problem_at_us = record->problem_at_us;
    memcpy(status.problem, record->problem, sizeof status.problem);
    registry_write(registry, index, &status);
}
