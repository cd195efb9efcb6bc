/*
 * Access tokens: which can be used as they are, and one refresh for all who need another.
 *
 * Within a worker the callers queue at a claim of the cache, which carries how the refresh ended and never a
 * token; across workers and hosts the refresh holds a lease. Whoever has waited reads the row again.
 */
#include "lib/token.h"

#include <string.h>

#include "lib/lease.h"
#include "lib/oauth_client.h"
#include "lib/token_keep.h"

enum {
    LEAD_SECONDS = 300,
    META_LEAD_SECONDS = 7 * 24 * 3600, /* an expired token of Meta's cannot be renewed */
    META_YOUNG_SECONDS = 24 * 3600,
    LEASE_SECONDS = 20, /* the call may take ten */
};

/* What a caller wants: a token that is not this one. */
struct want {
    edge_ctx *ctx;
    const char *user;
    const struct service *service;
    const char *rejected; /* access token that the provider has refused; NULL: none */
};

static int64_t now_seconds(void)
{
    return edge_now_exact() / 1000000;
}

static int64_t expires_at(const struct connection *connection)
{
    return edge_json_int(connection->credentials.values, "expires_at", 0);
}

static const char *access_token(const struct connection *connection)
{
    return edge_json_text(connection->credentials.values, "access_token");
}

static bool is_meta(const struct connection *connection)
{
    return connection->service->provider == SERVICE_META;
}

static int64_t lead_seconds(const struct connection *connection)
{
    int64_t obtained_at = edge_json_int(connection->credentials.values, "obtained_at", 0);
    bool young = now_seconds() - obtained_at < META_YOUNG_SECONDS;
    return is_meta(connection) && !young ? META_LEAD_SECONDS : LEAD_SECONDS;
}

static bool lasts(const struct connection *connection, int64_t lead)
{
    return expires_at(connection) == 0 || now_seconds() < expires_at(connection) - lead;
}

static bool is_rejected(const struct want *want, const struct connection *connection)
{
    return want->rejected != NULL && strcmp(access_token(connection), want->rejected) == 0;
}

static bool can_be_refreshed(const struct connection *connection)
{
    const char *refresh = edge_json_text(connection->credentials.values, "refresh_token");
    return is_meta(connection) || (refresh != NULL && refresh[0] != '\0');
}

static struct token *failed(const struct connection *connection, const struct connection_failure *failure)
{
    struct token *token = edge_alloc(connection->ctx, sizeof *token);
    *token = (struct token){ .failure = failure, .connection = connection };
    return token;
}

static const struct token *broken(const struct connection *connection)
{
    connection_break(connection);
    return failed(connection, connection_broken(connection->ctx, connection->service));
}

static const struct token *current(const struct connection *connection)
{
    const json_t *values = connection->credentials.values;
    struct token *token = failed(connection, NULL);
    token->access_token = access_token(connection);
    token->expires_at = expires_at(connection);
    token->scopes = token_scopes(connection);
    token->account_id = edge_json_text(values, "provider_account_id");
    token->page_token = edge_json_text(values, "page_access_token");
    return token;
}

/* The answer that needs no refresh; NULL when one is due. */
static const struct token *settled(const struct want *want, const struct connection *connection)
{
    if (connection->failure != NULL)
        return failed(connection, connection->failure);
    if (access_token(connection) == NULL)
        return broken(connection);
    if (!is_rejected(want, connection) && lasts(connection, lead_seconds(connection)))
        return current(connection);
    if (can_be_refreshed(connection))
        return NULL;
    return !is_rejected(want, connection) && lasts(connection, 0) ? current(connection) : broken(connection);
}

/* How a refresh ended, as the row and its failure tell: a token that still works outlives a failed refresh. */
static const struct token *outcome(
    const struct want *want, const struct connection *connection, const struct connection_failure *failure)
{
    if (connection->failure != NULL)
        return failed(connection, connection->failure);
    bool works = !is_rejected(want, connection) && lasts(connection, 0);
    if (works || failure == NULL)
        return current(connection);
    return failed(connection, failure);
}

