/*
 * researchAndSummarizeTool: a digest of a topic, from what the model knows. The gateway does not search the
 * web, and "grounded": false says so. No database.
 */
#include <edge/edge.h>

#include "lib/completion.h"
#include "lib/prompts.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The acting user, under the service key" },
    { "query", EDGE_TEXT, .min = 1, .max = 2000, .required = true, .help = "Topic or question" },
    { "focus", EDGE_TEXT, .min = 0, .max = 500, .help = "The angle that matters" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "query", EDGE_TEXT, .required = true, .help = "As sent" },
    { "summary", EDGE_TEXT, .required = true, .help = "The digest" },
    { "focus", EDGE_TEXT, .required = true, .help = "As sent, or general" },
    { "grounded", EDGE_BOOL, .required = true, .help = "false: nothing was looked up" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "data", EDGE_OBJECT, .fields = data_fields, .required = true, .help = "What was found" },
    { 0 },
};

static const char *question(edge_ctx *ctx, const char *query, const char *focus)
{
    return edge_format(ctx,
        "%s%s%s\n\nSummarise this for a property agent as a short digest: the main findings first, then what "
        "the"
        " agent can do with them.",
        query, focus != NULL ? "\n\nThe angle that matters: " : "", focus != NULL ? focus : "");
}

static json_t *research(edge_ctx *ctx, json_t *in)
{
    const char *query = edge_json_text(in, "query"), *focus = edge_json_text(in, "focus");
    gateway_require_key(ctx);

    const struct gateway_ask ask = { .messages =
                                         completion_messages(prompt_research, question(ctx, query, focus)) };
    const char *summary = completion_trim(ctx, completion_ask(ctx, &ask)->content);
    if (summary[0] == '\0')
        gateway_fail(ctx, &gateway_unusable);

    return json_pack("{s:b, s:{s:s, s:s, s:s, s:b, s:s}}", "success", 1, "data", "query", query, "summary",
        summary, "focus", focus != NULL ? focus : "general", "grounded", 0, "message",
        "A summary of what the model knows; nothing was looked up on the web");
}

EDGE_FUNCTION(researchAndSummarizeTool,
    .summary = "A digest of a topic, from what the model knows",
    .input = input,
    .output = output,
    .handle = research,
    .shape = &completion_shape,
    .trims = true);
