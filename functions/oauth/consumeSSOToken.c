/*
 * consumeSSOToken: signs a person in by the one-time token that a partner platform put into a link, and issues
 * such tokens to the service. Of a token only its hash is stored. One round trip for either action; consuming
 * commits before Clerk is asked, so a token works once whatever happens then.
 *
 * Sign-in tokens: https://clerk.com/docs/reference/backend-api/tag/sign-in-tokens
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/oauth_flow.h"

enum {
    TOKEN_BYTES = 32,
    TOKEN_CHARACTERS = 43,
    TICKET_SECONDS = 60,
    CLERK_MS = 10000,
};

#define PREFIX "sso_"

static const char *const actions[] = { "consume", "issue", NULL };

static const edge_field input[] = {
    { "action", EDGE_ENUM, .values = actions, .fallback = "consume", .help = "What is to be done" },
    { "token", EDGE_JSON, .help = "consume: the link's token" },
    { "userId", EDGE_JSON, .help = "issue: whom to sign in, 1 to 255 characters" },
    { "email", EDGE_JSON, .help = "issue: or whose address this is, 1 to 320 characters" },
    { "ttlSeconds", EDGE_INT, .min = 30, .max = 300, .fallback = "120",
        .help = "issue: how long the link works" },
    { "redirectPath", EDGE_TEXT, .min = 1, .max = 512, .help = "issue: path to go on at after signing in" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "userId", EDGE_TEXT, .required = true, .help = "Whom the link signs in" },
    { "ticket", EDGE_TEXT, .help = "consume: for Clerk's ticket strategy; null when signed in already" },
    { "alreadySignedIn", EDGE_BOOL, .help = "consume: whether the caller is this person" },
    { "redirectTo", EDGE_TEXT, .help = "consume: path to go on at" },
    { "token", EDGE_TEXT, .help = "issue: for one sign-in" },
    { "loginUrl", EDGE_URL, .help = "issue: the link with the token in it" },
    { "expiresAt", EDGE_DATETIME, .help = "issue: when the link stops working" },
    { 0 },
};

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field, const char *message)
{
    edge_fail_with(ctx, 400, "invalid_input", .field = field, .message = message);
}

static const char *hash_of(edge_ctx *ctx, const char *token)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    edge_sha256(token, strlen(token), digest);
    return edge_format(ctx, "sso:%s", edge_hex(ctx, digest, sizeof digest));
}

static bool is_token(const char *text)
{
    static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(PREFIX);
    return strncmp(text, PREFIX, length) == 0 && strlen(text + length) == TOKEN_CHARACTERS &&
           strspn(text + length, base64url) == TOKEN_CHARACTERS;
}

static const char *read_token(edge_ctx *ctx, const json_t *in)
{
    const json_t *token = json_object_get(in, "token");
    if (token == NULL || json_is_null(token))
        refuse(ctx, "token", "No authentication token provided");
    if (!json_is_string(token) || !is_token(json_string_value(token)))
        refuse(ctx, "token", "token is no sign-in token");
    return json_string_value(token);
}

/* Takes the token: whoever deletes the row has it. */
static edge_rows *take(edge_ctx *ctx, const char *token)
{
    edge_rows *row = edge_service_query(ctx,
        "DELETE FROM edge.oauth_states"
        " WHERE state = $1 AND service_name = 'sso'"
        " RETURNING user_id, redirect_uri, expires_at <= now() AS expired",
        edge_text(hash_of(ctx, token)));
    if (edge_rows_count(row) == 0)
        edge_fail(ctx, 401, "invalid_sso_token", "The sign-in link is not known or has been used");
    if (edge_rows_bool(row, 0, "expired"))
        edge_fail(ctx, 401, "sso_token_expired", "The sign-in link has expired");
    return row;
}

static const char *ticket_for(edge_ctx *ctx, const char *user)
{
    edge_reply *reply = edge_try_fetch(ctx, "clerk", .method = "POST", .path = "/v1/sign_in_tokens",
        .json = json_pack("{s:s, s:i}", "user_id", user, "expires_in_seconds", TICKET_SECONDS),
        .timeout_ms = oauth_timeout_ms(ctx, CLERK_MS), .retries = -1);
    bool answered = reply->failure == EDGE_HTTP_OK;
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        edge_fail(ctx, 504, "provider_timeout", "The sign-in service did not answer in time");
    if (answered && (reply->status == 404 || reply->status == 422))
        edge_fail(ctx, 404, "user_not_found", "The person has no account");
    const char *ticket = edge_json_text(reply->json, "token");
    if (!answered || reply->status < 200 || reply->status >= 300 || ticket == NULL) {
        edge_log(ctx, EDGE_LOG_WARN, "sign_in_ticket_failed", { "status", edge_int(reply->status) });
        edge_fail(
            ctx, 502, "provider_error", "The sign-in service could not be reached or answered with an error");
    }
    return ticket;
}

