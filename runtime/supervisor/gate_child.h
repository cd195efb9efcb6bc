/*
 * What the gate's child does, and how it says so; for gate.c.
 */
#ifndef SUPERVISOR_GATE_CHILD_H
#define SUPERVISOR_GATE_CHILD_H

#include "supervisor/gate.h"

#include <stdint.h>

enum gate_answer_kind {
    GATE_STEP, /* begins something that it may not come back from */
    GATE_ACCEPTED,
    GATE_REFUSED,
};

/* Through a pipe: each is written, and arrives, whole. */
struct gate_answer {
    enum gate_answer_kind kind;
    size_t index;
    char step[64], id[44], reason[GATE_REASON_BYTES];
};

/* Looks at the candidates that are not decided yet, and exits with 0. */
__attribute__((noreturn)) void gate_child_run(const struct gate *gate, int to, pid_t parent);

#endif
