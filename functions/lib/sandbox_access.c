/*
 * Access tokens at the stand-ins.
 */
#include "lib/sandbox_access.h"

#include <string.h>

#include "lib/sandbox_oauth.h"

const char *sandbox_token(edge_ctx *ctx)
{
    const char *given = edge_request_header(ctx, "authorization");
    if (given == NULL || strncmp(given, "Bearer ", 7) != 0 || given[7] == '\0')
        return NULL;
    const char *token = given + 7;
    return sandbox_token_counts(ctx, token) ? token : NULL;
}
