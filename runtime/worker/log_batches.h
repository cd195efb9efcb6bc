/*
 * When a worker's log lines are written: some at a time, as writing one by one costs a request a fifth of its
 * time. What a worker that is killed has not written, the supervisor writes (log_buffer_rescue).
 */
#ifndef WORKER_LOG_BATCHES_H
#define WORKER_LOG_BATCHES_H

#include <ev.h>

void log_batches_start(struct ev_loop *loop);

#endif
