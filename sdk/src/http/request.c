/*
 * From what a function asks to a request that can be sent, in the fiber. What is missing in the configuration
 * ends the invocation with 503; what no function should ask for with 500.
 */
#include "call.h"

#include "base/json_dump.h"

#include "provider.h"
#include "source.h"
#include "target.h"
#include "url.h"

#include <edge/json.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_MS = 5000,
    TOTAL_MS = 30 * 1000,
    BODY_MAX_BYTES = 16 * 1024 * 1024,
};

#define USER_AGENT "User-Agent: pulse-edge/" EDGE_VERSION

/* libcurl frames the request: these would frame it a second time. */
static const char *const framing_headers[] = { "content-length", "transfer-encoding", "connection", "expect",
    "te", "trailer", "upgrade", NULL };

void call_refuse(struct http_call *call, const char *why, const char *what)
{
    edge_ctx *ctx = call->ctx;
    const char *detail =
        edge_format(ctx, "call to provider \"%s\": %s: %s", call->provider->settings.name, why, what);
    context_fail_detail(ctx, 500, "internal_error", "Internal error", detail);
}

EDGE_NORETURN static void not_configured(edge_ctx *ctx, const char *variable)
{
    edge_fail(ctx, 503, "not_configured", "%s is not configured", variable);
}

static void add_line(struct http_call *call, const char *line)
{
    struct curl_slist *node = edge_alloc(call->ctx, sizeof *node);
    node->data = (char *)line;
    struct curl_slist **end = &call->request.headers;
    while (*end != NULL)
        end = &(*end)->next;
    *end = node;
}

static bool is_token(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name != '\0'; name++)
        if (!isascii(*name) || (!isalnum(*name) && strchr("!#$%&'*+-.^_`|~", *name) == NULL))
            return false;
    return true;
}

