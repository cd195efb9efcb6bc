/*
 * OAuth client: who has signed in.
 *
 *   Google https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation
 *   Microsoft  https://learn.microsoft.com/graph/api/user-get
 *   LinkedIn   https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
 */
#include "lib/oauth_call.h"

enum {
    IDENTITY_MS = 5000,
};

static edge_reply *ask(edge_ctx *ctx, const struct service *service, const char *token)
{
    int64_t limit = oauth_timeout_ms(ctx, IDENTITY_MS);
    if (service->provider == SERVICE_GOOGLE)
        return oauth_get(ctx, "google_apis", "/oauth2/v3/userinfo", token, limit);
    if (service->provider == SERVICE_MICROSOFT)
        return oauth_get(
            ctx, "microsoft_graph", "/v1.0/me?$select=id,displayName,mail,userPrincipalName", token, limit);
    return oauth_get(ctx, "linkedin_api", "/v2/userinfo", token, limit);
}

const struct oauth_identity *oauth_identify(
    edge_ctx *ctx, const struct service *service, const char *access_token)
{
    bool microsoft = service->provider == SERVICE_MICROSOFT;
    struct oauth_identity *identity = edge_alloc(ctx, sizeof *identity);
    edge_reply *reply = ask(ctx, service, access_token);
    identity->failure = oauth_failure(ctx, service, "identity", reply);
    identity->account_id = edge_json_text(reply->json, microsoft ? "id" : "sub");
    if (identity->failure == NULL && identity->account_id == NULL)
        identity->failure = oauth_unusable(ctx, service, "identity");
    if (identity->failure != NULL) {
        identity->account_id = NULL;
        return identity;
    }
    identity->email = edge_json_text(reply->json, microsoft ? "mail" : "email");
    if (identity->email == NULL && microsoft)
        identity->email = edge_json_text(reply->json, "userPrincipalName");
    identity->name = edge_json_text(reply->json, microsoft ? "displayName" : "name");
    return identity;
}
