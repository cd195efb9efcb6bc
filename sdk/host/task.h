/*
 * Calls from within the process, from the host's side: what edge_invoke and edge_enqueue ask of the runtime.
 */
#ifndef HOST_TASK_H
#define HOST_TASK_H

#include <edge/http.h>
#include <edge/task.h>

#include "fiber.h"

/* Functions that call one another, the outermost not counted; one call more is 508 "invocation_loop". */
#define INVOKE_DEPTH_MAX 8

/* One call of a function by an invocation; lives on the caller's stack while its fiber waits. */
struct invoke_call {
    struct fiber_wait wait; /* first member: what abandon gets */
    edge_ctx *caller;
    const char *name;
    const char *body; /* JSON text, the caller's */
    size_t body_length;
    int64_t timeout_ms; /* 0: the function's own */
    bool service;       /* as the service instead of the caller */
    bool answer_unread; /* the status is enough: no body, no headers */

    void *callee; /* the host's record of what runs; NULL before and after */
    bool ended;

    /* The outcome, in the caller's memory. */
    int status;
    const char *code, *message; /* of a failure, else NULL */
    int retry_after_seconds;
    json_t *answer; /* NULL: the caller's memory did not hold it */
    const edge_header *headers;
    bool not_served; /* no such function, or its plugin is not loaded: nothing has run */
};

/* All on the loop's stack. */
struct task_host {
    /* Starts the call; fills in the outcome and wakes it, at once or later. */
    void (*invoke)(struct invoke_call *call);
    /* The caller is gone: the call must not be touched again. */
    void (*leave)(struct invoke_call *call);
    /* A job has been added, or will be by the transaction that is open. */
    void (*enqueued)(void);
};

/* What serves this process; NULL: there are no other functions. host stays valid. */
void task_use(const struct task_host *host);

/* Makes a call and parks until it has ended. Fiber only. */
void task_invoke(struct invoke_call *call);

#endif
