/*
 * Connecting an account: the question.
 */
#include "lib/oauth_flow.h"

#include <string.h>

enum {
    STATE_BYTES = 32,
    VERIFIER_BYTES = 64,
};

static const char *random_text(edge_ctx *ctx, size_t bytes)
{
    uint8_t noise[VERIFIER_BYTES];
    edge_random(noise, bytes);
    return edge_base64url(ctx, noise, bytes);
}

/* The path travels in the state: it is as trustworthy on return, because the whole has to equal a stored row.
 */
static const char *new_state(edge_ctx *ctx, const char *path)
{
    const char *state = random_text(ctx, STATE_BYTES);
    return path == NULL ? state : edge_format(ctx, "%s.%s", state, edge_base64url(ctx, path, strlen(path)));
}

struct begun {
    const char *expires_at;
    bool already_connected;
};

/*
 * Keeps the state, of which a user has at most five a service, and marks a connection that does not work yet.
 * The lock is for the count, and a statement of its own: what follows has to see what the one before left.
 */
static struct begun keep(edge_ctx *ctx, const struct service *service, const struct oauth_request *request)
{
    const char *user = edge_auth_user(ctx);
    edge_rows *rows[6];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended('oauth-begin:' || $1 || ':' || $2, 0))",
            edge_text(user), edge_text(service->name)),
        EDGE_SQL(
            "DELETE FROM edge.oauth_states"
            " WHERE state IN ("
            " SELECT state FROM edge.oauth_states WHERE expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)"),
        EDGE_SQL("DELETE FROM edge.oauth_states"
                 " WHERE state IN ("
                 " SELECT state FROM edge.oauth_states"
                 " WHERE user_id = $1 AND service_name = $2"
                 " ORDER BY created_at DESC, state OFFSET 4)",
            edge_text(user), edge_text(service->name)),
        EDGE_SQL("INSERT INTO edge.oauth_states"
                 " (state, code_verifier, user_id, service_name, redirect_uri, created_at, expires_at)"
                 " SELECT $3, $4, id, $2, $5, now(), now() + interval '10 minutes' FROM profiles WHERE id = $1"
                 " RETURNING expires_at",
            edge_text(user), edge_text(service->name), edge_text(request->state), edge_text(request->verifier),
            edge_text(request->redirect_uri)),
        EDGE_SQL("SELECT FROM external_service_connections"
                 " WHERE user_id = $1 AND service_name = $2 AND connection_status = 'connected'",
            edge_text(user), edge_text(service->name)),
        EDGE_SQL("INSERT INTO external_service_connections AS c (user_id, service_name, connection_status)"
                 " SELECT id, $2, 'pending' FROM profiles WHERE id = $1"
                 " ON CONFLICT (user_id, service_name) DO UPDATE SET connection_status = 'pending'"
                 " WHERE c.connection_status IS DISTINCT FROM 'connected'",
            edge_text(user), edge_text(service->name)));

    if (edge_rows_count(rows[3]) == 0)
        edge_fail(ctx, 409, "profile_missing", "The user has no profile");
    return (struct begun){ edge_iso_time(ctx, edge_rows_time(rows[3], 0, "expires_at")),
        edge_rows_count(rows[4]) > 0 };
}

static json_t *texts(const char *const *words)
{
    json_t *list = json_array();
    for (const char *const *word = words; *word != NULL; word++)
        json_array_append_new(list, json_string(*word));
    return list;
}

json_t *oauth_begin(edge_ctx *ctx, const struct oauth_beginning *beginning)
{
    const struct service *service = service_named(ctx, beginning->service);
    oauth_no_store(ctx);
    oauth_require_client(ctx, service);
    struct oauth_request request = {
        .redirect_uri = oauth_redirect_uri(ctx, beginning->slug != NULL ? beginning->slug : service->slug),
        .scopes = beginning->scopes != NULL ? beginning->scopes : service->scopes,
    };
    edge_seal_require(ctx);
    request.state = new_state(ctx, beginning->redirect_path);
    request.verifier = service->pkce ? random_text(ctx, VERIFIER_BYTES) : NULL;
    const char *url = oauth_authorization_url(ctx, service, &request);

    struct begun begun = keep(ctx, service, &request);
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:b}", "authUrl", url, "service", service->name, "redirectUri",
        request.redirect_uri, "scopes", texts(request.scopes), "expiresAt", begun.expires_at,
        "alreadyConnected", begun.already_connected);
}

json_t *oauth_begin_with(edge_ctx *ctx, const json_t *in, const char *service)
{
    return oauth_begin(ctx, &(const struct oauth_beginning){ .service = service,
                                .redirect_path = oauth_redirect_path(ctx, in, "redirectPath") });
}
