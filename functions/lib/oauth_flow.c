/*
 * Connecting an account: what both halves share.
 */
#include "lib/oauth_flow.h"

#include <string.h>

#include "lib/oauth_flow_parts.h"

enum {
    PATH_MAX_CHARACTERS = 512,
    /* A state is at most 1,024 characters: 43, a dot, and the path in base64url. */
    PATH_MAX_BYTES = 735,
};

const edge_shape oauth_callback_shape = { .success_false = true };

const edge_field oauth_begin_input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "redirectPath", EDGE_TEXT, .min = 1, .max = PATH_MAX_CHARACTERS,
        .help = "Path in the application to go on at after connecting, as /onboarding" },
    { 0 },
};

const edge_field oauth_callback_input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "code", EDGE_TEXT, .min = 1, .max = 4096,
        .help = "What the provider's redirect carried; required without error" },
    { "state", EDGE_TEXT, .min = 1, .max = 1024, .help = "As the provider's redirect carried it; required" },
    { "error", EDGE_TEXT, .min = 1, .max = 200, .help = "The provider's refusal instead of a code" },
    { "error_description", EDGE_TEXT, .min = 0, .max = 2000, .help = "Goes no further" },
    { 0 },
};

/* C0, DEL, and C1 in UTF-8. */
static bool has_control(const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++)
        if (*at < ' ' || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
            return true;
    return false;
}

bool oauth_path_is_local(const char *path)
{
    return path[0] == '/' && path[1] != '/' && strchr(path, '\\') == NULL && !has_control(path) &&
           strlen(path) <= PATH_MAX_BYTES;
}

const char *oauth_redirect_path(edge_ctx *ctx, const json_t *in, const char *field)
{
    const char *path = edge_json_text(in, "redirectPath");
    if (path == NULL || path[0] == '\0')
        return NULL;
    if (!oauth_path_is_local(path))
        edge_fail_with(ctx, 400, "invalid_input",
            .message =
                edge_format(ctx, "%s must be a path in the application, beginning with one slash", field),
            .field = field);
    return path;
}

void oauth_no_store(edge_ctx *ctx)
{
    edge_response_header(ctx, "Cache-Control", "no-store");
}
