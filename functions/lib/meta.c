/*
 * Meta: version, proofs, and the one call that tells who granted what over which Pages.
 */
#include "lib/meta.h"

#include <string.h>

#include "lib/form.h"
#include "lib/oauth_call.h"

enum {
    READ_MS = 5000,
};

#define ACCOUNT_FIELDS                                                                                         \
    "id,name,permissions{permission,status},"                                                                  \
    "accounts.limit(100){id,name,access_token,tasks,instagram_business_account{id,username}}"

static const edge_field page_fields[] = {
    { "id", EDGE_TEXT, .required = true, .help = "Meta's number of the Page" },
    { "name", EDGE_TEXT, .help = "As Facebook shows it" },
    { "instagram_account_id", EDGE_TEXT, .help = "Professional account that is linked to it; Instagram only" },
    { "instagram_username", EDGE_TEXT, .help = "Name of that account" },
    { 0 },
};

const edge_field meta_page_output = { .type = EDGE_OBJECT, .fields = page_fields };

const char *meta_version(edge_ctx *ctx)
{
    const char *configured = edge_env(ctx, "META_GRAPH_VERSION");
    return edge_url_encode(ctx, configured != NULL ? configured : "v25.0");
}

const char *meta_proof(edge_ctx *ctx, const char *access_token)
{
    const char *secret = edge_env(ctx, "META_APP_SECRET");
    if (secret == NULL)
        return NULL;
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(secret, strlen(secret), access_token, strlen(access_token), mac);
    return edge_hex(ctx, mac, sizeof mac);
}

int64_t meta_error_code(const edge_reply *reply)
{
    return edge_json_int(json_object_get(reply->json, "error"), "code", 0);
}

static json_t *granted(const json_t *me)
{
    json_t *list = json_array(), *entry;
    size_t i;
    if (!json_is_array(edge_json_path(me, "permissions.data")))
        return NULL;
    json_array_foreach(edge_json_path(me, "permissions.data"), i, entry)
    {
        const char *name = edge_json_text(entry, "permission"), *status = edge_json_text(entry, "status");
        if (name != NULL && status != NULL && strcmp(status, "granted") == 0)
            json_array_append_new(list, json_string(name));
    }
    return list;
}

static bool has_task(const json_t *page, const char *wanted)
{
    size_t i;
    json_t *task;
    json_array_foreach(json_object_get(page, "tasks"), i,
        task) if (json_is_string(task) && strcmp(json_string_value(task), wanted) == 0) return true;
    return false;
}

static void read_pages(edge_ctx *ctx, struct meta_account *account, const json_t *me)
{
    const json_t *list = edge_json_path(me, "accounts.data");
    struct meta_page *pages = edge_alloc(ctx, (json_array_size(list) + 1) * sizeof *pages);
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)list, i, entry)
    {
        const json_t *instagram = json_object_get(entry, "instagram_business_account");
        if (edge_json_text(entry, "id") == NULL)
            continue;
        pages[account->page_count++] = (struct meta_page){
            .id = edge_json_text(entry, "id"),
            .name = edge_json_text(entry, "name"),
            .access_token = edge_json_text(entry, "access_token"),
            .instagram_id = edge_json_text(instagram, "id"),
            .instagram_username = edge_json_text(instagram, "username"),
            .can_publish = has_task(entry, "CREATE_CONTENT"),
        };
    }
    account->pages = pages;
}

const struct meta_account *meta_read(edge_ctx *ctx, const struct service *service, const char *access_token)
{
    struct text query = { .ctx = ctx };
    form_add(&query, "fields", ACCOUNT_FIELDS);
    form_add(&query, "access_token", access_token);
    form_add(&query, "appsecret_proof", meta_proof(ctx, access_token));
    edge_reply *reply =
        oauth_get(ctx, "meta_graph", edge_format(ctx, "/%s/me?%s", meta_version(ctx), text_value(&query)), NULL,
            oauth_timeout_ms(ctx, READ_MS));

    struct meta_account *account = edge_alloc(ctx, sizeof *account);
    account->failure = oauth_failure(ctx, service, "me", reply);
    if (account->failure == NULL && edge_json_text(reply->json, "id") == NULL)
        account->failure = oauth_unusable(ctx, service, "me");
    if (account->failure != NULL)
        return account;
    account->id = edge_json_text(reply->json, "id");
    account->name = edge_json_text(reply->json, "name");
    account->granted = granted(reply->json);
    read_pages(ctx, account, reply->json);
    return account;
}

const struct meta_page *meta_page_find(const struct meta_account *account, const char *id)
{
    for (size_t i = 0; id != NULL && i < account->page_count; i++)
        if (strcmp(account->pages[i].id, id) == 0)
            return &account->pages[i];
    return NULL;
}

const struct connection_failure *meta_no_instagram(edge_ctx *ctx)
{
    struct connection_failure *failure = edge_alloc(ctx, sizeof *failure);
    *failure = (struct connection_failure){ 422, "no_instagram_business_account",
        { .message = "None of your Pages has a professional Instagram account",
            .suggestion = "Link a professional Instagram account to a Facebook Page, then connect again" } };
    return failure;
}

json_t *meta_page_settings(
    const struct service *service, const struct meta_account *account, const struct meta_page *page)
{
    bool instagram = strcmp(service->name, "instagram") == 0;
    json_t *pages = json_array();
    for (size_t i = 0; i < account->page_count; i++) {
        const struct meta_page *listed = &account->pages[i];
        if (!instagram)
            json_array_append_new(pages, json_pack("{s:s, s:s?}", "id", listed->id, "name", listed->name));
        else if (listed->instagram_id != NULL)
            json_array_append_new(pages, json_pack("{s:s, s:s?, s:s, s:s?}", "id", listed->id, "name",
                                             listed->name, "instagram_account_id", listed->instagram_id,
                                             "instagram_username", listed->instagram_username));
    }
    json_t *settings = json_pack("{s:s?, s:s?, s:o}", "page_id", page != NULL ? page->id : NULL, "page_name",
        page != NULL ? page->name : NULL, "pages", pages);
    if (instagram) {
        json_object_set_new(
            settings, "instagram_account_id", page != NULL ? json_string(page->instagram_id) : json_null());
        json_object_set_new(settings, "instagram_username",
            page != NULL && page->instagram_username != NULL ? json_string(page->instagram_username)
                                                             : json_null());
    }
    return settings;
}
