/*
 * Connecting an account: what was granted of what was asked for (spec oauth.md S4).
 */
#include <string.h>
#include <strings.h>

#include "lib/oauth_flow_parts.h"

/* Who one is, and that the access may go on: nothing a tool would miss. */
static bool is_identity(const char *scope)
{
    static const char *const identity[] = { "openid", "email", "profile", "offline_access" };
    for (size_t i = 0; i < sizeof identity / sizeof *identity; i++)
        if (strcmp(identity[i], scope) == 0)
            return true;
    return false;
}

/* Google and Microsoft name some scopes in two ways. */
static const char *normalised(const char *scope)
{
    static const char graph[] = "https://graph.microsoft.com/";
    if (strcmp(scope, "https://www.googleapis.com/auth/userinfo.email") == 0)
        return "email";
    if (strcmp(scope, "https://www.googleapis.com/auth/userinfo.profile") == 0)
        return "profile";
    return strncasecmp(scope, graph, strlen(graph)) == 0 ? scope + strlen(graph) : scope;
}

static bool is_granted(const struct oauth_callback *callback, const char *wanted)
{
    bool microsoft = callback->service->provider == SERVICE_MICROSOFT;
    size_t i;
    json_t *entry;
    json_array_foreach(callback->scopes, i, entry)
    {
        const char *scope = normalised(json_string_value(entry));
        if (microsoft ? strcasecmp(scope, wanted) == 0 : strcmp(scope, wanted) == 0)
            return true;
    }
    return false;
}

/* What the flow asked for: a Google state of the calendar's redirect URI wanted less. */
static const char *const *requested(const struct oauth_callback *callback)
{
    const char *calendar = oauth_redirect_uri(callback->ctx, SERVICE_CALENDAR_SLUG);
    bool short_list = callback->service->provider == SERVICE_GOOGLE && callback->redirect_uri != NULL &&
                      strcmp(callback->redirect_uri, calendar) == 0;
    return short_list ? service_calendar_scopes : callback->service->scopes;
}

static json_t *reported(const struct oauth_callback *callback)
{
    return callback->meta != NULL ? callback->meta->granted : callback->grant->scopes;
}

void oauth_check_scopes(struct oauth_callback *callback)
{
    edge_ctx *ctx = callback->ctx;
    const char *const *wanted = requested(callback);
    size_t wanted_count = 0;
    callback->scopes = reported(callback);
    bool silent = callback->scopes == NULL;
    if (silent)
        callback->scopes = json_array();
    callback->missing_scopes = json_array();
    for (; *wanted != NULL; wanted++) {
        if (silent)
            json_array_append_new(callback->scopes, json_string(*wanted));
        if (is_identity(*wanted))
            continue;
        wanted_count++;
        if (!is_granted(callback, *wanted))
            json_array_append_new(callback->missing_scopes, json_string(*wanted));
    }
    if (wanted_count > 0 && json_array_size(callback->missing_scopes) == wanted_count)
        oauth_callback_fail(callback,
            &(const struct connection_failure){ 422, "insufficient_scope",
                { .message = edge_format(ctx, "%s was connected without any of the permissions that are needed",
                      callback->service->label),
                    .suggestion = "Connect again and allow what is asked for" } });
}
