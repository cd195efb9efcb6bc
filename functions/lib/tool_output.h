/*
 * Output tables of the tools (spec crm.md S1, workspace.md 0): {"success": true, "data": {..., "message"}}.
 */
#ifndef LIB_TOOL_OUTPUT_H
#define LIB_TOOL_OUTPUT_H

#include <edge/edge.h>

/* Output table of a tool, of the members of its data. */
/* clang-format off */
#define TOOL_OUTPUT(members) { \
    { "success", EDGE_BOOL, .required = true, .help = "true" }, \
    { "data", EDGE_OBJECT, .fields = (members), .required = true, .help = "What was done or found" }, \
    { 0 }, \
}
/* clang-format on */

/* Members of every tool's data, and what is added to the answer of an earlier call. */
#define TOOL_MESSAGE_FIELD                                                                                     \
    {                                                                                                          \
        "message", EDGE_TEXT, .required = true, .help = "A sentence about it"                                  \
    }
#define TOOL_REPLAYED_FIELD                                                                                    \
    {                                                                                                          \
        "replayed", EDGE_BOOL, .help = "true: the answer of an earlier call with this idempotency key"         \
    }

#endif
