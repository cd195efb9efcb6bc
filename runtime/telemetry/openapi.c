/*
 * The OpenAPI document: paths, operations, security; see openapi.h.
 */
#include "openapi.h"

#include "config/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text));
}

/* A last segment * becomes a parameter: OpenAPI has no wildcards. */
static json_t *path_of(const char *route)
{
    size_t length = strlen(route);
    bool wildcard = length >= 2 && strcmp(route + length - 2, "/*") == 0;
    return wildcard ? json_sprintf("%.*s/{path}", (int)(length - 2), route) : json_string(route);
}

static json_t *parameters_of(const char *path)
{
    json_t *parameters = json_array();
    for (const char *at = strchr(path, '{'); at != NULL; at = strchr(at, '{')) {
        size_t length = strcspn(++at, "}");
        json_array_append_new(parameters, json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", at, length, "in",
                                              "path", "required", 1, "schema", "type", "string"));
    }
    return parameters;
}

/* The schemes that an auth mode accepts: each alternative is an object of its own. */
static json_t *security_of(const struct function_config *config)
{
    switch (config->auth) {
    case AUTH_USER:
    case AUTH_ADMIN:
        return json_pack("[{s:[]}, {s:[]}]", "clerkHeader", "bearer");
    case AUTH_OPTIONAL:
        return json_pack("[{}, {s:[]}, {s:[]}]", "clerkHeader", "bearer");
    case AUTH_SERVICE:
        return json_pack("[{s:[]}]", "serviceKey");
    case AUTH_USER_OR_SERVICE:
        return json_pack("[{s:[]}, {s:[]}, {s:[]}]", "clerkHeader", "bearer", "serviceKey");
    case AUTH_WEBHOOK:
        return json_pack("[{s:[]}]", "webhookSignature");
    case AUTH_PUBLIC:
        break;
    }
    return json_array();
}

static json_t *security_schemes(void)
{
    return json_pack(
        "{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}}", "bearer",
        "type", "http", "scheme", "bearer", "bearerFormat", "JWT", "description", "A session token of Clerk",
        "clerkHeader", "type", "apiKey", "in", "header", "name", "x-clerk-auth", "description",
        "The same token, where Authorization holds another key; it goes before Authorization", "serviceKey",
        "type", "http", "scheme", "bearer", "description",
        "The host's service key: acts for the user that the body names", "webhookSignature", "type", "apiKey",
        "in", "header", "name", "svix-signature", "description",
        "The sender's signature, with svix-id and svix-timestamp");
}

static void add_media_types(json_t *content, const char *types, const char *fallback)
{
    const char *at = types != NULL ? types : fallback;
    for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
        char type[128];
        size_t length = strcspn(at, " ");
        snprintf(type, sizeof type, "%.*s", (int)length, at);
        json_object_set_new(content, type, json_object());
        at += length;
    }
}

static json_t *body_of(const edge_function *function)
{
    json_t *content = json_object();
    if (function->raw_body) {
        add_media_types(content, function->consumes, "application/octet-stream");
        return json_pack("{s:o}", "content", content);
    }
    bool refuse = function->unknown_fields == EDGE_UNKNOWN_REFUSE;
    json_t *schema = openapi_object_schema(function->input, refuse ? OPENAPI_STRICT_INPUT : OPENAPI_INPUT);
    bool needed = json_object_get(schema, "required") != NULL || json_object_get(schema, "allOf") != NULL;
    json_object_set_new(content, "application/json", json_pack("{s:o}", "schema", schema));
    add_media_types(content, function->raw_types, "");
    return json_pack("{s:o, s:b}", "content", content, "required", needed);
}

/* What is said in JSON of an answer: the members that the descriptor names, or that it is some JSON value. */
static json_t *answer_of(const edge_function *function)
{
    json_t *content = json_object();
    add_media_types(content, function->produces, "application/json");
    if (json_object_get(content, "application/json") != NULL)
        json_object_set_new(content, "application/json",
            json_pack("{s:o}", "schema",
                function->output != NULL ? openapi_object_schema(function->output, OPENAPI_OUTPUT)
                                         : json_object()));
    if (function->streams)
        json_object_set_new(content, "text/event-stream", json_pack("{s:{s:s}}", "schema", "type", "string"));
    return json_pack("{s:s, s:o}", "description", "Success", "content", content);
}

static void add_rate_limit(json_t *operation, const struct rate_limit *rate)
{
    static const char *const scopes[] = {
        [RATE_PER_USER] = "user",
        [RATE_PER_IP] = "ip",
        [RATE_TOTAL] = "total",
    };
    if (rate->scope == RATE_NONE)
        return;
    json_object_set_new(operation, "x-rate-limit",
        json_pack("{s:I, s:I, s:s}", "limit", (json_int_t)rate->count, "windowSeconds",
            (json_int_t)rate->window_seconds, "per", scopes[rate->scope]));
}

