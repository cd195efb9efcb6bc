/*
 * The circuit breaker of a generation: one that ends workers again and again ([server] crash_limit times in
 * crash_window) is withdrawn. The build before it serves again; where there is none the function is
 * quarantined: callers get 503 function_quarantined with Retry-After, and when the time is over one a second
 * is let through as a probe. A probe that ends well opens it for everybody; one that crashes doubles the time.
 */
#ifndef SUPERVISOR_BREAKER_H
#define SUPERVISOR_BREAKER_H

struct breaker;
struct supervisor;

/* 0 or -ENOMEM. */
int breaker_open(struct supervisor *supervisor);
void breaker_close(struct supervisor *supervisor);

/* A generation of a function (its number) has ended, or held up, a worker. */
void breaker_count(struct supervisor *supervisor, int index, const char *generation);

/* Another build serves the function. */
void breaker_forget(struct supervisor *supervisor, int index);

#endif
