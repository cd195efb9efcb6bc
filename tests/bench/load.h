/*
 * The load generator's parts: what is sent and how answers are told apart (load_wire.c), connections and their
 * schedule (load_run.c), options and report (load.c).
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "latency.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    LOAD_CPU_GROUPS = 4,
    LOAD_GROUP_PIDS = 64
};

/* Processes whose CPU time is summed. */
struct load_group {
    const char *name;
    pid_t pids[LOAD_GROUP_PIDS];
    size_t count;
    uint64_t cpu_ns; /* within the window */
};

struct load_bytes {
    const char *data;
    size_t length;
};

struct load {
    uint16_t port;
    size_t connection_count;
    double warmup_s, window_s;
    double rate; /* requests a second; 0: each connection sends as soon as it has its answer */
    bool websocket;
    bool hold;                   /* one request a connection, then keep them open until standard input ends */
    const char *expected;        /* in every answer's body */
    struct load_bytes opening;   /* of a WebSocket */
    struct load_bytes *requests; /* sent in turn */
    size_t request_count;
    struct load_group groups[LOAD_CPU_GROUPS];
    size_t group_count;

    struct latency latency; /* of the window */
    double measured_s;
    uint64_t own_cpu_ns;
};

/* Says what is wrong and ends: a figure from answers that were not the expected ones is none. */
__attribute__((noreturn, format(printf, 1, 2))) void load_die(const char *format, ...);

/*
 * Reads the file of --requests: texts separated by NUL bytes. Over a WebSocket the first is the opening
 * request, and the others are messages, which get their frames here.
 */
void load_read_requests(struct load *load, const char *file);

/*
 * Length of the complete answer at the start of data, 0 while a part of it is missing. Anything but a 200 (101
 * to an opening) whose body contains the expected text ends the program.
 */
size_t load_http_answer(const char *data, size_t length, int status, const char *expected);
size_t load_frame_answer(const char *data, size_t length, const char *expected);

/* Opens the connections, applies the load, and fills latency, measured_s and the CPU times. */
void load_run(struct load *load);

#endif
