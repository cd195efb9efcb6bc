/*
 * invoke_call: calls other functions in process, one or several, and gives back what it got as values.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "name", EDGE_TEXT, .required = true, .help = "Function to call" },
    { "body", EDGE_JSON, .help = "Its body" },
    { "times", EDGE_INT, .min = 1, .max = 20, .fallback = "1", .help = "How many at once" },
    { "timeout", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "Limit of each call" },
    { "service", EDGE_BOOL, .fallback = "false", .help = "Call as the service" },
    { 0 },
};

struct one {
    json_t *in;
    edge_answer *answer;
};

static void *call(edge_ctx *ctx, void *arg)
{
    struct one *one = arg;
    one->answer = edge_invoke(ctx, edge_json_text(one->in, "name"), json_object_get(one->in, "body"),
        .timeout_ms = edge_json_int(one->in, "timeout", 0),
        .service = edge_json_bool(one->in, "service", false));
    return NULL;
}

static json_t *invoke_call(edge_ctx *ctx, json_t *in)
{
    struct one calls[20];
    edge_task *tasks[20];
    int64_t count = edge_json_int(in, "times", 1);
    for (int64_t i = 0; i < count; i++) {
        calls[i] = (struct one){ .in = in };
        tasks[i] = edge_spawn(ctx, call, &calls[i]);
    }

    json_t *answers = json_array();
    for (int64_t i = 0; i < count; i++) {
        edge_await(ctx, tasks[i]);
        const edge_answer *answer = calls[i].answer;
        json_t *headers = json_object();
        for (const edge_header *header = answer->headers; header->name != NULL; header++)
            json_object_set_new(headers, header->name, json_string(header->value));
        json_array_append_new(answers, json_pack("{s:i, s:s?, s:O, s:o}", "status", answer->status, "code",
                                           answer->code, "body", answer->body, "headers", headers));
    }
    return json_pack("{s:o}", "answers", answers);
}

EDGE_FUNCTION(invoke_call, .summary = "Calls functions in process", .input = input, .handle = invoke_call);
