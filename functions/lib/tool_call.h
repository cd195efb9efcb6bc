/*
 * One call of a tool that a model has asked for (spec ai.md S5): what was asked, whether it may run, and what
 * came of it. A call that fails, for whatever reason, is a value; nothing here ends the chat.
 */
#ifndef LIB_TOOL_CALL_H
#define LIB_TOOL_CALL_H

#include <edge/edge.h>

#include "lib/tools.h"

/* Item of toolCalls, as tool_call_entry makes it. */
extern const edge_field tool_call_output;

struct tool_call {
    const char *id, *name;
    const struct tool *tool;  /* NULL: the persona has none of that name */
    const char *unparsable;   /* the arguments' text, when it is no JSON object; else NULL */
    json_t *args;             /* the arguments, without what the tool does not declare */
    const char *error;        /* NULL: it succeeded, or has not run yet */
    const char *suggestion;   /* with error */
    json_t *result;           /* the function's body, without binary data; NULL when it was not called */
    int64_t duration_ms;      /* 0 when it was not called */
    struct tool_call *twin;   /* an equal call before it, whose result it shares */
    struct tool_call *behind; /* the call that has to run after this one */
    bool follows;             /* it is such a call */
};

/*
 * Reads one item of the gateway's tool_calls. What may not run has its error set: no object, no such tool, a
 * parameter missing or wrong, or a permission (rows of autopilot_permissions) withheld.
 */
void tool_call_read(edge_ctx *ctx, struct tool_call *call, const struct toolset *set, json_t *asked,
    const edge_rows *permissions);

/* Calls the tool's function as the caller and fills result, duration_ms, error. Parks. */
void tool_call_run(edge_ctx *ctx, struct tool_call *call);

/* Sets the error and, unless one is given, the suggestion that goes with it. */
void tool_call_fail(edge_ctx *ctx, struct tool_call *call, const char *error, const char *suggestion);

/* Takes over what became of its twin. */
void tool_call_share(struct tool_call *call);

/* Its entry in the answer's toolCalls, and the message that tells the model. */
EDGE_RETURNS_NONNULL json_t *tool_call_entry(const struct tool_call *call);
EDGE_RETURNS_NONNULL json_t *tool_call_message(edge_ctx *ctx, const struct tool_call *call);

/* Its row for ai_tool_usage. */
EDGE_RETURNS_NONNULL json_t *tool_call_usage(edge_ctx *ctx, const struct tool_call *call);

#endif
