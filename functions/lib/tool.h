/*
 * A tool's run at a service that its user has connected (spec workspace.md 0): the token, the log, the
 * provider's calls within the tool's 25 seconds, and its failures in the words and codes that all tools share.
 *
 *     struct tool *tool = tool_begin(ctx, "google_workspace");
 *     json_t *done = tool_log(tool, &(const struct tool_work){ ... });
 *     if (done != NULL)
 *         return tool_answer(done);                          an idempotency key that has been served before
 *     json_t *file = tool_call(tool, .provider = "google_apis", .what = "Creating the folder", ...);
 *     return tool_succeed(tool, data, url);
 */
#ifndef LIB_TOOL_H
#define LIB_TOOL_H

#include <edge/edge.h>

#include "lib/action.h"
#include "lib/token.h"
#include "lib/tool_output.h"

/* The answer's shape of every tool; .shape of its function. */
extern const edge_shape tool_shape;

struct tool {
    edge_ctx *ctx;
    const char *user;
    const struct token *token;
    const char *label;     /* the service's name for people */
    struct action *action; /* NULL: this run is not logged */
    json_t *extra;         /* members that every failure from now on has; NULL: none */
    const char *url;       /* what has been made so far, for the log of a failure */
};

/* The acting user's token, or the refusal in tools' words. */
EDGE_RETURNS_NONNULL struct tool *tool_begin(edge_ctx *ctx, const char *service);

/* As tool_begin, of a connection that has been read. */
EDGE_RETURNS_NONNULL struct tool *tool_of(const struct connection *connection);

/* What is to be logged: lib/action. */
struct tool_work {
    const char *type, *key;
    const edge_field *fields;
    json_t *in, *summary;
};

/* Begins the log of this run; the answer's data when the key has been served before, else NULL. */
json_t *tool_log(struct tool *tool, const struct tool_work *work);

struct tool_call {
    const char *provider, *method, *path;
    const char *url;  /* instead of path, where the provider takes one */
    const char *what; /* begins a failure's sentence: "Creating the folder" */
    const json_t *json;
    const void *body; /* instead of json */
    size_t length;
    const char *content_type;
    const char *token; /* instead of the user's: a Page's */
    const edge_header *headers;
    bool reads;      /* changes nothing: a GET, or a POST that only asks; repeated once */
    bool any_answer; /* what a 2xx says does not matter */
    const char *id;  /* a member that the answer has to have, as text */
};

/* Why a call failed, as it is answered. */
struct tool_failure {
    int status;
    const char *code;
    edge_failure said;
    bool refused; /* the token does not count any more: the connection is to be broken */
};

struct tool_result {
    const struct tool_failure *failure; /* NULL: it went well */
    const edge_reply *reply;            /* NULL: no time was left to call */
    json_t *json;
};

/* Calls the provider; a failure ends the run: it is logged and answered. Returns the answer's JSON. */
#define tool_call(tool, ...) tool_call_with((tool), &(const struct tool_call){ __VA_ARGS__ })
json_t *tool_call_with(struct tool *tool, const struct tool_call *call);

/* The same, and a failure is a value. */
#define tool_try_call(tool, ...) tool_try_call_with((tool), &(const struct tool_call){ __VA_ARGS__ })
struct tool_result tool_try_call_with(struct tool *tool, const struct tool_call *call);

/* Ends the run with a failure: logged, and answered with tool->extra. A refused token breaks the connection. */
EDGE_NORETURN void tool_fail(struct tool *tool, const struct tool_failure *failure);

/* The same for what the tool finds out itself. */
EDGE_NORETURN void tool_refuse(
    struct tool *tool, int status, const char *code, const char *message, const char *suggestion);

/* What is left of the tool's time, in milliseconds; not below 0. */
int64_t tool_time_left(const struct tool *tool);

/* {"success":true,"data":data} */
json_t *tool_answer(json_t *data);

/* Logs the success of a run and makes its answer. */
json_t *tool_succeed(struct tool *tool, json_t *data, const char *url);

#endif
