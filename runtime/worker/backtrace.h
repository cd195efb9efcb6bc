/*
 * Backtraces taken in signal handlers: addresses as file and offset, for the supervisor to name.
 */
#ifndef WORKER_BACKTRACE_H
#define WORKER_BACKTRACE_H

#include <ucontext.h>

struct slot_crash;

/* Learns which object is mapped where. Not in a handler. */
void backtrace_note_objects(void);

/*
 * Async-signal-safe. Follows the frame pointers (everything of ours is compiled with them) from the interrupted
 * code, as long as they lie between low and high.
 */
void backtrace_take(struct slot_crash *record, const ucontext_t *at, const char *low, const char *high);

#endif