static json_t *consume(edge_ctx *ctx, const json_t *in)
{
    const char *token = read_token(ctx, in), *caller = edge_auth_try_user(ctx);
    if (caller == NULL)
        edge_env_required(ctx, "CLERK_SECRET_KEY");
    edge_rows *row = take(ctx, token);
    const char *user = edge_rows_text(row, 0, "user_id"), *path = edge_rows_text(row, 0, "redirect_uri");
    if (caller != NULL && strcmp(caller, user) != 0)
        edge_fail(ctx, 403, "user_mismatch", "The sign-in link is for another person than the one signed in");

    const char *ticket = caller == NULL ? ticket_for(ctx, user) : NULL;
    return json_pack("{s:b, s:s, s:s?, s:b, s:s}", "success", 1, "userId", user, "ticket", ticket,
        "alreadySignedIn", caller != NULL, "redirectTo", path != NULL ? path : "/dashboard");
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* A text field of issue, NULL when absent. */
static const char *read_text(edge_ctx *ctx, const json_t *in, const char *field, size_t max)
{
    const json_t *value = json_object_get(in, field);
    if (value == NULL || json_is_null(value))
        return NULL;
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || characters(text) > max)
        refuse(ctx, field, edge_format(ctx, "%s must be a string of 1 to %zu characters", field, max));
    return text;
}

/* The profile that the input names: one row, or the invocation ends. */
static const char *find_user(edge_ctx *ctx, edge_tx *tx, const char *id, const char *email)
{
    edge_rows *found = edge_tx_query(tx,
        "SELECT id FROM profiles WHERE id = $1 OR lower(email) = lower($2) ORDER BY id LIMIT 2", edge_text(id),
        edge_text(email));
    if (edge_rows_count(found) == 0)
        edge_fail(ctx, 404, "user_not_found", "No such person is known");
    if (edge_rows_count(found) > 1)
        edge_fail(ctx, 409, "ambiguous_email", "Several people have this e-mail address");
    return edge_rows_text(found, 0, "id");
}

struct link {
    const char *token, *user, *expires_at;
};

static struct link make_link(
    edge_ctx *ctx, const json_t *in, const char *id, const char *email, const char *path)
{
    uint8_t noise[TOKEN_BYTES];
    edge_random(noise, sizeof noise);
    struct link made = { .token = edge_format(ctx, PREFIX "%s", edge_base64url(ctx, noise, sizeof noise)) };
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        made.user = find_user(ctx, tx, id, email);
        /* The lock makes "the user's earlier links" one thing for two calls at once. */
        edge_tx_send(
            tx, "SELECT pg_advisory_xact_lock(hashtextextended('sso:' || $1, 0))", edge_text(made.user));
        edge_tx_send(tx, "DELETE FROM edge.oauth_states WHERE user_id = $1 AND service_name = 'sso'",
            edge_text(made.user));
        edge_rows *row = edge_tx_query(tx,
            "INSERT INTO edge.oauth_states (state, user_id, service_name, redirect_uri, created_at, expires_at)"
            " VALUES ($1, $2, 'sso', $3, now(), now() + make_interval(secs => $4))"
            " RETURNING expires_at",
            edge_text(hash_of(ctx, made.token)), edge_text(made.user), edge_text(path),
            edge_number(edge_json_number(in, "ttlSeconds", 120)));
        made.expires_at = edge_iso_time(ctx, edge_rows_time(row, 0, "expires_at"));
    }
    return made;
}

static json_t *issue(edge_ctx *ctx, const json_t *in)
{
    const char *id = read_text(ctx, in, "userId", 255), *email = read_text(ctx, in, "email", 320);
    const char *path = oauth_redirect_path(ctx, in, "redirectPath");
    if (id == NULL && email == NULL)
        refuse(ctx, "userId", "userId or email is required");
    if (id != NULL && email != NULL)
        refuse(ctx, "email", "Either userId or email says who it is, not both");
    const char *app_url = oauth_app_url(ctx);

    struct link made = make_link(ctx, in, id, email, path);
    return json_pack("{s:b, s:s, s:o, s:s, s:s}", "success", 1, "token", made.token, "loginUrl",
        json_string(edge_format(ctx, "%s/sso-login?token=%s", app_url, made.token)), "userId", made.user,
        "expiresAt", made.expires_at);
}

static json_t *consume_sso_token(edge_ctx *ctx, json_t *in)
{
    oauth_no_store(ctx);
    if (strcmp(edge_json_text(in, "action"), "consume") == 0)
        return consume(ctx, in);
    if (edge_auth_caller(ctx) == EDGE_CALLER_NOBODY)
        edge_fail(ctx, 401, "unauthorized", "Issuing a sign-in link takes the service key");
    if (edge_auth_caller(ctx) != EDGE_CALLER_SERVICE)
        edge_fail(ctx, 403, "forbidden", "Issuing a sign-in link takes the service key");
    return issue(ctx, in);
}

EDGE_FUNCTION(consumeSSOToken,
    .summary = "Signs a person in by a one-time link, or issues one",
    .input = input,
    .output = output,
    .handle = consume_sso_token,
    .shape = &oauth_callback_shape,
    .service_without_user = true);