/* Refreshes under the lease; another row may be there by then. */
static const struct token *refresh(const struct want *want, const struct connection *connection)
{
    edge_ctx *ctx = want->ctx;
    edge_seal_require(ctx);
    const struct oauth_grant *grant = oauth_refresh(ctx, want->service, connection->credentials.values);
    if (grant->failure != NULL && grant->refused)
        return broken(connection);
    if (grant->failure != NULL)
        return outcome(want, connection, grant->failure);
    token_keep(connection, grant);
    return outcome(want, connection_read(ctx, want->user, want->service->name), NULL);
}

/* One refresh on all hosts: with the lease, or by somebody else while this waits. */
static const struct token *refresh_alone(const struct want *want)
{
    edge_ctx *ctx = want->ctx;
    const char *name = edge_format(ctx, "oauth-refresh/%s/%s", want->user, want->service->name);
    for (;;) {
        struct lease *lease = lease_take(ctx, name, LEASE_SECONDS);
        const struct connection *connection = connection_read(ctx, want->user, want->service->name);
        const struct token *token = settled(want, connection);
        if (token == NULL && lease != NULL)
            token = refresh(want, connection);
        if (lease != NULL)
            lease_release(lease);
        if (token != NULL)
            return token;
        lease_wait(ctx, name, LEASE_SECONDS * 1000);
    }
}

/* What those who wait in this worker are told: nothing, or the failure. */
static json_t *failure_json(const struct connection_failure *failure)
{
    if (failure == NULL)
        return json_object();
    return json_pack("{s:i, s:s, s:s?, s:s?, s:i}", "status", failure->status, "code", failure->code, "message",
        failure->said.message, "suggestion", failure->said.suggestion, "retryAfter",
        failure->said.retry_after_seconds);
}

static const struct connection_failure *failure_from(edge_ctx *ctx, const json_t *told)
{
    if (json_object_get(told, "code") == NULL)
        return NULL;
    struct connection_failure *failure = edge_alloc(ctx, sizeof *failure);
    *failure =
        (struct connection_failure){ (int)edge_json_int(told, "status", 502), edge_json_text(told, "code"),
            { .message = edge_json_text(told, "message"),
                .suggestion = edge_json_text(told, "suggestion"),
                .retry_after_seconds = (int)edge_json_int(told, "retryAfter", 0) } };
    return failure;
}

static const struct token *refresh_together(const struct want *want)
{
    edge_ctx *ctx = want->ctx;
    const char *key = edge_format(ctx, "/oauth-refresh/%s/%s", want->user, want->service->name);
    const json_t *told = edge_cache_claim(ctx, key);
    if (told != NULL)
        return outcome(want, connection_read(ctx, want->user, want->service->name), failure_from(ctx, told));

    const struct token *token = refresh_alone(want);
    /* For those who wait now; whoever comes later looks for itself. */
    edge_cache_put(ctx, key, failure_json(token->failure), .ttl_ms = 1, .local = true);
    return token;
}

static const struct token *obtain(const struct want *want, const struct connection *connection)
{
    const struct token *token = settled(want, connection);
    return token != NULL ? token : refresh_together(want);
}

const struct token *token_of(const struct connection *connection)
{
    return obtain(&(struct want){ connection->ctx, connection->user, connection->service, NULL }, connection);
}

const struct token *token_get(edge_ctx *ctx, const char *user, const char *name)
{
    return token_of(connection_read(ctx, user, name));
}

const struct token *token_require(edge_ctx *ctx, const char *user, const char *name)
{
    const struct token *token = token_get(ctx, user, name);
    if (token->failure != NULL)
        connection_fail(ctx, token->failure);
    return token;
}

const struct token *token_renew(edge_ctx *ctx, const struct token *token)
{
    const struct connection *old = token->connection;
    const struct want want = { ctx, old->user, old->service, token->access_token };
    return obtain(&want, connection_read(ctx, old->user, old->service->name));
}
