/*
 * A worker's functions: which are served, and their routes.
 */
#ifndef WORKER_LOAD_H
#define WORKER_LOAD_H

struct worker;

/* Loads every enabled function; one that is refused is logged and answers 503. 0 or a negative errno. */
int load_functions(struct worker *worker);
void unload_functions(struct worker *worker);

#endif
