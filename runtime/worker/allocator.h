/*
 * Whether the process is inside malloc: after a fault there nothing may run any more, elsewhere much may.
 */
#ifndef WORKER_ALLOCATOR_H
#define WORKER_ALLOCATOR_H

#include <stdbool.h>

/* Async-signal-safe: about the calling thread. */
bool allocator_busy(void);

#endif
