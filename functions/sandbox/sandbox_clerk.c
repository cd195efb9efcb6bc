/*
 * sandbox_clerk: stand-in for Clerk's backend API (https://clerk.com/docs/reference/backend-api): users, read
 * by id and by address, made and deleted; sign-in tokens.
 *
 * Everybody whose id begins with "user_" is there, with the address <id>@example.com, except ids with "unknown"
 * in them. Users that were made are kept until a reset, and are found by their address.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"

#define PROVIDER "clerk"

/* https://clerk.com/docs/errors/overview */
static json_t *refuse(edge_ctx *ctx, const json_t *order, int status, const char *code, const char *message)
{
    return sandbox_send_json(ctx, order, status,
        json_pack("{s:[{s:s, s:s, s:s, s:{}}], s:s}", "errors", "message", message, "long_message", message,
            "code", code, "meta", "clerk_trace_id", edge_request_id(ctx)));
}

/* False when the request has been refused. */
static bool check_access(edge_ctx *ctx, const json_t *order)
{
    const char *given = edge_request_header(ctx, "authorization"), *key = edge_env(ctx, "CLERK_SECRET_KEY");
    bool formed = given != NULL && strncmp(given, "Bearer ", 7) == 0;
    bool known = formed && (key == NULL || strcmp(given + 7, key) == 0);
    if (!formed)
        refuse(ctx, order, 401, "authorization_header_format_invalid",
            "Invalid Authorization header format. Must be \"Bearer <YOUR_API_KEY>\"");
    else if (!known)
        refuse(ctx, order, 401, "clerk_key_invalid", "The provided Clerk Secret Key is invalid");
    return known;
}

static json_t *user_json(
    const char *id, const char *email, const char *first, const char *last, json_t *metadata)
{
    json_t *address =
        json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:[]}", "id", "idn_sandbox", "object", "email_address",
            "email_address", email, "verification", "status", "verified", "strategy", "admin", "linked_to");
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:b, s:s, s:[o], s:n, s:[], s:o, s:{}, s:b}", "id", id,
        "object", "user", "first_name", first, "last_name", last, "image_url", "https://img.clerk.com/sandbox",
        "has_image", 0, "primary_email_address_id", "idn_sandbox", "email_addresses", address,
        "primary_phone_number_id", "phone_numbers", "public_metadata",
        metadata != NULL ? metadata : json_object(), "private_metadata", "banned", 0);
}

/* A user that was made and not deleted since, by id or by address. */
static json_t *kept(edge_ctx *ctx, const char *id, const char *email)
{
    json_t *found = NULL, *user;
    size_t i;
    json_array_foreach(sandbox_kept(ctx, PROVIDER), i, user)
    {
        const char *user_id = edge_json_text(user, "id");
        const char *address =
            edge_json_text(json_array_get(json_object_get(user, "email_addresses"), 0), "email_address");
        const char *deleted = edge_json_text(user, "deleted");
        if (found != NULL && deleted != NULL && strcmp(deleted, edge_json_text(found, "id")) == 0)
            found = NULL;
        if ((id != NULL && user_id != NULL && strcmp(id, user_id) == 0) ||
            (email != NULL && address != NULL && strcmp(email, address) == 0))
            found = user;
    }
    return found;
}

static json_t *find(edge_ctx *ctx, const char *id)
{
    json_t *user = kept(ctx, id, NULL);
    if (user != NULL || strncmp(id, "user_", 5) != 0 || strstr(id, "unknown") != NULL)
        return user;
    return user_json(id, edge_format(ctx, "%s@example.com", id), "Sandbox", "User", NULL);
}

