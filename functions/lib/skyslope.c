/*
 * SkySlope.
 */
#include "lib/skyslope.h"

#include <string.h>

#include "lib/crm.h"
#include "lib/iso_time.h"
#include "lib/skyslope_login.h"

enum {
    SESSION_SPARE_SECONDS = 60,
    SESSION_SECONDS = 110 * 60, /* when the answer does not say */
};

const struct skyslope_kind skyslope_sale = { "sale", "/api/files/sales", "sales", "saleGuid" };
const struct skyslope_kind skyslope_listing = { "listing", "/api/files/listings", "listings", "listingGuid" };
const char *const skyslope_kinds[] = { "sale", "listing", NULL };

const struct skyslope_kind *skyslope_kind_named(const char *name)
{
    if (name == NULL)
        return NULL;
    return strcmp(name, skyslope_listing.name) == 0 ? &skyslope_listing : &skyslope_sale;
}

/* Other credentials are another session: the key holds their digest, which says nothing of them. */
static const char *cache_key_of(const struct skyslope *sky)
{
    edge_ctx *ctx = sky->crm->ctx;
    uint8_t digest[EDGE_SHA256_BYTES];
    const char *all = edge_format(
        ctx, "%s\n%s\n%s\n%s", sky->access_key, sky->access_secret, sky->client_id, sky->client_secret);
    edge_sha256(all, strlen(all), digest);
    return edge_format(ctx, "/skyslope/%s/%s", sky->crm->connection->id, edge_hex(ctx, digest, sizeof digest));
}

/* The user's own integration goes before the host's; both halves come from the same place. */
static void find_integration(struct skyslope *sky)
{
    edge_ctx *ctx = sky->crm->ctx;
    const json_t *values = sky->crm->connection->credentials.values;
    const char *id = edge_json_text(values, "client_id"), *secret = edge_json_text(values, "client_secret");
    if (id == NULL || id[0] == '\0' || secret == NULL || secret[0] == '\0') {
        id = edge_env_required(ctx, "SKYSLOPE_CLIENT_ID");
        secret = edge_env_required(ctx, "SKYSLOPE_CLIENT_SECRET");
    }
    sky->client_id = id;
    sky->client_secret = secret;
}

EDGE_NORETURN static void fail_login(struct crm *crm, const edge_reply *reply)
{
    struct crm_failure failure = *crm_failure_of(crm, reply);
    if (reply->status == 403) {
        failure.status = 409;
        failure.code = "reconnect_required";
        failure.suggestion = crm->provider->suggestion;
    }
    crm_fail(crm, &failure);
}

static int64_t lifetime_seconds(const json_t *answer)
{
    int64_t ends_us = 0;
    if (!iso_time_read(edge_json_text(answer, "Expiration"), &ends_us))
        return SESSION_SECONDS;
    return ends_us / 1000000 - edge_now_exact() / 1000000 - SESSION_SPARE_SECONDS;
}

/* Under the claim of the cache's key: whoever else wants this session waits for it. */
static json_t *log_in(struct skyslope *sky)
{
    struct crm *crm = sky->crm;
    const struct skyslope_keys keys = { sky->access_key, sky->access_secret, sky->client_id,
        sky->client_secret };
    crm->headers = skyslope_login_headers(crm->ctx, &keys);
    edge_reply *reply =
        crm_try_call(crm, .method = "POST", .path = SKYSLOPE_LOGIN_PATH, .json = skyslope_login_body(&keys));
    if (crm_failure_of(crm, reply) != NULL)
        fail_login(crm, reply);
    json_t *answer = crm_json(crm, reply);
    const char *session = edge_json_text(answer, "Session");
    if (session == NULL || session[0] == '\0' || strpbrk(session, "\r\n") != NULL)
        crm_fail(crm, crm_unusable(crm, "SkySlope gave no session"));

    json_t *value = json_string(session);
    int64_t seconds = lifetime_seconds(answer);
    if (seconds > 0)
        edge_cache_put(crm->ctx, sky->cache_key, value, .ttl_ms = seconds * 1000, .local = true);
    else
        edge_cache_release(crm->ctx, sky->cache_key);
    return value;
}

