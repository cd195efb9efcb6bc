/*
 * sandbox_control: tells the stand-ins what to do next (POST /sandbox/_control) and what they were sent
 * (GET /sandbox/_requests?provider=...). For development and tests only; lib/sandbox.h says what an order may
 * hold.
 *
 *     POST /sandbox/_control {"provider": "lovable_ai", "reset": true, "answers": [{"status": 429}]}
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"

static const edge_field answer = { .name = "answer", .type = EDGE_OBJECT };

static const edge_field input[] = {
    { "provider", EDGE_TEXT, .help = "Whose answers to set; required by POST" },
    { "reset", EDGE_BOOL, .fallback = "false", .help = "First forget earlier orders and recorded requests" },
    { "answers", EDGE_ARRAY, .min = 0, .max = 1000, .items = &answer, .fallback = "[]",
        .help = "Orders, in turn" },
    { 0 },
};

static const char *checked(edge_ctx *ctx, const char *provider)
{
    if (!sandbox_is_provider(provider))
        edge_fail_with(ctx, 400, "invalid_input",
            .message = "provider must be a provider's name, as lovable_ai", .field = "provider");
    return provider;
}

static json_t *control(edge_ctx *ctx, json_t *in)
{
    if (strcmp(edge_request_method(ctx), "GET") == 0) {
        const char *provider = checked(ctx, edge_request_query(ctx, "provider"));
        return json_pack("{s:o}", "requests", sandbox_requests(ctx, provider));
    }

    const char *provider = checked(ctx, edge_json_text(in, "provider"));
    if (edge_json_bool(in, "reset", false))
        sandbox_reset(ctx, provider);

    size_t i;
    json_t *order;
    json_array_foreach(json_object_get(in, "answers"), i, order) sandbox_order(ctx, provider, order);
    return json_pack("{s:s, s:I}", "provider", provider, "queued", (json_int_t)i);
}

EDGE_FUNCTION(sandbox_control,
    .summary = "Orders for the stand-ins of outside providers, and what those were sent",
    .input = input,
    .handle = control,
    .methods = "GET POST");
