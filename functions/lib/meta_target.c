/*
 * Pages and Instagram accounts that tools act on
 * (https://developers.facebook.com/docs/graph-api/reference/user/accounts/).
 */
#include "lib/meta_target.h"

#include <string.h>

#include "lib/field.h"
#include "lib/meta.h"
#include "lib/tool_failure.h"

enum {
    ID_MAX = 32,
};

json_t *meta_check_id(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    field_check_characters(
        ctx, field->name, json_string_value(value), FIELD_DIGITS, ID_MAX, "an id of 1 to 32 digits");
    return value;
}

const char *meta_path(edge_ctx *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *rest = edge_vformat(ctx, format, args);
    va_end(args);
    return edge_format(ctx, "/%s%s", meta_version(ctx), rest);
}

/* An id among the settings; numbers are accepted as well. NULL: none. */
static const char *setting(const struct tool *tool, const char *name)
{
    const json_t *value = json_object_get(tool->token->connection->settings, name);
    if (json_is_integer(value))
        return edge_format(tool->ctx, "%lld", (long long)json_integer_value(value));
    const char *text = json_string_value(value);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static json_t *list_pages(struct tool *tool, const char *fields)
{
    edge_ctx *ctx = tool->ctx;
    json_t *answer = tool_call(tool, .provider = "meta_graph", .what = "Listing the Pages", .reads = true,
        .path = meta_path(ctx, "/me/accounts?fields=%s&limit=100", edge_url_encode(ctx, fields)));
    return json_object_get(answer, "data");
}

EDGE_NORETURN static void ask_to_choose(
    struct tool *tool, const char *code, const char *message, const char *member, json_t *choices)
{
    struct tool_failure *failure =
        tool_failure_new(tool->ctx, 409, code, message, "Choose one of them and send its id with the request.");
    failure->said.extra = json_pack("{s:o}", member, choices);
    tool_fail(tool, failure);
}

/* A Page's own token: the one stored belongs to the connected Page only. */
static const char *page_token(struct tool *tool, const char *page)
{
    edge_ctx *ctx = tool->ctx;
    const char *connected = setting(tool, "page_id");
    if (tool->token->page_token != NULL && connected != NULL && strcmp(connected, page) == 0)
        return tool->token->page_token;
    json_t *answer = tool_call(tool, .provider = "meta_graph", .what = "Reading the Page's token",
        .reads = true, .path = meta_path(ctx, "/%s?fields=access_token", edge_url_encode(ctx, page)));
    const char *token = edge_json_text(answer, "access_token");
    if (token == NULL)
        tool_refuse(tool, 403, "provider_permission_denied",
            "Facebook gives no access to this Page to the connected account",
            "Reconnect Facebook in Settings > Integrations and select the Page.");
    return token;
}

static struct meta_target_page only_page(struct tool *tool)
{
    json_t *pages = list_pages(tool, "id,name,access_token"), *page, *choices = json_array();
    size_t i;
    if (json_array_size(pages) == 0)
        tool_refuse(tool, 409, "no_page_connected", "No Facebook Page connected",
            "Reconnect Facebook in Settings > Integrations and select a Page.");
    json_array_foreach(pages, i, page) json_array_append_new(choices,
        json_pack("{s:s?, s:s?}", "id", edge_json_text(page, "id"), "name", edge_json_text(page, "name")));
    if (json_array_size(pages) > 1)
        ask_to_choose(tool, "page_selection_required", "The account manages several Pages", "pages", choices);

    page = json_array_get(pages, 0);
    const char *id = edge_json_text(page, "id"), *token = edge_json_text(page, "access_token");
    if (id == NULL)
        tool_refuse(tool, 502, "provider_bad_response", "Listing the Pages failed: a Page has no id",
            "Try again in a few minutes.");
    connection_save_settings(tool->token->connection, json_pack("{s:s}", "page_id", id));
    return (struct meta_target_page){ id, token != NULL ? token : page_token(tool, id) };
}

struct meta_target_page meta_target_page(struct tool *tool, const char *asked)
{
    const char *page = asked != NULL ? asked : setting(tool, "page_id");
    if (page == NULL)
        return only_page(tool);
    return (struct meta_target_page){ page, page_token(tool, page) };
}

static const char *only_instagram(struct tool *tool)
{
    json_t *pages = list_pages(tool, "id,name,instagram_business_account{id,username}"), *page;
    json_t *accounts = json_array();
    size_t i;
    json_array_foreach(pages, i, page)
    {
        json_t *account = json_object_get(page, "instagram_business_account");
        if (edge_json_text(account, "id") != NULL)
            json_array_append_new(
                accounts, json_pack("{s:s, s:s?, s:s?}", "id", edge_json_text(account, "id"), "username",
                              edge_json_text(account, "username"), "pageName", edge_json_text(page, "name")));
    }
    if (json_array_size(accounts) == 0)
        tool_refuse(tool, 409, "no_instagram_business_account", "No Instagram Business Account connected",
            "Link an Instagram professional account to a Facebook Page, then reconnect Instagram in "
            "Settings > Integrations.");
    if (json_array_size(accounts) > 1)
        ask_to_choose(tool, "account_selection_required", "Several Instagram accounts are connected",
            "accounts", accounts);
    const char *id = edge_json_text(json_array_get(accounts, 0), "id");
    connection_save_settings(tool->token->connection, json_pack("{s:s}", "instagram_account_id", id));
    return id;
}

const char *meta_target_instagram(struct tool *tool, const char *asked)
{
    const char *account = asked != NULL ? asked : setting(tool, "instagram_account_id");
    if (account == NULL)
        account = setting(tool, "instagram_business_account_id");
    return account != NULL ? account : only_instagram(tool);
}
