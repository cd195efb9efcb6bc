/*
 * Measuring: CPU time of this thread per operation, the best of several rounds, and a table of ratios.
 *
 * The rounds of the things that are compared alternate, so that what else the machine does falls on all of
 * them; the best round is the one that was disturbed least.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct bench {
    const char *name;
    void (*run)(size_t count); /* does it count times */
    size_t count;
    double best_ns;
};

static inline double bench_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline void bench_measure(struct bench *rows, size_t row_count)
{
    enum {
        ROUNDS = 9
    };
    for (int round = 0; round < ROUNDS; round++)
        for (struct bench *row = rows; row < rows + row_count; row++) {
            double before = bench_cpu_ns();
            row->run(row->count);
            double ns = (bench_cpu_ns() - before) / (double)row->count;
            if (round == 0 || ns < row->best_ns)
                row->best_ns = ns;
        }
}

/* Ratios are to the first row. */
static inline void bench_table(const char *title, struct bench *rows, size_t row_count)
{
    bench_measure(rows, row_count);
    printf("%-66s %10s %8s\n", title, "ns", "ratio");
    for (const struct bench *row = rows; row < rows + row_count; row++)
        printf("  %-64s %10.1f %8.2f\n", row->name, row->best_ns, row->best_ns / rows[0].best_ns);
    printf("\n");
}

#define BENCH_TABLE(title, rows) bench_table((title), (rows), sizeof(rows) / sizeof *(rows))

#endif
