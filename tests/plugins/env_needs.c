/*
 * env_needs: cannot be loaded without its variable.
 */
#include <edge/edge.h>

static const char *const variables[] = { "ENV_NEEDS_KEY", NULL };

static json_t *tell(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return json_pack("{s:b}", "has", edge_env(ctx, "ENV_NEEDS_KEY") != NULL);
}

EDGE_FUNCTION(env_needs, .summary = "Says whether it has its key", .env = variables, .handle = tell);
