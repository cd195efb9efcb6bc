/*
 * Which errors a function can answer: what its configuration and descriptor bring with them, and its own.
 */
#include "openapi.h"

#include "config/config.h"

#include <stdio.h>
#include <string.h>

/* When a code can come; asked in the order of the list below. */
enum condition {
    ALWAYS,
    WITH_INPUT,     /* an input table */
    WITH_JSON,      /* the body is JSON */
    WITH_RAW_BODY,  /* the function reads it by itself */
    WITH_TOKEN,     /* somebody has to be signed in, or may be */
    WITH_ADMIN,     /* an administrator has to be */
    WITH_SERVICE,   /* the service key is the only one */
    WITH_USER_ID,   /* the body may name the caller */
    WITH_SIGNATURE, /* a signed event */
    WITH_RATE_LIMIT,
};

static const struct error {
    int status;
    const char *code;
    enum condition when;
} errors[] = {
    { 400, "invalid_json", WITH_JSON },
    { 400, "invalid_input", WITH_INPUT },
    { 400, "invalid_input", WITH_RAW_BODY },
    { 401, "unauthorized", WITH_TOKEN },
    { 401, "missing_signature", WITH_SIGNATURE },
    { 401, "invalid_signature", WITH_SIGNATURE },
    { 401, "stale_timestamp", WITH_SIGNATURE },
    { 403, "admin_required", WITH_ADMIN },
    { 403, "forbidden", WITH_SERVICE },
    { 403, "user_mismatch", WITH_USER_ID },
    { 405, "method_not_allowed", ALWAYS },
    { 413, "body_too_large", ALWAYS },
    { 415, "unsupported_media_type", ALWAYS },
    { 429, "rate_limited", WITH_RATE_LIMIT },
    { 500, "internal_error", ALWAYS },
    { 500, "function_crashed", ALWAYS },
    { 500, "memory_limit", ALWAYS },
    { 503, "not_configured", ALWAYS },
    { 503, "overloaded", ALWAYS },
    { 503, "draining", ALWAYS },
    { 503, "database_busy", ALWAYS },
    { 503, "database_unavailable", ALWAYS },
    { 503, "function_not_loaded", ALWAYS },
    { 503, "function_quarantined", ALWAYS },
    { 504, "timeout", ALWAYS },
};

static bool applies(enum condition when, const struct openapi_function *entry)
{
    const edge_function *function = entry->function;
    enum auth_mode auth = entry->config->auth;
    switch (when) {
    case WITH_INPUT:
        return function->input != NULL && !function->raw_body;
    case WITH_JSON:
        return !function->raw_body;
    case WITH_RAW_BODY:
        return function->raw_body;
    case WITH_TOKEN:
        return auth != AUTH_PUBLIC && auth != AUTH_WEBHOOK;
    case WITH_ADMIN:
        return auth == AUTH_ADMIN;
    case WITH_SERVICE:
        return auth == AUTH_SERVICE;
    case WITH_USER_ID:
        return !function->raw_body &&
               (auth == AUTH_USER || auth == AUTH_OPTIONAL || auth == AUTH_USER_OR_SERVICE);
    case WITH_SIGNATURE:
        return auth == AUTH_WEBHOOK;
    case WITH_RATE_LIMIT:
        return entry->config->rate.scope != RATE_NONE;
    case ALWAYS:
        break;
    }
    return true;
}

/* What the group's descriptor says instead of a common code. */
static const char *code_of(const struct error *error, const edge_function *function)
{
    const char *instead = function->shape != NULL ? function->shape->invalid_code : NULL;
    return instead != NULL && strcmp(error->code, "invalid_input") == 0 ? instead : error->code;
}

static json_t *response_of(json_t *responses, int status)
{
    char key[16];
    snprintf(key, sizeof key, "%d", status);
    json_t *response = json_object_get(responses, key);
    if (response != NULL)
        return response;
    response = json_pack("{s:s, s:{s:{s:{s:s}}}, s:[]}", "description", "", "content", "application/json",
        "schema", "$ref", "#/components/schemas/Error", "x-codes");
    json_object_set_new(responses, key, response);
    return response;
}

static void add_error(json_t *responses, int status, const char *code, const char *help)
{
    json_t *response = response_of(responses, status), *codes = json_object_get(response, "x-codes");
    for (size_t i = 0; i < json_array_size(codes); i++)
        if (strcmp(json_string_value(json_array_get(codes, i)), code) == 0)
            return;
    json_array_append_new(codes, json_string(code));
    const char *before = json_string_value(json_object_get(response, "description"));
    json_object_set_new(response, "description",
        json_sprintf("%s%s`%s`%s%s", before, before[0] != '\0' ? "; " : "", code, help != NULL ? ": " : "",
            help != NULL ? help : ""));
}

void openapi_add_errors(json_t *responses, const struct openapi_function *entry)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (applies(errors[i].when, entry))
            add_error(responses, errors[i].status, code_of(&errors[i], entry->function), NULL);
    const edge_problem *problem = entry->function->problems;
    for (; problem != NULL && problem->code != NULL; problem++)
        add_error(responses, problem->status, problem->code, problem->help);
}

static json_t *text_schema(const char *description)
{
    return json_pack("{s:s, s:s}", "type", "string", "description", description);
}

json_t *openapi_error_schema(void)
{
    return json_pack("{s:s, s:{s:o, s:o, s:o, s:o, s:o, s:{s:s, s:s}, s:{s:s, s:b, s:s}}, s:[s, s, s]}", "type",
        "object", "properties", "error", text_schema("What is wrong, for people"), "code",
        text_schema("What is wrong, for programs"), "requestId", text_schema("As in the header x-request-id"),
        "field", text_schema("Path of the input field at fault, as items[2].price"), "suggestion",
        text_schema("What a person can try"), "retryAfter", "type", "integer", "description",
        "Seconds, as in the header Retry-After", "success", "type", "boolean", "const", 0, "description",
        "Some functions say it in every error", "required", "error", "code", "requestId");
}