static const char *lower(edge_ctx *ctx, const char *text)
{
    char *copy = edge_copy(ctx, text);
    for (char *c = copy; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return copy;
}

/* https://clerk.com/docs/reference/backend-api/tag/users/POST/users */
static json_t *create(edge_ctx *ctx, const json_t *order)
{
    json_t *asked = sandbox_body(ctx);
    const char *email =
        lower(ctx, json_string_value(json_array_get(json_object_get(asked, "email_address"), 0)));
    if (email == NULL || !edge_is_email(email))
        return refuse(
            ctx, order, 422, "form_param_format_invalid", "Email address must be a valid email address.");
    if (kept(ctx, NULL, email) != NULL)
        return refuse(
            ctx, order, 422, "form_identifier_exists", "That email address is taken. Please try another.");
    if (!edge_json_bool(asked, "skip_password_requirement", false))
        return refuse(
            ctx, order, 422, "form_data_missing", "[\"password\"] data doesn't match user requirements set");

    uint8_t digest[EDGE_SHA256_BYTES];
    edge_sha256(email, strlen(email), digest);
    json_t *user = user_json(edge_format(ctx, "user_sandbox_%s", edge_hex(ctx, digest, 8)), email,
        edge_json_text(asked, "first_name"), edge_json_text(asked, "last_name"),
        json_deep_copy(json_object_get(asked, "public_metadata")));
    sandbox_keep(ctx, PROVIDER, user);
    return sandbox_send_json(ctx, order, 200, user);
}

/* https://clerk.com/docs/reference/backend-api/tag/users/GET/users */
static json_t *list(edge_ctx *ctx, const json_t *order)
{
    const char *email = lower(ctx, edge_request_query(ctx, "email_address"));
    json_t *user = email != NULL ? kept(ctx, NULL, email) : NULL, *users = json_array();
    if (user != NULL)
        json_array_append(users, user);
    return sandbox_send_json(ctx, order, 200, users);
}

/* https://clerk.com/docs/reference/backend-api/tag/users/DELETE/users/{user_id} */
static json_t *delete_user(edge_ctx *ctx, const json_t *order, const char *id)
{
    json_t *gone = json_pack("{s:s, s:s, s:b}", "object", "user", "id", id, "deleted", 1);
    sandbox_keep(ctx, PROVIDER, json_pack("{s:s}", "deleted", id));
    return sandbox_send_json(ctx, order, 200, gone);
}

static json_t *one_user(edge_ctx *ctx, const json_t *order, const char *id)
{
    json_t *user = find(ctx, id);
    if (user == NULL)
        return refuse(ctx, order, 404, "resource_not_found", "not found");
    if (strcmp(edge_request_method(ctx), "DELETE") == 0)
        return delete_user(ctx, order, id);
    return sandbox_send_json(ctx, order, 200, user);
}

/* https://clerk.com/docs/reference/backend-api/tag/sign-in-tokens/POST/sign_in_tokens */
static json_t *create_sign_in_token(edge_ctx *ctx, const json_t *order)
{
    json_t *asked = sandbox_body(ctx);
    const char *user = edge_json_text(asked, "user_id");
    if (user == NULL)
        return refuse(ctx, order, 422, "form_param_missing", "user_id must be included.");
    if (find(ctx, user) == NULL)
        return refuse(ctx, order, 404, "resource_not_found", "not found");
    const char *id = edge_uuid_v4(ctx);
    json_int_t now = edge_now(ctx) / 1000;
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:s, s:o, s:s, s:s, s:o, s:n, s:I, s:I}", "object", "sign_in_token", "id",
            json_sprintf("sit_%s", id), "status", "pending", "user_id", user, "token",
            json_sprintf("ticket_%s", id), "url", "created_at", now, "updated_at", now));
}

static json_t *sandbox_backend(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, PROVIDER);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    if (!check_access(ctx, order))
        return NULL;
    const char *path = edge_request_rest(ctx), *method = edge_request_method(ctx);
    if (strcmp(path, "/v1/users") == 0 && strcmp(method, "POST") == 0)
        return create(ctx, order);
    if (strcmp(path, "/v1/users") == 0 && strcmp(method, "GET") == 0)
        return list(ctx, order);
    if (strcmp(path, "/v1/sign_in_tokens") == 0 && strcmp(method, "POST") == 0)
        return create_sign_in_token(ctx, order);
    if (strncmp(path, "/v1/users/", 10) == 0 && strcmp(method, "POST") != 0)
        return one_user(ctx, order, path + 10);
    return refuse(ctx, order, 404, "resource_not_found", "not found");
}

EDGE_FUNCTION(sandbox_clerk,
    .summary = "Stand-in for Clerk's backend API",
    .handle = sandbox_backend,
    .methods = "GET POST DELETE",
    .raw_body = true,
    .streams = true);
