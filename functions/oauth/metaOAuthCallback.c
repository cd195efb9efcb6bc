/*
 * metaOAuthCallback: turns the code that Meta's redirect carried into a Facebook or Instagram connection, and
 * lets the user choose another Page later. Three round trips for either.
 *
 * Meta: https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow,
 * long-lived tokens: .../guides/access-tokens/get-long-lived.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"
#include "lib/token.h"

static const char *const actions[] = { "callback", "selectPage", NULL };
static const char *const services[] = { "facebook", "instagram", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "action", EDGE_ENUM, .values = actions, .fallback = "callback", .help = "What is to be done" },
    { "code", EDGE_TEXT, .min = 1, .max = 4096, .help = "callback: what Meta's redirect carried" },
    { "state", EDGE_TEXT, .min = 1, .max = 1024, .help = "callback: as Meta's redirect carried it" },
    { "error", EDGE_TEXT, .min = 1, .max = 200, .help = "callback: Meta's refusal instead of a code" },
    { "error_description", EDGE_TEXT, .min = 0, .max = 2000, .help = "callback: goes no further" },
    { "service", EDGE_JSON, .help = "selectPage: facebook or instagram" },
    { "pageId", EDGE_JSON, .help = "selectPage: 1 to 64 digits" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "service", EDGE_ENUM, .values = services, .required = true, .help = "What has been connected" },
    { "scopes", EDGE_ARRAY, .items = &oauth_scope_output, .help = "callback: permissions that were given" },
    { "accountEmail", EDGE_TEXT, .help = "callback: always null, Meta does not tell" },
    OAUTH_FINISH_MEMBERS(false),
    { "pageId", EDGE_TEXT, .help = "The chosen Page" },
    { "pageName", EDGE_TEXT, .help = "Its name" },
    { "pages", EDGE_ARRAY, .items = &meta_page_output, .help = "callback: Pages to choose from" },
    { "instagramAccountId", EDGE_TEXT, .help = "instagram: the account linked to the Page" },
    { 0 },
};

enum {
    PAGE_ID_MAX = 64,
};

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field, const char *what)
{
    edge_fail_with(
        ctx, 400, "invalid_input", .field = field, .message = edge_format(ctx, "%s %s", field, what));
}

static const struct service *wanted_service(edge_ctx *ctx, const json_t *in)
{
    const struct service *service = service_find(edge_json_text(in, "service"));
    if (service == NULL || service->provider != SERVICE_META)
        refuse(ctx, "service", "must be facebook or instagram");
    return service;
}

static const char *wanted_page(edge_ctx *ctx, const json_t *in)
{
    const char *id = edge_json_text(in, "pageId");
    size_t length = id != NULL ? strlen(id) : 0;
    if (length == 0 || length > PAGE_ID_MAX || strspn(id, "0123456789") != length)
        refuse(ctx, "pageId", "must be 1 to 64 digits");
    return id;
}

/* The Page the user names, as Meta lists it. */
static const struct meta_page *find_page(
    edge_ctx *ctx, const struct service *service, const struct meta_account *meta, const char *id)
{
    if (meta->failure != NULL)
        connection_fail(ctx, meta->failure);
    const struct meta_page *page = meta_page_find(meta, id);
    if (page == NULL)
        edge_fail(ctx, 404, "page_not_found", "Page \"%s\" is not among the user's Pages", id);
    if (page->instagram_id == NULL && strcmp(service->name, "instagram") == 0)
        connection_fail(ctx, meta_no_instagram(ctx));
    return page;
}

/* Settings and the Page's token in one statement, unless the connection has become another one meanwhile. */
static void keep_page(
    const struct connection *connection, const struct meta_account *meta, const struct meta_page *page)
{
    edge_ctx *ctx = connection->ctx;
    json_t *values = json_deep_copy(connection->credentials.values);
    json_object_set_new(values, "page_access_token",
        page->access_token != NULL ? json_string(page->access_token) : json_null());
    json_t *sealed = credentials_seal(ctx, connection->service, connection->user, values);
    edge_rows *kept = edge_service_query(ctx,
        "UPDATE external_service_connections"
        " SET credentials = $2, settings = coalesce(settings, '{}') || $4"
        " WHERE id = $1 AND connection_status = 'connected' AND credentials = $3",
        edge_uuid(connection->id), edge_json(sealed), edge_json(connection->stored),
        edge_json(meta_page_settings(connection->service, meta, page)));
    if (edge_rows_affected(kept) == 0)
        connection_fail(ctx, connection_missing(ctx, connection->service));
}

static json_t *select_page(edge_ctx *ctx, json_t *in)
{
    const struct service *service = wanted_service(ctx, in);
    const char *id = wanted_page(ctx, in);
    oauth_no_store(ctx);
    oauth_require_client(ctx, service);
    edge_seal_require(ctx);

    const struct token *token = token_require(ctx, edge_auth_user(ctx), service->name);
    const struct meta_account *meta = meta_read(ctx, service, token->access_token);
    const struct meta_page *page = find_page(ctx, service, meta, id);
    keep_page(token->connection, meta, page);
    bool instagram = strcmp(service->name, "instagram") == 0;
    return json_pack("{s:b, s:s, s:s, s:s?, s:s?}", "success", 1, "service", service->name, "pageId", page->id,
        "pageName", page->name, "instagramAccountId", instagram ? page->instagram_id : NULL);
}

static json_t *finish_meta(edge_ctx *ctx, json_t *in)
{
    if (strcmp(edge_json_text(in, "action"), "selectPage") == 0)
        return select_page(ctx, in);
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(metaOAuthCallback,
    .summary = "Finishes a Facebook or Instagram connection, or chooses another Page",
    .input = input,
    .output = output,
    .handle = finish_meta,
    .shape = &oauth_callback_shape);
