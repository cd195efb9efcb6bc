/*
 * crypto_seal: seals and opens what it is given, and shows what it can see of the key.
 */
#include <edge/edge.h>

#include <stdlib.h>

static const edge_field input[] = {
    { "seal", EDGE_JSON, .help = "Value to seal" },
    { "open", EDGE_JSON, .help = "Envelope to open" },
    { "ask", EDGE_BOOL, .help = "true: only whether anything can be sealed" },
    { "aad", EDGE_TEXT, .min = 0, .max = 200, .fallback = "test", .help = "What the envelope belongs to" },
    { 0 },
};

static json_t *crypto_seal(edge_ctx *ctx, json_t *in)
{
    const char *aad = edge_json_text(in, "aad");
    json_t *seal = json_object_get(in, "seal"), *open = json_object_get(in, "open"), *out = json_object();
    if (edge_json_bool(in, "ask", false))
        return json_pack("{s:b}", "available", edge_seal_available(ctx));
    if (seal != NULL)
        json_object_set_new(out, "sealed", edge_seal_json(ctx, seal, aad));
    if (open != NULL) {
        json_t *opened = edge_open_json(ctx, open, aad);
        json_object_set_new(out, "opened", opened != NULL ? opened : json_null());
    }
    if (seal == NULL && open == NULL)
        edge_seal_require(ctx);
    json_object_set_new(
        out, "visible", json_boolean(edge_env(ctx, "EDGE_ENCRYPTION_KEY") || getenv("EDGE_ENCRYPTION_KEY")));
    return out;
}

EDGE_FUNCTION(crypto_seal, .summary = "Seals and opens", .input = input, .handle = crypto_seal);
