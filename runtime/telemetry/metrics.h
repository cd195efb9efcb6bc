/*
 * What workers count in shared memory, and its rendering for Prometheus. Any worker answers for all of them.
 */
#ifndef TELEMETRY_METRICS_H
#define TELEMETRY_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct registry;
struct db_stats;
struct http_stats;
struct jobs_stats;
struct slot;
struct slots;
struct usage;

/* Counts an ended invocation; function_index is the function's place in the configuration, -1: the host's. */
void metrics_record(
    struct slot *slot, int function_index, int status, int64_t duration_us, const struct usage *usage);

/* Counts what a function has left open (usage.defect_count) once its invocation is released. */
void metrics_defects(struct slot *slot, int function_index, uint32_t count);

/* The worker's own reading of what it holds, about once a second; also takes its memory and CPU time. */
struct worker_reading {
    uint64_t connections, accepted, fibers, stacks; /* accepted: since its start; the rest at present */
    const struct db_stats *db;                      /* NULL: no database */
    const struct http_stats *http;                  /* NULL: no providers */
    const struct jobs_stats *jobs;                  /* NULL: none are run */
};
void metrics_sample(struct slot *slot, const struct worker_reading *reading);

/*
 * Text exposition format 0.0.4 (media type METRICS_MEDIA_TYPE) of all slots. Returns its length and the
 * malloc'ed text in *out, or 0 and NULL when memory is short. Uses stdio: call it on the loop's stack.
 */
#define METRICS_MEDIA_TYPE "text/plain; version=0.0.4; charset=utf-8"
size_t metrics_render(const struct slots *slots, const struct registry *registry, char **out);

#endif
