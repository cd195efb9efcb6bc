/*
 * A histogram of latencies: 64 steps in each power of two of nanoseconds, so a percentile is within 1.6 per
 * cent of the truth, whatever its size, and recording one is a shift and an increment.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>
#include <string.h>

enum {
    LATENCY_STEP_BITS = 6,
    LATENCY_STEPS = 1 << LATENCY_STEP_BITS,
    LATENCY_BUCKETS = (64 - LATENCY_STEP_BITS + 1) * LATENCY_STEPS
};

struct latency {
    uint64_t count;
    uint64_t buckets[LATENCY_BUCKETS];
};

static inline void latency_clear(struct latency *latency)
{
    memset(latency, 0, sizeof *latency);
}

static inline void latency_record(struct latency *latency, uint64_t ns)
{
    int shift = ns < LATENCY_STEPS ? 0 : 63 - __builtin_clzll(ns) - LATENCY_STEP_BITS;
    latency->buckets[(uint64_t)shift * LATENCY_STEPS + (ns >> shift)]++;
    latency->count++;
}

/* The latency that the share (0..1) of all stays within, ns; 0 when none was recorded. */
static inline uint64_t latency_at(const struct latency *latency, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)latency->count), seen = 0;
    for (uint64_t bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
        seen += latency->buckets[bucket];
        if (seen > wanted || (seen > 0 && seen == latency->count)) {
            uint64_t shift = bucket < 2 * LATENCY_STEPS ? 0 : bucket / LATENCY_STEPS - 1;
            return (bucket - shift * LATENCY_STEPS) << shift;
        }
    }
    return 0;
}

#endif
