/*
 * Shared memory of the supervisor and its workers: one slot a living worker, readable by every process at
 * any time.
 *
 * A slot has one writer, its worker, so an update is a relaxed load and store and no locked instruction.
 * There are more slots than workers: a replacement may serve while the worker before it still
 * finishes. A worker's index is its slot's, so it is unique among the living. Counters are never reset,
 * whoever takes the slot next: their sum over all slots only grows.
 */
#ifndef SUPERVISOR_SLOTS_H
#define SUPERVISOR_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/registry.h"

#define SLOT_FUNCTIONS_MAX REGISTRY_MAX
#define SLOT_STATUSES 40        /* statuses counted one by one; see metrics_status_index */
#define SLOT_LATENCY_BUCKETS 16 /* the last is +Inf; bounds in metrics.c */

enum slot_state {
    SLOT_FREE,     /* nobody's; the supervisor hands it to the next worker */
    SLOT_STARTING, /* forked; the supervisor has set the pid, the worker loads its plugins */
    SLOT_READY,    /* the worker accepts */
    SLOT_DRAINING, /* the worker accepts no more and finishes what it has */
};

struct slot_function {
    _Atomic uint64_t statuses[SLOT_STATUSES];
    _Atomic uint64_t latency[SLOT_LATENCY_BUCKETS]; /* not cumulated */
    _Atomic uint64_t duration_us, cpu_us, db_us, http_us;
    _Atomic uint64_t queries, fetches, bytes_in, bytes_out;
    _Atomic uint64_t defects; /* what it left open */
    _Atomic uint64_t crashes; /* workers lost while it ran; the supervisor's */
};

struct slot_gauges {
    _Atomic uint64_t connections, fibers, stacks;
    _Atomic uint64_t db_open, db_busy, db_waiting, db_reachable;
    _Atomic uint64_t http_active, http_queued, jobs_running;
    _Atomic uint64_t resident_bytes, cpu_us;
};

/* Counters that the SDK keeps by itself; the worker's last reading, and what workers before it left. */
struct slot_totals {
    _Atomic uint64_t accepted; /* connections */
    _Atomic uint64_t db_queries, db_errors, db_reconnects;
    _Atomic uint64_t http_calls, http_failures, http_retries;
    _Atomic uint64_t jobs_claimed, jobs_succeeded, jobs_retried, jobs_dead, jobs_lost, schedules_fired;
};

/* What the worker runs now. Text may be torn while the worker switches; switches tells (slot_read_running). */
struct slot_running {
    _Atomic uint64_t switches;  /* odd: a function has the worker; every switch adds one */
    _Atomic int64_t since_us;   /* monotonic */
    _Atomic int function_index; /* -1: the host's own endpoints */
    char function[64], generation[44], request_id[40];
};

#define SLOT_FRAMES_MAX 32

/* Where a function crashed or hung: written by the worker's signal handler, read by the supervisor. */
struct slot_crash {
    _Atomic int signal; /* 0: nothing; set last */
    int function_index;
    bool stack_overflow;
    uint64_t address; /* of the fault */
    char function[64], generation[44], request_id[40];
    int frame_count;
    struct {
        char object[192]; /* file of the code */
        uint64_t offset;  /* within it */
    } frames[SLOT_FRAMES_MAX];
};

struct slot {
    _Atomic int state; /* enum slot_state */
    _Atomic int pid;
    _Atomic int64_t started_at_us; /* Unix time */
    struct slot_running running;
    struct slot_crash crash;
    struct slot_gauges gauges;
    struct slot_totals totals, totals_before;
    struct slot_function host; /* requests that belong to no function */
    struct slot_function functions[SLOT_FUNCTIONS_MAX];
};

struct slots {
    int count;
    int64_t started_at_us;            /* Unix time of the supervisor's start */
    _Atomic uint64_t restarts, kills; /* workers replaced; of those, killed by the watchdog */
    struct slot slots[];
};

/* Shared, zeroed slots for a number of workers; NULL when memory is short. Made before the first fork. */
struct slots *slots_create(int worker_count);
void slots_free(struct slots *slots);

/* A free slot for a worker about to be forked, its gauges cleared and its state starting; NULL: none is free.
 */
struct slot *slot_take(struct slots *slots);
void slot_release(struct slot *slot);
int slot_index(const struct slots *slots, const struct slot *slot);

/* The counters of a function by its number (registry.h); index -1: the host's. */
struct slot_function *slot_function(struct slot *slot, int function_index);

/*
 * The worker gives a fiber the processor, and takes it back. The strings are copied; request_id is the
 * context's whole array. slot_enter while a function runs (a fiber started from within another) just
 * replaces what is shown.
 */
void slot_enter(struct slot *slot, int function_index, const char *function, const char *generation,
    const char request_id[40], int64_t since_us);
void slot_leave(struct slot *slot);

/* A copy of what a worker runs, whole. False when nothing runs; text is empty when it could not be had. */
struct slot_snapshot {
    uint64_t switches;
    int64_t since_us;
    int function_index;
    char function[64], generation[44], request_id[40];
};
bool slot_read_running(const struct slot *slot, struct slot_snapshot *snapshot);

/* Adds to a counter of the slot's own worker. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_relaxed);
}

static inline void gauge_set(_Atomic uint64_t *gauge, uint64_t value)
{
    atomic_store_explicit(gauge, value, memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
