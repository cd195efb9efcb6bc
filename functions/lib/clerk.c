/*
 * Clerk's users.
 */
#include "lib/clerk.h"

#include <string.h>

enum {
    LOOKUP_MS = 3000, /* the sender of a purchase waits five seconds in all */
};

/* The address that Clerk calls primary, else the first verified one, else the first. */
static const char *email_of(const json_t *user)
{
    const char *primary = edge_json_text(user, "primary_email_address_id");
    const char *verified = NULL, *first = NULL;
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(user, "email_addresses"), i, entry)
    {
        const char *address = edge_json_text(entry, "email_address"), *id = edge_json_text(entry, "id");
        const char *status = edge_json_text(edge_json_path(entry, "verification"), "status");
        if (address == NULL)
            continue;
        if (primary != NULL && id != NULL && strcmp(id, primary) == 0)
            return address;
        if (verified == NULL && status != NULL && strcmp(status, "verified") == 0)
            verified = address;
        if (first == NULL)
            first = address;
    }
    return verified != NULL ? verified : first;
}

#define PROFILE_SQL                                                                                            \
    "INSERT INTO profiles AS p (id, email, full_name, avatar_url, phone)"                                      \
    " VALUES ($1,"                                                                                             \
    " nullif(lower(btrim($2, E' \\t\\r\\n')), ''),"                                                            \
    " nullif(btrim(concat_ws(' ', nullif(btrim($3), ''), nullif(btrim($4), ''))), ''),"                        \
    " nullif(btrim($5), ''),"                                                                                  \
    " nullif(btrim($6), ''))"                                                                                  \
    " ON CONFLICT (id) DO UPDATE"                                                                              \
    " SET email = coalesce(EXCLUDED.email, p.email),"                                                          \
    " full_name = coalesce(EXCLUDED.full_name, p.full_name),"                                                  \
    " avatar_url = coalesce(EXCLUDED.avatar_url, p.avatar_url),"                                               \
    " phone = CASE WHEN btrim(coalesce(p.phone, '')) = '' THEN coalesce(EXCLUDED.phone, p.phone)"              \
    " ELSE p.phone END,"                                                                                       \
    " updated_at = now()"                                                                                      \
    " RETURNING xmax = 0 AS created"

#define PROFILE_ARGS                                                                                           \
    edge_text(id), edge_text(email_of(user)), edge_text(edge_json_text(user, "first_name")),                   \
        edge_text(edge_json_text(user, "last_name")), edge_text(edge_json_text(user, "image_url")),            \
        edge_text(phone)

void clerk_send_profile(edge_tx *tx, const char *id, const json_t *user, const char *phone)
{
    edge_tx_send(tx, PROFILE_SQL, PROFILE_ARGS);
}

bool clerk_store_profile(edge_tx *tx, const char *id, const json_t *user, const char *phone)
{
    return edge_rows_bool(edge_tx_query(tx, PROFILE_SQL, PROFILE_ARGS), 0, "created");
}

void clerk_begin_onboarding(edge_tx *tx, const char *id)
{
    edge_tx_send(tx,
        "INSERT INTO user_onboarding (user_id, onboarding_completed, agent_onboarding_completed,"
        " call_center_onboarding_completed)"
        " VALUES ($1, false, false, false)"
        " ON CONFLICT (user_id) DO NOTHING",
        edge_text(id));
}

static const char *describe(edge_ctx *ctx, const edge_reply *reply)
{
    if (reply->failure != EDGE_HTTP_OK)
        return reply->failure == EDGE_HTTP_TIMEOUT ? "Clerk did not answer in time"
                                                   : "Clerk could not be reached";
    return edge_format(ctx, "Clerk answered %d", reply->status);
}

/* The id of the first account that has the address; NULL with *problem NULL when there is none. */
static const char *find(edge_ctx *ctx, const char *email, const char **problem)
{
    *problem = NULL;
    edge_reply *reply = edge_try_fetch(ctx, "clerk",
        .path = edge_format(ctx, "/v1/users?email_address=%s&limit=1", edge_url_encode(ctx, email)),
        .timeout_ms = LOOKUP_MS, .retries = -1);
    if (reply->failure != EDGE_HTTP_OK || reply->status != 200)
        *problem = describe(ctx, reply);
    else if (!json_is_array(reply->json))
        *problem = "Clerk's answer was no list";
    return *problem == NULL ? edge_json_text(json_array_get(reply->json, 0), "id") : NULL;
}

static bool exists_already(const edge_reply *reply)
{
    const char *code = edge_json_text(json_array_get(json_object_get(reply->json, "errors"), 0), "code");
    return reply->status == 422 && code != NULL && strcmp(code, "form_identifier_exists") == 0;
}

/* NULL with *problem NULL when somebody else has made it meanwhile. */
static const char *create(edge_ctx *ctx, const struct clerk_buyer *buyer, const char **problem)
{
    edge_reply *reply = edge_try_fetch(ctx, "clerk", .method = "POST", .path = "/v1/users",
        .json = json_pack("{s:[s], s:s*, s:s*, s:b, s:{s:s}}", "email_address", buyer->email, "first_name",
            buyer->first_name, "last_name", buyer->last_name, "skip_password_requirement", 1, "public_metadata",
            "source", buyer->source),
        .timeout_ms = LOOKUP_MS, .retries = -1);
    *problem = NULL;
    if (reply->failure == EDGE_HTTP_OK && exists_already(reply))
        return NULL;

    const char *id = edge_json_text(reply->json, "id");
    if (reply->failure != EDGE_HTTP_OK || reply->status != 200)
        *problem = describe(ctx, reply);
    else if (id == NULL)
        *problem = "Clerk's answer names no user";
    return *problem == NULL ? id : NULL;
}

const char *clerk_account(edge_ctx *ctx, const struct clerk_buyer *buyer, const char **problem)
{
    edge_env_required(ctx, "CLERK_SECRET_KEY");

    const char *id = find(ctx, buyer->email, problem);
    if (id != NULL || *problem != NULL)
        return id;
    id = create(ctx, buyer, problem);
    if (id != NULL || *problem != NULL)
        return id;
    id = find(ctx, buyer->email, problem);
    if (id == NULL && *problem == NULL)
        *problem = "Clerk knows the address and has no user for it";
    return id;
}
