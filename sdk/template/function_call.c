/*
 * @NAME@: greets by name.
 *
 * Database round trips: none.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "name", EDGE_TEXT, .min = 1, .max = 100, .fallback = "world", .help = "Whom to greet" },
    { 0 },
};

static json_t *handle(edge_ctx *ctx, json_t *in)
{
    const char *greeting = edge_format(ctx, "Hello %s", edge_json_text(in, "name"));
@if signed
    return json_pack("{s:s, s:s}", "greeting", greeting, "userId", edge_auth_user(ctx));
@end
@if perhaps
    return json_pack("{s:s, s:s?}", "greeting", greeting, "userId", edge_auth_try_user(ctx));
@end
@if nobody
    return json_pack("{s:s}", "greeting", greeting);
@end
}

EDGE_FUNCTION(@NAME@,
    .summary = "Greets by name",
    .input = input,
    .handle = handle);
