/*
 * Faults on purpose, for tests: the n-th thing that is sent to the server from now on goes wrong.
 *
 * It is armed by a call and by nothing else, neither configuration nor environment: no request and no operator
 * can make a host fail, and a build for tests is the build that is deployed. Unarmed it costs one comparison
 * an operation.
 */
#ifndef DB_FAULT_H
#define DB_FAULT_H

#include <stdbool.h>

enum db_fault {
    FAULT_NONE,
    FAULT_REFUSED,      /* the server answers with an error */
    FAULT_BREAK_BEFORE, /* the connection is lost before anything was sent */
    FAULT_BREAK_AFTER,  /* the server has it, and the connection is lost as its answer comes */
};

/* nth: 1 is the next operation, or the next beginning or end of a COPY. */
void fault_arm(enum db_fault fault, int nth);

/* Whether it has come to that; disarms. */
bool fault_disarm(void);

/* What is to happen to what is being sent. */
enum db_fault fault_next(void);

#endif
