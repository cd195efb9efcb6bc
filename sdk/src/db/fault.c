/*
 * Faults on purpose; see fault.h.
 */
#include "db/fault.h"

static enum db_fault armed;
static int left;

void fault_arm(enum db_fault fault, int nth)
{
    armed = fault;
    left = nth;
}

bool fault_disarm(void)
{
    bool happened = armed != FAULT_NONE && left <= 0;
    armed = FAULT_NONE;
    return happened;
}

enum db_fault fault_next(void)
{
    if (armed == FAULT_NONE || left <= 0)
        return FAULT_NONE;
    return --left == 0 ? armed : FAULT_NONE;
}