static void take_session(struct skyslope *sky)
{
    json_t *session = edge_cache_claim(sky->crm->ctx, sky->cache_key);
    sky->is_fresh = session == NULL;
    if (session == NULL)
        session = log_in(sky);
    sky->session = json_string_value(session);
}

/* Somebody else may have renewed it meanwhile; only the one that was refused is thrown away. */
static void renew_session(struct skyslope *sky)
{
    edge_ctx *ctx = sky->crm->ctx;
    const char *kept = json_string_value(edge_cache_get(ctx, sky->cache_key));
    if (kept != NULL && strcmp(kept, sky->session) == 0)
        edge_cache_delete(ctx, sky->cache_key);
    take_session(sky);
}

struct skyslope *skyslope_open(edge_ctx *ctx, const char *prefix)
{
    struct skyslope *sky = edge_alloc(ctx, sizeof *sky);
    sky->crm = crm_open(ctx, &crm_skyslope, prefix);
    sky->access_key = crm_credential(sky->crm, "access_key");
    sky->access_secret = crm_credential(sky->crm, "access_secret");
    find_integration(sky);
    sky->cache_key = cache_key_of(sky);
    take_session(sky);
    return sky;
}

edge_reply *skyslope_try_call_with(struct skyslope *sky, edge_fetch_options options)
{
    struct crm *crm = sky->crm;
    const edge_header headers[] = { { "Session", sky->session }, { 0 } };
    crm->headers = headers;
    edge_reply *reply = crm_try_call_with(crm, options);
    if (reply->status != 401 || sky->is_fresh)
        return reply;

    renew_session(sky);
    const edge_header renewed[] = { { "Session", sky->session }, { 0 } };
    crm->headers = renewed;
    return crm_try_call_with(crm, options);
}

static json_t *value_of(struct skyslope *sky, const edge_reply *reply)
{
    json_t *value = json_object_get(crm_json(sky->crm, reply), "value");
    if (!json_is_object(value))
        crm_fail(sky->crm, crm_unusable(sky->crm, "SkySlope answered something unexpected"));
    return value;
}

json_t *skyslope_call_with(struct skyslope *sky, edge_fetch_options options)
{
    edge_reply *reply = skyslope_try_call_with(sky, options);
    const struct crm_failure *failure = crm_failure_of(sky->crm, reply);
    if (failure != NULL)
        crm_fail(sky->crm, failure);
    return value_of(sky, reply);
}

edge_reply *skyslope_file_call_with(struct skyslope *sky, const char *guid, const struct skyslope_kind **kind,
    const char *rest, edge_fetch_options options)
{
    struct crm *crm = sky->crm;
    bool is_known = *kind != NULL;
    if (!is_known)
        *kind = &skyslope_sale;
    options.path = edge_format(crm->ctx, "%s/%s%s", (*kind)->path, edge_url_encode(crm->ctx, guid), rest);
    edge_reply *reply = skyslope_try_call_with(sky, options);
    if (!is_known && reply->status == 404) {
        *kind = &skyslope_listing;
        options.path = edge_format(crm->ctx, "%s/%s%s", (*kind)->path, edge_url_encode(crm->ctx, guid), rest);
        reply = skyslope_try_call_with(sky, options);
    }
    crm->addressed = true;
    const struct crm_failure *failure = crm_failure_of(crm, reply);
    crm->addressed = false;
    if (failure != NULL)
        crm_fail(crm, failure);
    return reply;
}

json_t *skyslope_file(struct skyslope *sky, const char *guid, const struct skyslope_kind **kind)
{
    edge_reply *reply = skyslope_file_call(sky, guid, kind, "", .method = "GET");
    json_t *file = json_object_get(value_of(sky, reply), (*kind)->name);
    if (!json_is_object(file))
        crm_fail(sky->crm, crm_unusable(sky->crm, "SkySlope answered without the file"));
    return file;
}
