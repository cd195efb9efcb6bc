/*
 * What a worker does when a function crashes, or does not let go of it.
 *
 * The fault's handler runs on an alternate stack. In a function's fiber, outside the allocator, it notes where
 * it happened in the worker's slot, tears the fiber off and goes back to the loop: the caller gets 500
 * "function_crashed" (or "cpu_limit"), the worker accepts no more, the other fibers have two seconds, and the
 * supervisor has been told to start another worker. A second fault, one inside the allocator or in the host
 * itself ends the process at once; before it does, callers that wait get an answer rendered beforehand.
 */
#ifndef WORKER_CRASH_H
#define WORKER_CRASH_H

struct worker;

/* For how long the other fibers go on. */
#define CRASH_DRAIN_MS 2000

/* Takes over SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, and SIGUSR2 of the watchdog. retire: stop accepting. */
void crash_install(struct worker *worker, void (*retire)(struct worker *worker));

#endif
