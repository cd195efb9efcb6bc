/*
 * The functions in shared memory; see registry.h. Anonymous pages are zero until touched, so that it costs
 * memory only for the functions there are.
 */
#include "supervisor/registry.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const int64_t PROBE_EVERY_US = 1000000;

struct registry *registry_create(void)
{
    struct registry *registry =
        mmap(NULL, sizeof *registry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return registry != MAP_FAILED ? registry : NULL;
}

void registry_free(struct registry *registry)
{
    if (registry != NULL)
        munmap(registry, sizeof *registry);
}

int registry_find(const struct registry *registry, const char *name)
{
    int count = atomic_load(&registry->count);
    for (int i = 0; i < count; i++)
        if (strcmp(registry->entries[i].name, name) == 0)
            return i;
    return -1;
}

int registry_add(struct registry *registry, const char *name)
{
    int index = registry_find(registry, name), count = atomic_load(&registry->count);
    if (index >= 0 || count == REGISTRY_MAX || strlen(name) >= sizeof registry->entries[0].name)
        return index;
    snprintf(registry->entries[count].name, sizeof registry->entries[count].name, "%s", name);
    atomic_store(&registry->count, count + 1);
    return count;
}

void registry_write(struct registry *registry, int index, const struct function_status *status)
{
    if (index < 0)
        return;
    struct registry_entry *entry = &registry->entries[index];
    atomic_fetch_add(&entry->version, 1);
    entry->status = *status;
    atomic_fetch_add(&entry->version, 1);
    atomic_store(&entry->refused, status->problem[0] != '\0');
}

void registry_set_stale(struct registry *registry, int index, const char *text)
{
    struct registry_entry *entry = &registry->entries[index];
    if (text != NULL) {
        atomic_fetch_add(&entry->stale_version, 1);
        snprintf(entry->stale_text, sizeof entry->stale_text, "%s", text);
        atomic_fetch_add(&entry->stale_version, 1);
    }
    atomic_store(&entry->stale, text != NULL);
}

bool registry_is_stale(const struct registry *registry, int index)
{
    return registry->staleness != STALENESS_UNKNOWN && index >= 0 &&
           (atomic_load(&registry->entries[index].stale) || atomic_load(&registry->entries[index].refused));
}

void registry_stale_text(const struct registry *registry, int index, char text[REGISTRY_STALE_BYTES])
{
    text[0] = '\0';
    if (!registry_is_stale(registry, index))
        return;
    const struct registry_entry *entry = &registry->entries[index];
    struct function_status status;
    registry_read(registry, index, &status);
    snprintf(text, REGISTRY_STALE_BYTES, "%s", status.problem);
    for (uint32_t version = 1; atomic_load(&entry->stale) && (version & 1) != 0;) {
        version = atomic_load(&entry->stale_version);
        memcpy(text, entry->stale_text, REGISTRY_STALE_BYTES);
        atomic_thread_fence(memory_order_acquire);
        version |= atomic_load(&entry->stale_version) != version;
    }
}

bool registry_blocks(const struct registry *registry, int index)
{
    return index >= 0 &&
           atomic_load_explicit(&registry->entries[index].blocked_until_us, memory_order_relaxed) != 0;
}

void registry_read(const struct registry *registry, int index, struct function_status *status)
{
    *status = (struct function_status){ 0 };
    if (index < 0)
        return;
    const struct registry_entry *entry = &registry->entries[index];
    /* A supervisor that dies while it writes takes its workers with it, so this ends. */
    for (;;) {
        uint32_t version = atomic_load(&entry->version);
        *status = entry->status;
        atomic_thread_fence(memory_order_acquire);
        if ((version & 1) == 0 && atomic_load(&entry->version) == version)
            break;
    }
    /* A worker's probe has ended it since. */
    if (status->state == FUNCTION_QUARANTINED && !registry_blocks(registry, index))
        status->state = FUNCTION_SERVING;
}

const char *function_state_name(enum function_state state)
{
    static const char *const names[] = {
        [FUNCTION_ABSENT] = "absent",
        [FUNCTION_OFF] = "off",
        [FUNCTION_NOT_LOADED] = "not_loaded",
        [FUNCTION_SERVING] = "serving",
        [FUNCTION_QUARANTINED] = "quarantined",
    };
    return names[state];
}

int registry_admit(struct registry *registry, int index, int64_t now_us, bool *probe)
{
    *probe = false;
    if (index < 0)
        return 0;
    struct registry_entry *entry = &registry->entries[index];
    int64_t until = atomic_load_explicit(&entry->blocked_until_us, memory_order_relaxed);
    if (until == 0)
        return 0;
    if (now_us < until)
        return (int)((until - now_us + 999999) / 1000000);
    int64_t probed = atomic_load(&entry->probed_at_us);
    if (now_us - probed < PROBE_EVERY_US ||
        !atomic_compare_exchange_strong(&entry->probed_at_us, &probed, now_us))
        return 1;
    *probe = true;
    return 0;
}

void registry_recovered(struct registry *registry, int index)
{
    if (index >= 0)
        atomic_store(&registry->entries[index].blocked_until_us, 0);
}
