/*
 * invoke_callee: shows who calls it and with what, and answers in each of the ways there are.
 */
#include <edge/edge.h>

#include <string.h>

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Acting user under the service key" },
    { "how", EDGE_ENUM,
        .values = (const char *const[]){ "json", "stream", "bytes", "text", "fail", "abort", NULL },
        .fallback = "json", .help = "How to answer" },
    { "ms", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "How long to wait first" },
    { "after", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "How long to work after the answer" },
    { "depth", EDGE_INT, .min = 0, .max = 100, .fallback = "0", .help = "How often to call itself" },
    { 0 },
};

static void work_after(edge_ctx *ctx, void *arg)
{
    edge_sleep(ctx, *(int64_t *)arg);
    edge_log(ctx, EDGE_LOG_INFO, "callee_background_done", { "user", edge_text(edge_auth_try_user(ctx)) });
}

static json_t *seen(edge_ctx *ctx, json_t *in)
{
    static const char *const callers[] = { "nobody", "user", "service", "webhook" };
    const char *key = edge_request_header(ctx, "idempotency-key");
    const char *organisation = edge_auth_organisation(ctx);
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:O, s:s, s:s, s:s, s:O}", "caller",
        callers[edge_auth_caller(ctx)], "user", edge_auth_try_user(ctx), "organisation", organisation, "key",
        key, "claims", edge_auth_claims(ctx), "ip", edge_request_ip(ctx), "method", edge_request_method(ctx),
        "requestId", edge_request_id(ctx), "in", in);
}

static json_t *answer(edge_ctx *ctx, json_t *in, const char *how)
{
    if (strcmp(how, "fail") == 0)
        edge_fail_with(ctx, 409, "not_connected", .message = "Nothing is connected", .suggestion = "Connect it",
            .field = "how");
    if (strcmp(how, "stream") == 0) {
        edge_stream_event(ctx, NULL, json_pack("{s:i}", "n", 1));
        edge_stream_event(ctx, "tool", json_pack("{s:i}", "n", 2));
        edge_stream_event(ctx, "final", seen(ctx, in));
        return NULL;
    }
    if (strcmp(how, "abort") == 0)
        edge_stream_abort(ctx);
    if (strcmp(how, "bytes") == 0)
        edge_respond_bytes(ctx, "application/octet-stream", "\0\1\2", 3);
    if (strcmp(how, "text") == 0)
        edge_respond_bytes(ctx, "application/json", "[1,2]", 5);
    return strcmp(how, "json") == 0 ? seen(ctx, in) : NULL;
}

static json_t *invoke_callee(edge_ctx *ctx, json_t *in)
{
    edge_response_header(ctx, "x-callee", "here");
    if (edge_json_int(in, "ms", 0) > 0) {
        edge_log(ctx, EDGE_LOG_INFO, "callee_waits");
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    }
    if (edge_json_int(in, "after", 0) > 0) {
        int64_t *ms = edge_alloc(ctx, sizeof *ms);
        *ms = edge_json_int(in, "after", 0);
        edge_wait_until(ctx, work_after, ms);
    }
    int64_t depth = edge_json_int(in, "depth", 0);
    if (depth > 0) {
        edge_answer *inner =
            edge_invoke(ctx, "invoke_callee", json_pack("{s:I}", "depth", (json_int_t)(depth - 1)));
        if (inner->status >= 400)
            edge_fail(ctx, inner->status, inner->code, "An inner call failed");
        int64_t reached = edge_json_int(inner->body, "reached", 0);
        return json_pack(
            "{s:I, s:s?}", "reached", (json_int_t)(reached + 1), "user", edge_json_text(inner->body, "user"));
    }
    return answer(ctx, in, edge_json_text(in, "how"));
}

EDGE_FUNCTION(invoke_callee, .summary = "Shows who calls it", .input = input, .handle = invoke_callee,
    .streams = true, .service_without_user = true);
