/*
 * OAuth client: what the environment says.
 */
#include "lib/oauth_client.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

static const struct {
    const char *id, *secret;
} clients[] = {
    [SERVICE_GOOGLE] = { "GOOGLE_WORKSPACE_CLIENT_ID", "GOOGLE_WORKSPACE_CLIENT_SECRET" },
    [SERVICE_MICROSOFT] = { "MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET" },
    [SERVICE_META] = { "META_APP_ID", "META_APP_SECRET" },
    [SERVICE_LINKEDIN] = { "LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET" },
    [SERVICE_ZOOM] = { "ZOOM_CLIENT_ID", "ZOOM_CLIENT_SECRET" },
};

const char *oauth_client_id(edge_ctx *ctx, const struct service *service)
{
    return edge_env_required(ctx, clients[service->provider].id);
}

const char *oauth_client_secret(edge_ctx *ctx, const struct service *service)
{
    return edge_env_required(ctx, clients[service->provider].secret);
}

bool oauth_client_is_configured(edge_ctx *ctx, const struct service *service)
{
    return edge_env(ctx, clients[service->provider].id) != NULL &&
           edge_env(ctx, clients[service->provider].secret) != NULL;
}

void oauth_require_client(edge_ctx *ctx, const struct service *service)
{
    oauth_client_id(ctx, service);
    oauth_client_secret(ctx, service);
}

int64_t oauth_timeout_ms(edge_ctx *ctx, int64_t limit_ms)
{
    const char *configured = edge_env(ctx, "OAUTH_TIMEOUT_MS");
    int64_t ms = configured != NULL ? strtoll(configured, NULL, 10) : 0;
    return ms > 0 && ms < limit_ms ? ms : limit_ms;
}

/* The host of a URL is one of this machine, whatever port. */
static bool is_local(const char *url)
{
    static const char *const hosts[] = { "http://localhost", "http://127.0.0.1" };
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t length = strlen(hosts[i]);
        if (strncmp(url, hosts[i], length) == 0 && (url[length] == '\0' || strchr(":/", url[length]) != NULL))
            return true;
    }
    return false;
}

const char *oauth_app_url(edge_ctx *ctx)
{
    const char *configured = edge_env(ctx, "APP_URL");
    char *url = edge_copy(ctx, configured != NULL ? configured : "https://pulse.pwru.app");
    size_t length = strlen(url);
    if (url[length - 1] == '/')
        url[length - 1] = '\0';
    bool https = strncmp(url, "https://", 8) == 0 && url[8] != '\0' && url[8] != '/';
    if ((!https && !is_local(url)) || strpbrk(url, " ?#\\\t\r\n") != NULL)
        edge_fail(ctx, 503, "not_configured", "APP_URL is not an https URL");
    return url;
}

const char *oauth_redirect_uri(edge_ctx *ctx, const char *slug)
{
    const char *configured = edge_env(ctx, "OAUTH_CALLBACK_PATH");
    const char *path = configured != NULL ? configured : "/auth/callback/{slug}";
    const char *place = strstr(path, "{slug}");
    if (path[0] != '/' || place == NULL)
        edge_fail(ctx, 503, "not_configured", "OAUTH_CALLBACK_PATH is not a path with {slug} in it");
    return edge_format(
        ctx, "%s%.*s%s%s", oauth_app_url(ctx), (int)(place - path), path, slug, place + strlen("{slug}"));
}

const char *oauth_basic(edge_ctx *ctx, const char *user, const char *password)
{
    const char *pair = edge_format(ctx, "%s:%s", user, password);
    return edge_format(ctx, "Basic %s", edge_base64(ctx, pair, strlen(pair)));
}
