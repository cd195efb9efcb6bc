/*
 * googleCalendarAuth: the calendar step of onboarding: whether a usable calendar token is there (refreshing it
 * when it is due), a consent URL, and the end of the flow. One round trip for a check without refresh, and for
 * the URL; three for the callback.
 *
 * Google: https://developers.google.com/identity/protocols/oauth2/web-server.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"
#include "lib/token.h"

static const char *const services[] = { "google_workspace", NULL };

static const edge_field payload[] = {
    { "code", EDGE_TEXT, .min = 1, .max = 4096, .help = "What the provider's redirect carried" },
    { "state", EDGE_TEXT, .min = 1, .max = 1024, .help = "As the provider's redirect carried it" },
    { "error", EDGE_TEXT, .min = 1, .max = 200, .help = "The provider's refusal instead of a code" },
    { "error_description", EDGE_TEXT, .min = 0, .max = 2000, .help = "Goes no further" },
    { "redirectPath", EDGE_TEXT, .min = 1, .max = 512, .help = "getAuthUrl: path to go on at" },
    { 0 },
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "action", EDGE_JSON, .help = "check_token, getAuthUrl or handleCallback" },
    { "redirectPath", EDGE_TEXT, .min = 1, .max = 512, .help = "getAuthUrl: path to go on at" },
    { "payload", EDGE_OBJECT, .fields = payload,
        .help = "handleCallback: what the provider's redirect carried; getAuthUrl: redirectPath" },
    { 0 },
};

static const edge_field output[] = {
    { "hasToken", EDGE_BOOL, .help = "check_token: whether the calendar can be used" },
    { "needsReconnect", EDGE_BOOL, .help = "check_token: whether the user has to connect again" },
    { "accountEmail", EDGE_TEXT, .help = "check_token, handleCallback: address of the account" },
    { "expiresAt", EDGE_DATETIME, .help = "check_token: of the token; getAuthUrl: of the URL" },
    { "success", EDGE_BOOL, .help = "handleCallback: true" },
    { "service", EDGE_ENUM, .values = services, .help = "getAuthUrl, handleCallback: what is connected" },
    { "scopes", EDGE_ARRAY, .items = &oauth_scope_output,
        .help = "getAuthUrl: permissions asked for; handleCallback: given" },
    OAUTH_BEGIN_MEMBERS(false),
    OAUTH_FINISH_MEMBERS(false),
    { 0 },
};

static bool lists(const json_t *scopes, const char *wanted)
{
    size_t i;
    json_t *scope;
    json_array_foreach((json_t *)scopes, i, scope)
    {
        if (json_is_string(scope) && strcmp(json_string_value(scope), wanted) == 0)
            return true;
    }
    return false;
}

static json_t *checked(
    bool has_token, bool needs_reconnect, const struct connection *connection, json_t *expires)
{
    return json_pack("{s:b, s:b, s:s?, s:o}", "hasToken", has_token, "needsReconnect", needs_reconnect,
        "accountEmail", edge_json_text(connection->settings, "account_email"), "expiresAt", expires);
}

static json_t *check_token(edge_ctx *ctx)
{
    const struct connection *connection = connection_read(ctx, edge_auth_user(ctx), "google_workspace");
    const json_t *scopes = json_object_get(connection->settings, "scopes");
    if (connection->failure == NULL && json_is_array(scopes) && !lists(scopes, SERVICE_CALENDAR_SCOPE))
        return checked(false, true, connection, json_null());

    const struct token *token = token_of(connection);
    if (token->failure != NULL && token->failure->status != 409)
        connection_fail(ctx, token->failure);
    if (token->failure != NULL)
        return checked(false, strcmp(token->failure->code, "reconnect_required") == 0, connection, json_null());
    return checked(true, false, connection,
        token->expires_at != 0 ? json_string(edge_iso_time(ctx, token->expires_at * 1000000)) : json_null());
}

static json_t *get_auth_url(edge_ctx *ctx, json_t *in)
{
    const char *path = oauth_redirect_path(ctx, in, "redirectPath");
    if (path == NULL)
        path = oauth_redirect_path(ctx, json_object_get(in, "payload"), "payload.redirectPath");
    return oauth_begin(ctx, &(const struct oauth_beginning){ .service = "google_workspace",
                                .slug = SERVICE_CALENDAR_SLUG,
                                .scopes = service_calendar_scopes,
                                .redirect_path = path });
}

static json_t *handle_callback(edge_ctx *ctx, json_t *in)
{
    const json_t *body = json_object_get(in, "payload");
    if (!json_is_object(body))
        edge_fail_with(ctx, 400, "invalid_input", .field = "payload", .message = "payload is required");
    return oauth_finish(ctx, body, "payload.", services);
}

static json_t *google_calendar_auth(edge_ctx *ctx, json_t *in)
{
    const char *action = edge_json_text(in, "action");
    if (action != NULL && strcmp(action, "check_token") == 0)
        return check_token(ctx);
    if (action != NULL && strcmp(action, "getAuthUrl") == 0)
        return get_auth_url(ctx, in);
    if (action != NULL && strcmp(action, "handleCallback") == 0)
        return handle_callback(ctx, in);
    edge_fail_with(ctx, 400, "invalid_input", .field = "action", .message = "Action not implemented");
}

EDGE_FUNCTION(googleCalendarAuth,
    .summary = "Checks for a usable Google calendar token, and connects one",
    .input = input,
    .output = output,
    .handle = google_calendar_auth,
    .shape = &oauth_callback_shape);
