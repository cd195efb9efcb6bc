/*
 * sandbox_meta_graph: stand-in for Meta's Graph API (https://developers.facebook.com/docs/graph-api). Every
 * call with a token has to prove the app secret
 * (https://developers.facebook.com/docs/graph-api/guides/secure-requests).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_access.h"
#include "lib/sandbox_meta.h"
#include "lib/sandbox_oauth.h"

json_t *sandbox_meta_error(edge_ctx *ctx, int status, int code, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:{s:s, s:s, s:i, s:s}}", "error", "message", message, "type", "OAuthException", "code",
        code, "fbtrace_id", edge_request_id(ctx));
}

bool sandbox_meta_wants(edge_ctx *ctx, const char *field)
{
    const char *fields = edge_request_query(ctx, "fields");
    size_t length = strlen(field);
    for (const char *at = fields; at != NULL && (at = strstr(at, field)) != NULL; at += length) {
        bool begins = at == fields || strchr(",{", at[-1]) != NULL;
        if (begins && strchr(",{}.(", at[length]) != NULL)
            return true;
    }
    return false;
}

static json_t *check_proof(edge_ctx *ctx, const char *token)
{
    const char *secret = edge_env(ctx, "META_APP_SECRET"), *proof = edge_request_query(ctx, "appsecret_proof");
    uint8_t mac[EDGE_SHA256_BYTES];
    if (secret == NULL)
        return NULL;
    if (proof == NULL)
        return sandbox_meta_error(
            ctx, 400, 100, "API calls from the server require an appsecret_proof argument");
    edge_hmac_sha256(secret, strlen(secret), token, strlen(token), mac);
    return strcmp(proof, edge_hex(ctx, mac, sizeof mac)) == 0
               ? NULL
               : sandbox_meta_error(ctx, 400, 100, "Invalid appsecret_proof provided in the API argument");
}

static json_t *check_access(edge_ctx *ctx, const struct meta_request *request)
{
    if (request->token == NULL)
        return sandbox_meta_error(ctx, 400, 190, "An access token is required to request this resource.");
    if (!sandbox_token_counts(ctx, request->token))
        return sandbox_meta_error(ctx, 400, 190, "Error validating access token: Session has expired.");
    return check_proof(ctx, request->token);
}

static json_t *answer(edge_ctx *ctx, const struct meta_request *request)
{
    json_t *refusal = check_access(ctx, request);
    if (refusal != NULL)
        return refusal;
    json_t *answer = sandbox_meta_person(ctx, request);
    if (answer == NULL)
        answer = sandbox_meta_pages(ctx, request);
    return answer != NULL
               ? answer
               : sandbox_meta_error(ctx, 404, 803, "(#803) Some of the aliases you requested do not exist");
}

static json_t *sandbox_meta_graph(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "meta_graph");
    const char *rest = edge_request_rest(ctx), *path = strchr(rest + (rest[0] == '/'), '/');
    const char *bearer = sandbox_token(ctx);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (strncmp(rest, "/v", 2) != 0 || path == NULL)
        return sandbox_meta_error(ctx, 400, 2500, "An unknown path components: the version is missing");
    if (strcmp(path, "/oauth/access_token") == 0)
        return sandbox_meta_token(ctx, order);
    return answer(ctx, &(const struct meta_request){
                           .method = edge_request_method(ctx),
                           .path = path,
                           .token = bearer != NULL ? bearer : edge_request_query(ctx, "access_token"),
                           .body = sandbox_body(ctx),
                       });
}

EDGE_FUNCTION(sandbox_meta_graph,
    .summary = "Stand-in for Meta's Graph API",
    .handle = sandbox_meta_graph,
    .methods = "GET POST DELETE",
    .raw_body = true,
    .streams = true);
