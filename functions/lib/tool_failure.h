/*
 * What a provider's answer means to a tool (spec workspace.md 0.5).
 */
#ifndef LIB_TOOL_FAILURE_H
#define LIB_TOOL_FAILURE_H

#include "lib/tool.h"

/* The failure that a reply is; NULL when it is none. reply NULL: there was no time left. */
const struct tool_failure *tool_failure_of(
    const struct tool *tool, const struct tool_call *call, const edge_reply *reply);

/* A failure of the tool's own. */
EDGE_RETURNS_NONNULL struct tool_failure *tool_failure_new(
    edge_ctx *ctx, int status, const char *code, const char *message, const char *suggestion);

/* 409 "reconnect_required"; the connection is to be broken. */
EDGE_RETURNS_NONNULL struct tool_failure *tool_failure_reconnect(const struct tool *tool, const char *message);

#endif
