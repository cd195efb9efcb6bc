/*
 * slots: the shared memory of supervisor and workers.
 *
 * Anonymous shared pages are zero until touched, so the table of 512 functions a slot costs memory only for
 * the functions that are called.
 */
#include "supervisor/slots.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

static int64_t unix_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static size_t slots_bytes(int count)
{
    return sizeof(struct slots) + (size_t)count * sizeof(struct slot);
}

struct slots *slots_create(int worker_count)
{
    /* Room for twice as many after a reload, and for those before them that still finish. */
    int count = 4 * worker_count + 4;
    struct slots *slots = mmap(
        NULL, slots_bytes(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots == MAP_FAILED)
        return NULL;

    slots->count = count;
    slots->started_at_us = unix_us();
    return slots;
}

void slots_free(struct slots *slots)
{
    if (slots != NULL)
        munmap(slots, slots_bytes(slots->count));
}

/* What the slot's last worker counted stays in the sums; its successor's readings start at zero. */
static void keep_totals(struct slot *slot)
{
    _Atomic uint64_t *last = &slot->totals.accepted, *before = &slot->totals_before.accepted;
    for (size_t i = 0; i < sizeof(struct slot_totals) / sizeof(*last); i++) {
        counter_add(&before[i], counter_read(&last[i]));
        gauge_set(&last[i], 0);
    }
}

static void clear_running(struct slot_running *running)
{
    uint64_t switches = counter_read(&running->switches);
    gauge_set(&running->switches, switches + (switches & 1));
}

struct slot *slot_take(struct slots *slots)
{
    for (int i = 0; i < slots->count; i++) {
        struct slot *slot = &slots->slots[i];
        if (atomic_load(&slot->state) != SLOT_FREE)
            continue;

        keep_totals(slot);
        clear_running(&slot->running);
        memset((void *)&slot->gauges, 0, sizeof(slot->gauges));
        atomic_store(&slot->pid, 0);
        atomic_store(&slot->started_at_us, unix_us());
        atomic_store(&slot->state, SLOT_STARTING);
        return slot;
    }
    return NULL;
}

void slot_release(struct slot *slot)
{
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->state, SLOT_FREE);
}

int slot_index(const struct slots *slots, const struct slot *slot)
{
    return (int)(slot - slots->slots);
}

struct slot_function *slot_function(struct slot *slot, int function_index)
{
    if (function_index < 0 || function_index >= SLOT_FUNCTIONS_MAX)
        return &slot->host;
    return &slot->functions[function_index];
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = from == NULL ? 0 : strnlen(from, size - 1);
    memcpy(to, from == NULL ? "" : from, length);
    to[length] = '\0';
}

/*
 * The text is only written while switches is even, so a reader that finds the same odd number before and
 * after has read one function's text.
 */
void slot_enter(struct slot *slot, int function_index, const char *function, const char *generation,
    const char request_id[40], int64_t since_us)
{
    struct slot_running *running = &slot->running;
    uint64_t switches = counter_read(&running->switches);
    if (switches & 1)
        atomic_store_explicit(&running->switches, ++switches, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);

    atomic_store_explicit(&running->since_us, since_us, memory_order_relaxed);
    atomic_store_explicit(&running->function_index, function_index, memory_order_relaxed);
    copy_text(running->function, sizeof(running->function), function);
    copy_text(running->generation, sizeof(running->generation), generation);
    memcpy(running->request_id, request_id, sizeof(running->request_id));

    atomic_store_explicit(&running->switches, switches + 1, memory_order_release);
}

void slot_leave(struct slot *slot)
{
    uint64_t switches = counter_read(&slot->running.switches);
    if (switches & 1)
        atomic_store_explicit(&slot->running.switches, switches + 1, memory_order_release);
}

static void copy_running(const struct slot_running *running, struct slot_snapshot *snapshot)
{
    snapshot->since_us = atomic_load_explicit(&running->since_us, memory_order_relaxed);
    snapshot->function_index = atomic_load_explicit(&running->function_index, memory_order_relaxed);
    memcpy(snapshot->function, running->function, sizeof(snapshot->function));
    memcpy(snapshot->generation, running->generation, sizeof(snapshot->generation));
    memcpy(snapshot->request_id, running->request_id, sizeof(snapshot->request_id));
    /* The writer may die at any instruction: no text is trusted to be terminated. */
    snapshot->function[sizeof(snapshot->function) - 1] = '\0';
    snapshot->generation[sizeof(snapshot->generation) - 1] = '\0';
    snapshot->request_id[sizeof(snapshot->request_id) - 1] = '\0';
}

bool slot_read_running(const struct slot *slot, struct slot_snapshot *snapshot)
{
    const struct slot_running *running = &slot->running;
    for (int attempt = 0; attempt < 8; attempt++) {
        *snapshot = (struct slot_snapshot){ .function_index = -1 };
        snapshot->switches = atomic_load_explicit(&running->switches, memory_order_acquire);
        if ((snapshot->switches & 1) == 0)
            return false;

        copy_running(running, snapshot);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&running->switches, memory_order_relaxed) == snapshot->switches)
            return true;
    }
    /* It switches faster than we copy, so it hangs nowhere: say that it runs, not what. */
    *snapshot = (struct slot_snapshot){ .switches = snapshot->switches, .function_index = -1 };
    return true;
}
