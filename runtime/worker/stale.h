/*
 * Functions whose source is newer than what is served, on a development host: their answers say so, or a caller
 * is told what the compiler said.
 */
#ifndef WORKER_STALE_H
#define WORKER_STALE_H

#include <stdbool.h>

struct exchange;

/* Of a routed request. True when it has been refused: 503 "function_stale", with the text. */
bool stale_refuse(struct exchange *exchange);

#endif