static bool is_field_value(const char *value)
{
    for (const unsigned char *at = (const unsigned char *)value; *at != '\0'; at++)
        if ((*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    return true;
}

static void add_header(struct http_call *call, const char *name, const char *value)
{
    if (!is_token(name))
        call_refuse(call, "malformed header name", name);
    if (value == NULL || !is_field_value(value))
        call_refuse(call, "missing or malformed value of header", name);
    for (const char *const *framing = framing_headers; *framing != NULL; framing++)
        if (strcasecmp(*framing, name) == 0)
            call_refuse(call, "header that the client sets itself", name);
    /* libcurl takes "name:" for "leave this header out" and "name;" for an empty value. */
    add_line(call,
        value[0] != '\0' ? edge_format(call->ctx, "%s: %s", name, value) : edge_format(call->ctx, "%s;", name));
}

static bool has_header(const edge_fetch_options *options, const char *name)
{
    for (const edge_header *header = options->headers; header != NULL && header->name != NULL; header++)
        if (strcasecmp(header->name, name) == 0)
            return true;
    return false;
}

static void add_key(struct http_call *call, const edge_fetch_options *options)
{
    const struct provider_settings *settings = &call->provider->settings;
    const char *name = settings->key_header != NULL ? settings->key_header : "Authorization";
    if (options->bearer != NULL) {
        add_header(call, "Authorization", edge_format(call->ctx, "Bearer %s", options->bearer));
        return;
    }
    /* A provider's key is for the provider, not for whoever somebody's URL leads to. */
    bool anybodys = call->request.target != NULL && settings->public_urls;
    if (anybodys || options->no_key || has_header(options, name))
        return;
    if (settings->key == NULL) {
        if (settings->key_variable != NULL)
            not_configured(call->ctx, settings->key_variable);
        return;
    }
    if (settings->aws_sigv4 != NULL)
        return; /* libcurl signs */
    add_header(call, name,
        settings->key_header != NULL ? settings->key : edge_format(call->ctx, "Bearer %s", settings->key));
}

static bool has_source(const edge_fetch_options *options)
{
    return options->file != NULL || options->file_descriptor > 0 || options->parts != NULL;
}

/* As a block of its own: a stream lets go of it once it has been sent. */
static void take_json(struct http_call *call, const json_t *json)
{
    struct call_request *request = &call->request;
    const char *text = json_dump_shared(json, &request->body_length);
    if (text == NULL)
        edge_fail(call->ctx, 503, "overloaded", "The host is out of memory");
    request->block = arena_block(&call->ctx->arena, request->body_length);
    if (request->block == NULL)
        context_memory_limit(call->ctx, request->body_length);
    memcpy(request->block, text, request->body_length);
    request->body = request->block;
}

/* The body's type unless the function names one; NULL: there is no body, or libcurl names it. */
static const char *take_body(struct http_call *call, const edge_fetch_options *options)
{
    struct call_request *request = &call->request;
    if (has_source(options)) {
        sources_open(call, options);
        return options->parts == NULL ? "application/octet-stream" : NULL;
    }
    if (options->json != NULL || options->json_new != NULL) {
        take_json(call, options->json != NULL ? options->json : options->json_new);
        json_decref(options->json_new);
        return "application/json";
    }
    if (options->form != NULL) {
        request->body = options->form;
        request->body_length = strlen(options->form);
        return "application/x-www-form-urlencoded";
    }
    request->body = options->body;
    request->body_length = options->body != NULL ? options->length : 0;
    return options->body != NULL || options->content_type != NULL ? "application/octet-stream" : NULL;
}

static void set_body(struct http_call *call, const edge_fetch_options *options)
{
    const char *type = take_body(call, options);
    if (type == NULL && options->parts == NULL) {
        /* libcurl would call the body that is not there a form. */
        if (!has_header(options, "content-type"))
            add_line(call, "Content-Type:");
        return;
    }
    if (type != NULL && !has_header(options, "content-type"))
        add_header(call, "Content-Type", options->content_type != NULL ? options->content_type : type);
    for (const edge_form_part *part = options->parts; part != NULL && part->name != NULL; part++)
        if (part->content_type != NULL && !is_field_value(part->content_type))
            call_refuse(call, "malformed content type of part", part->name);
    /* Without this libcurl waits for a 100 before a large body, which few providers send. */
    add_line(call, "Expect:");
}

static void set_headers(struct http_call *call, const edge_fetch_options *options)
{
    if (!has_header(options, "user-agent"))
        add_line(call, USER_AGENT);
    for (const edge_header *header = options->headers; header != NULL && header->name != NULL; header++)
        add_header(call, header->name, header->value);
    add_key(call, options);
    if (options->idempotency_key != NULL)
        add_header(call, "Idempotency-Key", options->idempotency_key);
}

static bool is_repeatable(const char *method)
{
    static const char *const safe[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", NULL };
    for (const char *const *known = safe; *known != NULL; known++)
        if (strcmp(*known, method) == 0)
            return true;
    return false;
}

/* What the call asks for, else the provider's setting, else the default; negative is no limit. */
static int64_t pick_ms(int64_t asked, int64_t setting, int64_t fallback)
{
    int64_t ms = asked != 0 ? asked : setting != 0 ? setting : fallback;
    return ms > 0 ? ms : 0;
}

static void set_limits(struct http_call *call, const edge_fetch_options *options)
{
    const struct provider_settings *settings = &call->provider->settings;
    struct call_request *request = &call->request;
    request->connect_ms = pick_ms(options->connect_timeout_ms, settings->connect_timeout_ms, CONNECT_MS);
    request->first_byte_ms = pick_ms(options->first_byte_timeout_ms, settings->first_byte_timeout_ms, 0);
    request->total_ms = pick_ms(options->timeout_ms, settings->timeout_ms, TOTAL_MS);
    request->max_bytes = options->max_bytes != 0 ? options->max_bytes : BODY_MAX_BYTES;
    int retries = options->retries != 0 ? options->retries : settings->retries;
    request->retries = retries > 0 ? retries : 0;
    /* An answer taken whole may take its time after the head; its total is limited. */
    if (request->streamed)
        request->silence_ms = pick_ms(options->silence_timeout_ms, settings->silence_timeout_ms, 0);
    if (request->total_ms > 0)
        call->deadline_us = clock_us() + request->total_ms * 1000;
}

static struct provider *provider_named(edge_ctx *ctx, const char *name)
{
    struct provider *provider = provider_find(name);
    if (provider == NULL)
        context_fail_detail(ctx, 500, "internal_error", "Internal error",
            edge_format(ctx, "provider \"%s\" is not in functions.toml", name));
    return provider;
}

static struct provider *provider_with_base(edge_ctx *ctx, const char *name)
{
    struct provider *provider = provider_named(ctx, name);
    if (provider->settings.base_url != NULL)
        return provider;

    char *variable = edge_format(ctx, "%s_BASE_URL", name);
    for (char *at = variable; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    not_configured(ctx, variable);
}

const char *edge_provider_url(edge_ctx *ctx, const char *name, const char *path)
{
    const struct provider *provider = provider_with_base(ctx, name);
    if (!url_path_is_sound(path))
        context_fail_detail(ctx, 500, "internal_error", "Internal error",
            edge_format(ctx, "URL at provider \"%s\": the path is not encoded, or leaves the base URL", name));
    return edge_format(ctx, "%s%s", provider->settings.base_url, path);
}

struct provider *provider_of_urls(edge_ctx *ctx, const char *name)
{
    struct provider *provider = provider_named(ctx, name);
    if (!provider->settings.public_urls && provider->settings.url_host == NULL)
        context_fail_detail(ctx, 500, "internal_error", "Internal error",
            edge_format(
                ctx, "provider \"%s\" takes paths, not URLs: it has neither url_host nor public_urls", name));
    return provider;
}

static void set_path(struct http_call *call, const edge_fetch_options *options)
{
    struct call_request *request = &call->request;
    request->path = options->path != NULL ? options->path : "";
    if (!url_path_is_sound(request->path))
        call_refuse(call, "path is not encoded, or leaves the base URL", request->path);
    request->tls = call->provider->tls;
    request->url = edge_format(call->ctx, "%s%s", call->provider->settings.base_url, request->path);
}

static void set_where(struct http_call *call, const edge_fetch_options *options)
{
    if (options->url == NULL) {
        set_path(call, options);
        return;
    }
    call->request.path = "";
    if (options->path != NULL)
        call_refuse(call, "it has a path and a URL", options->path);
    target_make(call, options->url);
}

struct http_call *call_make(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options, bool streamed)
{
    struct http_call *call = edge_alloc(ctx, sizeof *call);
    call->ctx = ctx;
    call->provider = options->url != NULL ? provider_of_urls(ctx, provider) : provider_with_base(ctx, provider);

    struct call_request *request = &call->request;
    bool has_body = options->json != NULL || options->json_new != NULL || options->form != NULL ||
                    options->body != NULL || has_source(options);
    request->method = options->method != NULL ? edge_copy(ctx, options->method) : has_body ? "POST" : "GET";
    if (!is_token(request->method))
        call_refuse(call, "malformed method", request->method);
    set_where(call, options);
    request->safe = options->retries != EDGE_SEND_ONCE &&
                    (is_repeatable(request->method) || options->idempotency_key != NULL || options->repeatable);
    request->streamed = streamed;
    if (options->until_client_leaves)
        call_heed_client(call);

    set_headers(call, options);
    set_body(call, options);
    set_limits(call, options);
    return call;
}
