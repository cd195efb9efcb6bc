/*
 * The gate: before anybody serves a build, a forked child loads and starts it, and says whether it may be
 * served. A hostile or broken plugin can only end that child.
 *
 * It looks at file, ABI and imports, opens the build (which runs its constructors), checks its descriptor and
 * the variables that it requires, calls init and self_test, has the database prepare the statements that it
 * declares, and counts threads. One child takes all candidates in turn; one that ends the child, or takes too
 * long, is refused, and another child goes on with the rest.
 */
#ifndef SUPERVISOR_GATE_H
#define SUPERVISOR_GATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define GATE_REASON_BYTES 512

struct candidate {
    const char *name, *file, *shown; /* as struct plugin_source */
    /* The answer. */
    bool decided, accepted;
    char id[44];                    /* ELF build id; "" when it could not even be read */
    char reason[GATE_REASON_BYTES]; /* of a refusal; or what could not be checked */
};

struct gate {
    struct ev_loop *loop;
    const char *database_url; /* NULL: statements are not checked */
    double seconds;           /* for one candidate */
    /* In the child, before anything is loaded: lets go of what is the supervisor's. */
    void (*in_child)(void *arg);
    void (*decided)(void *arg); /* every candidate is */
    void *arg;

    struct candidate *candidates;
    size_t count;
    /* Its own. */
    pid_t child; /* 0: none */
    int pipe;
    ev_io answers;
    ev_timer limit;
    size_t at; /* the candidate that the child is with */
    char step[64];
    bool timed_out;
};

/* Begins; candidates stay the caller's until decided is called, which may be before this returns. */
void gate_start(struct gate *gate);

/* A child of the process has ended. True when it was the gate's. */
bool gate_reap(struct gate *gate);

/* Ends the child; decided is not called. */
void gate_cancel(struct gate *gate);

#endif
