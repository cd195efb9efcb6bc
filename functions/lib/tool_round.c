/*
 * Rounds of tool calls. Calls that have to keep an order are a chain that one fiber runs; every other call has
 * a fiber of its own.
 */
#include "lib/tool_round.h"

#include "lib/tool_call.h"

#include <string.h>

enum {
    CALLS_MAX = 8,
};

/* The head of a chain on its way through its fiber. */
struct chain {
    struct tool_round *round;
    struct tool_call *first;
};

static void report(struct tool_round *round, const struct tool_call *call, const char *status)
{
    bool ended = strcmp(status, "started") != 0;
    json_t *event = json_pack("{s:s, s:s, s:s}", "id", call->id, "name", call->name, "status", status);
    if (ended)
        json_object_set_new(event, "durationMs", json_integer(call->duration_ms));
    if (ended && call->error != NULL)
        json_object_set_new(event, "error", json_string(call->error));
    chat_stream_tool(round->stream, event);
}

static void report_end(struct tool_round *round, const struct tool_call *call)
{
    report(round, call, call->error == NULL ? "success" : "failed");
}

static void *run_chain(edge_ctx *ctx, void *arg)
{
    struct chain *chain = arg;
    for (struct tool_call *call = chain->first; call != NULL; call = call->behind) {
        report(chain->round, call, "started");
        tool_call_run(ctx, call);
        report_end(chain->round, call);
    }
    return NULL;
}

static bool are_equal(const struct tool_call *a, const struct tool_call *b)
{
    return a->tool == b->tool && json_equal(a->args, b->args);
}

static bool share_order(const struct tool_call *a, const struct tool_call *b)
{
    const char *mine = edge_json_text(a->args, "transactionId"),
               *other = edge_json_text(b->args, "transactionId");
    return a->tool == b->tool && a->tool->in_order && strcmp(mine, other) == 0;
}

/* Finds the call's place behind those before it: as a twin, in a chain, or for itself. */
static void place(struct tool_call *calls, struct tool_call *call)
{
    for (struct tool_call *before = calls; before < call; before++) {
        if (before->error != NULL || before->twin != NULL)
            continue;
        if (are_equal(before, call)) {
            call->twin = before;
            return;
        }
    }
    for (struct tool_call *before = call; before-- > calls;)
        if (before->error == NULL && before->twin == NULL && share_order(before, call)) {
            before->behind = call;
            call->follows = true;
            return;
        }
}

static void run_all(struct tool_round *round, struct tool_call *calls, size_t count)
{
    edge_task *tasks[CALLS_MAX];
    size_t running = 0;
    for (struct tool_call *call = calls; call < calls + count; call++) {
        if (call->error != NULL || call->twin != NULL || call->follows)
            continue;
        struct chain *chain = edge_alloc(round->ctx, sizeof *chain);
        *chain = (struct chain){ round, call };
        tasks[running++] = edge_spawn(round->ctx, run_chain, chain);
    }
    for (size_t i = 0; i < running; i++)
        edge_await(round->ctx, tasks[i]);
}

/* As the service: users may read their audit trail and not write it. The order of the rows is the calls'. */
static void log_usage(struct tool_round *round, const struct tool_call *calls, size_t count)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        if (calls[i].twin == NULL)
            json_array_append_new(rows, tool_call_usage(round->ctx, &calls[i]));

    edge_error error;
    edge_rows *logged = edge_try_service_query(round->ctx, &error,
        "INSERT INTO ai_tool_usage (user_id, agent_type, tool_name, tool_args, tool_result, execution_time_ms,"
        " success, error_message, created_at)"
        " SELECT $1, $2, tool_name, tool_args, tool_result, execution_time_ms, success, error_message,"
        " clock_timestamp()"
        " FROM jsonb_to_recordset($3) AS (tool_name text, tool_args jsonb, tool_result jsonb,"
        " execution_time_ms integer, success boolean, error_message text)",
        edge_text(edge_auth_user(round->ctx)), edge_text(round->persona->agent_type), edge_json(rows));
    if (logged == NULL)
        edge_log(round->ctx, EDGE_LOG_WARN, "tool_usage_not_logged", { "code", edge_text(error.code) },
            { "detail", edge_text(error.detail) });
}

/*
 * The message as it came. A call without an id gets one, since its answer has to name it; what is no call at
 * all becomes one of no tool.
 */
static json_t *assistant_message(struct tool_round *round, const struct gateway_answer *answer)
{
    for (size_t i = 0; i < json_array_size(answer->tool_calls); i++) {
        json_t *call = json_array_get(answer->tool_calls, i);
        if (!json_is_object(call) || !json_is_object(json_object_get(call, "function"))) {
            call =
                json_pack("{s:s, s:{s:s, s:s}}", "type", "function", "function", "name", "", "arguments", "{}");
            json_array_set_new(answer->tool_calls, i, call);
        }
        const char *id = edge_json_text(call, "id");
        if (id == NULL || id[0] == '\0')
            json_object_set_new(call, "id", json_sprintf("call_%d_%zu", round->number, i));
    }
    return json_pack("{s:s, s:s?, s:O}", "role", "assistant", "content",
        answer->content[0] != '\0' ? answer->content : NULL, "tool_calls", answer->tool_calls);
}

static void read_calls(struct tool_round *round, struct tool_call *calls, json_t *asked)
{
    for (size_t i = 0; i < json_array_size(asked); i++) {
        struct tool_call *call = &calls[i];
        tool_call_read(round->ctx, call, round->persona->tools, json_array_get(asked, i), round->permissions);
        if (i >= CALLS_MAX)
            tool_call_fail(round->ctx, call, "Too many tool calls in one round", NULL);
        if (call->error != NULL)
            report_end(round, call);
        else
            place(calls, call);
    }
}

void tool_round_run(struct tool_round *round, const struct gateway_answer *answer)
{
    size_t count = json_array_size(answer->tool_calls);
    json_array_append_new(round->messages, assistant_message(round, answer));
    struct tool_call *calls = edge_alloc(round->ctx, count * sizeof *calls);
    read_calls(round, calls, answer->tool_calls);
    run_all(round, calls, count);

    for (struct tool_call *call = calls; call < calls + count; call++) {
        if (call->twin != NULL) {
            tool_call_share(call);
            report_end(round, call);
        }
        json_array_append_new(round->messages, tool_call_message(round->ctx, call));
        json_array_append_new(round->entries, tool_call_entry(call));
    }
    log_usage(round, calls, count);
}
