/*
 * How much memory a worker may take: [server] worker_memory, beside its fibers' stacks.
 *
 * What a function takes of its invocation's memory has the function's own limit (arena.h). malloc behind our
 * back has this one: beyond it malloc and mmap fail (RLIMIT_DATA), for that worker alone and not for the
 * machine. Stacks are address space that is mostly never touched, so each raises the limit by its size.
 *
 * Others who are served by the same worker are not to suffer from it: for whoever is no plugin there is a
 * reserve behind the limit. A worker that has come near to the limit retires, and another begins afresh.
 */
#ifndef WORKER_MEMORY_LIMIT_H
#define WORKER_MEMORY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

/* What worker_memory comes to: itself, or for 0 the share of one of so many workers, at least 1 GiB. */
size_t memory_share(size_t configured, int workers);

/* Limits this process. Not under AddressSanitizer, whose shadow is counted as well. */
void memory_limit_start(size_t bytes);

/* Whether most of it is taken; *used: how much. */
bool memory_is_short(size_t *used);

/*
 * Around an allocation that has failed, tried once more: true when the reserve is open for its caller, who is
 * no plugin. Closing hands the result through.
 */
bool memory_reserve_open(const void *caller);
void *memory_reserve_close(void *memory);

#endif
