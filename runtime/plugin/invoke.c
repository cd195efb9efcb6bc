/*
 * The steps of an invocation that are the same for every function and transport; see invoke.h.
 */
#include "invoke.h"

#include "config/config.h"
#include "generation.h"
#include "http/auth.h"
#include "http/rate.h"

#include <edge/json.h>
#include <edge/log.h>
#include <edge/request.h>

#include <context.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * A body that is a JSON object is taken whatever it calls itself: clients send JSON as text/plain, as
 * octet-stream, as a form (curl -d) and without any type (clients.md 1). What is none and says why is 415.
 */
EDGE_NORETURN static void refuse_body(edge_ctx *ctx, bool is_json)
{
    static const char *const other[] = { "multipart/", "application/x-www-form-urlencoded", "image/", "audio/",
        "video/", NULL };
    const char *type = edge_request_header(ctx, "content-type");
    for (const char *const *one = other; !is_json && type != NULL && *one != NULL; one++)
        if (strncasecmp(type, *one, strlen(*one)) == 0)
            edge_fail(ctx, 415, "unsupported_media_type", "The body must be JSON, not \"%s\"", type);
    edge_fail(ctx, 400, "invalid_json", "The body must be a JSON object");
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0')
            return false;
    return true;
}

static json_t *read_body(edge_ctx *ctx)
{
    size_t length = 0;
    const char *text = edge_request_body(ctx, &length);
    if (is_blank(text, length))
        return json_object();
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a byte order mark; RFC 8259 8.1 lets a parser ignore it */
        length -= 3;
    }
    json_t *body = edge_json_parse(ctx, text, length);
    if (!json_is_object(body))
        refuse_body(ctx, body != NULL);
    return body;
}

/* Whether the handler reads this body by itself: always, or because of its media type. */
static bool is_raw(edge_ctx *ctx)
{
    const char *types = ctx->function->raw_types, *type = edge_request_header(ctx, "content-type");
    if (types == NULL || type == NULL)
        return ctx->function->raw_body;
    size_t length = strcspn(type, "; \t");
    for (size_t listed; *(types += strspn(types, " ")) != '\0'; types += listed) {
        listed = strcspn(types, " ");
        bool any = types[listed - 1] == '*';
        if ((any ? length >= listed : length == listed) && strncasecmp(type, types, listed - any) == 0)
            return true;
    }
    return ctx->function->raw_body;
}

/* In these modes a body may name the caller, and nobody else (spec/README.md 1). */
static void check_user(edge_ctx *ctx, const struct function_config *config, const json_t *body)
{
    bool applies =
        config->auth == AUTH_USER || config->auth == AUTH_OPTIONAL || config->auth == AUTH_USER_OR_SERVICE;
    const char *named = edge_json_text(body, "userId"), *caller = ctx->identity.user;
    if (!applies || ctx->identity.caller != EDGE_CALLER_USER || named == NULL || named[0] == '\0')
        return;
    if (strcmp(named, caller) != 0)
        edge_fail(ctx, 403, "user_mismatch", "userId names another user than the one signed in");
}

/* A service that acts for a user calls in process for the same one, unless the body names another. */
static void act_as_before(edge_ctx *ctx, json_t *body)
{
    const struct identity *identity = &ctx->identity;
    if (!ctx->request.internal || identity->caller != EDGE_CALLER_SERVICE || identity->user == NULL)
        return;
    if (json_is_null(json_object_get(body, "userId")) || json_object_get(body, "userId") == NULL)
        json_object_set_new(body, "userId", json_string(identity->user));
}

/* 0 to 99, always the same for a caller of a function: FNV-1a, whose low bits alone are not well mixed. */
static int share_of(const char *function, const char *caller)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *at = function; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    for (const char *at = caller; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
    hash ^= hash >> 32;
    return (int)(hash % 100);
}

void invoke_choose(edge_ctx *ctx, struct generation **generation)
{
    struct generation *canary = (*generation)->canary;
    const struct function_config *config = (*generation)->config;
    const char *caller = ctx->identity.user != NULL ? ctx->identity.user : ctx->request.ip;
    if (canary == NULL || caller == NULL || share_of(config->name, caller) >= config->canary)
        return;
    generation_hold(canary);
    generation_release(*generation);
    *generation = canary;
    ctx->function = canary->function;
    ctx->state = canary->state;
    ctx->generation = canary->id;
    ctx->env = canary->env;
}

static bool checks_answers;

void invoke_check_answers(bool check)
{
    checks_answers = check;
}

/* The OpenAPI document must not say of answers what is not so; users of a live host need not pay for that. */
static json_t *compared(edge_ctx *ctx, json_t *out)
{
    const edge_field *fields = ctx->function->output;
    if (!checks_answers || out == NULL || fields == NULL || ctx->response.status > 299)
        return out;
    const char *wrong = context_answer_mismatch(ctx, fields, out);
    if (wrong != NULL)
        edge_log(ctx, EDGE_LOG_WARN, "answer_mismatch", { "what", edge_text(wrong) });
    return out;
}

json_t *invoke_function(edge_ctx *ctx, struct generation **generation)
{
    const struct function_config *config = (*generation)->config;
    rate_admit(ctx, config);
    if (ctx->request.internal)
        auth_require(ctx, config);
    else if (!ctx->request.websocket)
        auth_identify(ctx, config);
    rate_enforce(ctx, config);
    invoke_choose(ctx, generation);
    if (ctx->function->handle == NULL)
        edge_fail(ctx, 426, "upgrade_required", "The function is spoken to over a WebSocket");
    json_t *in = NULL;
    if (!is_raw(ctx)) {
        in = read_body(ctx);
        act_as_before(ctx, in);
        check_user(ctx, config, in);
        in = context_validate(ctx, ctx->function->input, in);
    }
    return compared(ctx, ctx->function->handle(ctx, in));
}

int invoke_error_status(const struct failure *failure)
{
    return failure->status >= 400 && failure->status <= 599 ? failure->status : 500;
}

static void add_text(json_t *body, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(body, key, json_string(text));
}

static void add_members(json_t *body, const edge_function *function)
{
    const char *text = function != NULL ? function->error_members : NULL;
    json_t *members = text != NULL ? json_loads(text, 0, NULL) : NULL;
    json_object_update_missing(body, members);
    json_decref(members);
}

char *invoke_error_body(const edge_ctx *ctx, const struct failure *failure, size_t *length)
{
    /* malloc'ed: the invocation's memory may be what has run out. */
    struct arena *before = arena_enter(NULL);
    const edge_shape *shape = ctx->function != NULL ? ctx->function->shape : NULL;
    json_t *body = json_object();
    if (shape != NULL && shape->success_false)
        json_object_set_new(body, "success", json_false());
    add_text(body, "error", failure->said.message != NULL ? failure->said.message : "Something went wrong");
    add_text(body, "code", failure->code);
    add_text(body, "requestId", ctx->request_id);
    add_text(body, "field", failure->said.field);
    const char *suggestion = failure->said.suggestion;
    add_text(body, "suggestion", suggestion != NULL ? suggestion : shape != NULL ? shape->suggestion : NULL);
    if (failure->said.retry_after_seconds > 0)
        json_object_set_new(body, "retryAfter", json_integer(failure->said.retry_after_seconds));
    add_members(body, ctx->function);
    json_t *extra = failure->said.extra != NULL ? json_deep_copy(failure->said.extra) : NULL;
    json_object_update(body, extra);
    json_decref(extra);
    char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(body);
    arena_enter(before);
    *length = text != NULL ? strlen(text) : 0;
    return text;
}
