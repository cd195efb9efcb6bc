/*
 * Authorization servers: forms, and the page at which a person consents.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "lib/sandbox_oauth_seal.h"

/* One name or value of a form: percent-decoded, + is a blank. */
static const char *decoded(edge_ctx *ctx, const char *text, size_t length)
{
    char *out = edge_copy_bytes(ctx, text, length), *to = out;
    for (const char *at = out; *at != '\0'; at++) {
        char digits[3] = { 0 };
        if (*at == '%' && at[1] != '\0' && at[2] != '\0') {
            memcpy(digits, at + 1, 2);
            *to++ = (char)strtol(digits, NULL, 16);
            at += 2;
        } else {
            *to++ = *at == '+' ? ' ' : *at;
        }
    }
    *to = '\0';
    return out;
}

json_t *sandbox_form(edge_ctx *ctx)
{
    static const char media_type[] = "application/x-www-form-urlencoded";
    const char *type = edge_request_header(ctx, "content-type");
    json_t *fields = json_object();
    if (type == NULL || strncmp(type, media_type, strlen(media_type)) != 0)
        return fields;
    size_t size;
    const char *body = edge_request_body(ctx, &size);
    const char *text = edge_copy_bytes(ctx, body, size);
    for (size_t length; *text != '\0'; text += length + (text[length] == '&')) {
        length = strcspn(text, "&");
        size_t name = strcspn(text, "=&");
        if (text[name] == '=')
            json_object_set_new(fields, decoded(ctx, text, name),
                json_string(decoded(ctx, text + name + 1, length - name - 1)));
    }
    return fields;
}

static json_t *bad_request(edge_ctx *ctx, const char *what)
{
    const char *page = edge_format(ctx, "<!doctype html><title>Error</title><h1>Error</h1><p>%s</p>", what);
    edge_response_status(ctx, 400);
    edge_respond_bytes(ctx, "text/html", page, strlen(page));
    return NULL;
}

static bool is(edge_ctx *ctx, const char *name, const char *value)
{
    const char *given = edge_request_query(ctx, name);
    return given != NULL && strcmp(given, value) == 0;
}

/* What a provider says on a page of its own, since it cannot know where else. */
static const char *problem(edge_ctx *ctx, const struct sandbox_oauth *server)
{
    const char *id = edge_env(ctx, server->id_variable), *redirect = edge_request_query(ctx, "redirect_uri");
    if (id != NULL && !is(ctx, "client_id", id))
        return "invalid_client: the client is not known";
    if (redirect == NULL || strstr(redirect, "://") == NULL)
        return "redirect_uri_mismatch";
    if (!is(ctx, "response_type", "code"))
        return "unsupported_response_type";
    if (edge_request_query(ctx, "code_challenge") != NULL && !is(ctx, "code_challenge_method", "S256"))
        return "invalid_request: code_challenge_method";
    return NULL;
}

static json_t *back(edge_ctx *ctx, struct text *query)
{
    form_add(query, "state", edge_request_query(ctx, "state"));
    const char *redirect = edge_request_query(ctx, "redirect_uri");
    edge_respond_redirect(ctx, 302,
        edge_format(ctx, "%s%s%s", redirect, strchr(redirect, '?') != NULL ? "&" : "?", text_value(query)));
    return NULL;
}

static json_t *page(edge_ctx *ctx, const struct sandbox_oauth *server)
{
    struct text query = { .ctx = ctx };
    for (const edge_header *field = edge_request_queries(ctx); field->name != NULL; field++)
        form_add(&query, field->name, field->value);
    const char *again = text_value(&query);
    const char *html = edge_format(ctx,
        "<!doctype html><title>Sign in</title><h1>%s (stand-in)</h1><p>An application asks for access.</p>"
        "<p><a href=\"?%s&amp;consent=allow\">Allow</a> <a href=\"?%s&amp;consent=deny\">Deny</a></p>",
        server->provider, again, again);
    edge_respond_bytes(ctx, "text/html", html, strlen(html));
    return NULL;
}

json_t *sandbox_consent(edge_ctx *ctx, const struct sandbox_oauth *server)
{
    const char *wrong = problem(ctx, server);
    struct text query = { .ctx = ctx };
    if (wrong != NULL)
        return bad_request(ctx, wrong);
    if (is(ctx, "consent", "deny")) {
        form_add(&query, "error", server->denial);
        form_add(&query, "error_description", "The person said no");
        return back(ctx, &query);
    }
    if (!is(ctx, "consent", "allow"))
        return page(ctx, server);

    const char *scope = edge_request_query(ctx, "scope"), *some = edge_request_query(ctx, "grant"),
               *account = edge_request_query(ctx, "account");
    const char *granted = some != NULL ? some : scope;
    form_add(&query, "code",
        sandbox_new_code(ctx, server,
            &(const struct sandbox_grant){
                .account = account != NULL ? account : "sandbox", .scope = granted != NULL ? granted : "" }));
    return back(ctx, &query);
}