static void add_settings(json_t *operation, const struct openapi_function *entry)
{
    const struct function_config *config = entry->config;
    add_rate_limit(operation, &config->rate);
    json_object_set_new(operation, "x-timeout-ms", json_integer(config->timeout_ms));
    json_object_set_new(operation, "x-max-body-bytes", json_integer((json_int_t)config->max_body_bytes));
    set_text(operation, "x-function", config->name);
    set_text(operation, "x-function-version", entry->generation);
}

static json_t *operation_of(const struct openapi_function *entry, const char *method)
{
    const edge_function *function = entry->function;
    const struct function_config *config = entry->config;
    bool only = function->methods == NULL || strchr(function->methods, ' ') == NULL;
    json_t *operation = json_object(), *responses = json_object();
    json_object_set_new(operation, "operationId",
        only ? json_string(config->name) : json_sprintf("%s_%s", config->name, method));
    set_text(operation, "summary", function->summary);
    json_object_set_new(operation, "security", security_of(config));
    if (strcmp(method, "get") != 0 && strcmp(method, "head") != 0)
        json_object_set_new(operation, "requestBody", body_of(function));
    json_object_set_new(responses, "200", answer_of(function));
    openapi_add_errors(responses, entry);
    json_object_set_new(operation, "responses", responses);
    add_settings(operation, entry);
    return operation;
}

/* What is spoken in a session is the function's own, so the opening is all there is to describe. */
static json_t *session_of(const struct openapi_function *entry)
{
    const char *const *name = entry->function->subprotocols;
    json_t *operation = json_object(), *responses = json_object(), *subprotocols = json_array();
    for (; name != NULL && *name != NULL; name++)
        json_array_append_new(subprotocols, json_string(*name));
    json_object_set_new(operation, "operationId", json_sprintf("%s_session", entry->config->name));
    set_text(operation, "summary", entry->function->summary);
    json_object_set_new(operation, "security", security_of(entry->config));
    openapi_add_errors(responses, entry);
    /* Of bodies, which an opening does not have. */
    for (const char *const *status = (const char *const[]){ "400", "413", "415", NULL }; *status != NULL;
         status++)
        json_object_del(responses, *status);
    json_object_set_new(
        responses, "101", json_pack("{s:s}", "description", "Switching to a WebSocket: the session is open"));
    json_object_set_new(operation, "responses", responses);
    json_object_set_new(operation, "x-websocket", json_pack("{s:o}", "subprotocols", subprotocols));
    add_settings(operation, entry);
    return operation;
}

/* One operation a method that a path item has a member for. */
static void add_operations(json_t *item, const struct openapi_function *entry)
{
    if (entry->function->session != NULL)
        json_object_set_new(item, "get", session_of(entry));
    if (entry->function->handle == NULL)
        return;
    static const char known[] = " get put post delete options head patch trace ";
    const char *at = entry->function->methods != NULL ? entry->function->methods : "POST";
    for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
        char method[24], padded[32];
        size_t length = strcspn(at, " ");
        snprintf(method, sizeof method, "%.*s", (int)length, at);
        for (char *c = method; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        snprintf(padded, sizeof padded, " %s ", method);
        if (strstr(known, padded) != NULL)
            json_object_set_new(item, method, operation_of(entry, method));
        at += length;
    }
}

static void add_function(json_t *paths, const struct openapi_function *entry)
{
    json_t *path = path_of(entry->config->route), *item = json_object();
    json_t *parameters = parameters_of(json_string_value(path));
    if (json_array_size(parameters) > 0)
        json_object_set(item, "parameters", parameters);
    json_decref(parameters);
    add_operations(item, entry);
    json_object_set_new(paths, json_string_value(path), item);
    json_decref(path);
}

char *openapi_text(const struct openapi_function *functions, size_t count, size_t *length)
{
    json_t *paths = json_object();
    for (size_t i = 0; i < count; i++)
        add_function(paths, &functions[i]);
    json_t *document = json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:o, s:{s:{s:o}, s:o}}", "openapi",
        "3.1.0", "info", "title", "Pulse Edge", "version", EDGE_VERSION, "description",
        "Functions of this host. Each can be called over a WebSocket at its own path as well.", "servers",
        "url", "/", "paths", paths, "components", "schemas", "Error", openapi_error_schema(), "securitySchemes",
        security_schemes());
    char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    *length = text != NULL ? strlen(text) : 0;
    return text;
}
