/*
 * Tasks of a user's action plan.
 */
#ifndef LIB_TASK_H
#define LIB_TASK_H

#include <edge/edge.h>

/* What a status may be; NULL-terminated. */
extern const char *const task_statuses[];

/* Output table of who answers with one task: {"success": true, "data": a row of daily_actions}. */
extern const edge_field task_output[];

#endif
