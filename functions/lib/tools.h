/*
 * The chat agents' tools (spec ai.md S4): which there are, and what a model may pass to each.
 *
 * A tool names the function that it calls, so a function that is not there yet makes a tool that fails, and one
 * that appears makes it work; nothing else has to know.
 */
#ifndef LIB_TOOLS_H
#define LIB_TOOLS_H

#include <edge/edge.h>

enum tool_type {
    TOOL_TEXT = 1,
    TOOL_NUMBER,
    TOOL_OBJECT, /* free keys */
    TOOL_TEXTS,  /* array of strings */
    TOOL_ROWS,   /* array of arrays of string, number, boolean or null */
};

/* One parameter; tables end with { 0 }. */
struct tool_parameter {
    const char *name;
    enum tool_type type;
    bool required;
    const char *help;
    const char *const *choices; /* NULL-terminated; NULL: any text */
    int min, max;               /* of a number, told to the model; off when both are 0 */
};

struct tool {
    const char *name, *function;
    const char *purpose;
    const char *integration; /* what has to be connected for it; NULL: nothing */
    const char *permission;  /* key in autopilot_permissions; NULL: needs none */
    int64_t timeout_ms;      /* 0: 30 s */
    bool in_order;           /* calls with one transactionId run in the order they were asked for */
    struct tool_parameter parameters[8];
};

/* A persona's tools. */
struct toolset {
    const struct tool *tools;
    size_t count;
};

extern const struct toolset tools_assistant, tools_content, tools_transactions;

/* The tool of that name among a persona's own, NULL when it has none. */
const struct tool *tools_find(const struct toolset *set, const char *name);

/* How long a call may take. */
int64_t tools_timeout_ms(const struct tool *tool);

/* The member "tools" of a question to the gateway: the set's functions with their JSON schemas. */
EDGE_RETURNS_NONNULL json_t *tools_json(const struct toolset *set);

#endif
