/*
 * Several things at once inside an invocation, and work after the answer. Each task is a fiber of its own with
 * the invocation's memory, identity and deadline.
 */
#ifndef EDGE_TASK_H
#define EDGE_TASK_H

#include <edge/base.h>

#pragma GCC visibility push(default)

typedef struct edge_task edge_task;

/* Starts fn(ctx, arg) beside the caller. A failure in it ends the whole invocation. Memory: the invocation's.
 */
EDGE_RETURNS_NONNULL edge_task *edge_spawn(edge_ctx *ctx, void *(*fn)(edge_ctx *ctx, void *arg), void *arg);

/* Parks until the task has ended and returns its result. */
void *edge_await(edge_ctx *ctx, edge_task *task);

/*
 * Runs fn(ctx, arg) after the answer has been sent, as the same caller, within the function's timeout counted
 * anew. Its failure is logged and reaches nobody. A stop or reload waits for it.
 */
void edge_wait_until(edge_ctx *ctx, void (*fn)(edge_ctx *ctx, void *arg), void *arg);

#pragma GCC visibility pop

#endif
