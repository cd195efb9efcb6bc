/*
 * sandbox_resend: stand-in for Resend (https://resend.com/docs/api-reference/emails/send-email): takes a mail
 * and answers with its id. A mail with an idempotency key is taken once until a reset
 * (https://resend.com/docs/dashboard/emails/idempotency-keys): the same one again has the id of the first,
 * another one is refused. It also lists the account's domains.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"

#define PROVIDER "resend"

enum {
    KEY_MAX = 256,
    RECIPIENTS_MAX = 50,
};

/* https://resend.com/docs/api-reference/errors */
struct problem {
    int status;
    const char *name, *message;
};

#define MISSING(field)                                                                                         \
    {                                                                                                          \
        422, "missing_required_field", "Missing `" field "` field"                                             \
    }

static const struct problem missing_key = { 401, "missing_api_key",
    "Missing API key in the authorization header" },
                            invalid_key = { 403, "invalid_api_key", "API key is invalid" },
                            no_object = { 422, "validation_error", "The request body must be a JSON object" },
                            no_from = MISSING("from"), no_to = MISSING("to"), no_subject = MISSING("subject"),
                            no_content = { 422, "validation_error", "Missing `html` or `text` field" },
                            invalid_to = { 422, "validation_error", "Invalid `to` field" },
                            broken_subject = { 422, "validation_error",
                                "The `\\n` is not allowed in the `subject` field" },
                            invalid_idempotency = { 400, "invalid_idempotency_key",
                                "The key must be between 1-256 chars" },
                            other_payload = { 409, "invalid_idempotent_request",
                                "Same idempotency key used with a different request payload" },
                            same_time = { 409, "concurrent_idempotent_requests",
                                "Same idempotency key used while original request is still in progress" },
                            invalid_tags = { 422, "validation_error",
                                "Tags should only contain ASCII letters, numbers, underscores, or dashes" },
                            invalid_extras = { 422, "validation_error",
                                "Invalid `headers` or `reply_to` field" },
                            not_found = { 404, "not_found", "The requested endpoint does not exist" };

static const struct problem *check_access(edge_ctx *ctx)
{
    const char *given = edge_request_header(ctx, "authorization"), *key = edge_env(ctx, "RESEND_API_KEY");
    if (given == NULL || strncmp(given, "Bearer ", 7) != 0)
        return &missing_key;
    return key != NULL && strcmp(given + 7, key) != 0 ? &invalid_key : NULL;
}

static bool is_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0;
}

/* One address, or a list of 1 to 50. */
static bool is_recipients(const json_t *to)
{
    size_t count = json_array_size(to);
    for (size_t i = 0; i < count; i++)
        if (!is_text(json_array_get(to, i)))
            return false;
    return is_text(to) || (count > 0 && count <= RECIPIENTS_MAX);
}

static const struct problem *check_mail(const json_t *mail)
{
    const json_t *to = json_object_get(mail, "to");
    const char *subject = edge_json_text(mail, "subject");
    if (!json_is_object(mail))
        return &no_object;
    if (!is_text(json_object_get(mail, "from")))
        return &no_from;
    if (!is_recipients(to))
        return to == NULL ? &no_to : &invalid_to;
    if (subject == NULL || strpbrk(subject, "\r\n") != NULL)
        return subject == NULL ? &no_subject : &broken_subject;
    if (!is_text(json_object_get(mail, "html")) && !is_text(json_object_get(mail, "text")))
        return &no_content;
    return NULL;
}

/* https://resend.com/docs/dashboard/emails/tags */
static bool is_tags(const json_t *tags)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *name = edge_json_text(json_array_get(tags, i), "name"),
                   *value = edge_json_text(json_array_get(tags, i), "value");
        if (name == NULL || value == NULL || name[strspn(name, allowed)] != '\0' ||
            value[strspn(value, allowed)] != '\0')
            return false;
    }
    return tags == NULL || json_is_array(tags);
}

static const struct problem *check_extras(const json_t *mail)
{
    const char *name;
    json_t *value, *headers = json_object_get(mail, "headers"), *reply_to = json_object_get(mail, "reply_to");
    if (!is_tags(json_object_get(mail, "tags")))
        return &invalid_tags;
    if ((headers != NULL && !json_is_object(headers)) || (reply_to != NULL && !is_recipients(reply_to)))
        return &invalid_extras;
    json_object_foreach(headers, name, value)
    {
        if (!is_text(value) || strpbrk(json_string_value(value), "\r\n") != NULL)
            return &invalid_extras;
    }
    return NULL;
}

/* Takes the mail and fills its id; or what is wrong with its key. */
static const struct problem *take(edge_ctx *ctx, json_t *mail, const char **id)
{
    const char *key = edge_request_header(ctx, "idempotency-key");
    *id = edge_uuid_v4(ctx);
    if (key == NULL)
        return NULL;
    if (key[0] == '\0' || strlen(key) > KEY_MAX)
        return &invalid_idempotency;
    if (sandbox_keep_once(ctx, PROVIDER, key, json_pack("{s:s, s:O}", "id", *id, "mail", mail)))
        return NULL;
    json_t *before = sandbox_kept_once(ctx, PROVIDER, key);
    if (before == NULL)
        return &same_time;
    *id = edge_json_text(before, "id");
    return json_equal(json_object_get(before, "mail"), mail) ? NULL : &other_payload;
}

static const struct problem *send_mail(edge_ctx *ctx, json_t **answer)
{
    json_t *mail = sandbox_body(ctx);
    const char *id = NULL;
    const struct problem *problem = check_mail(mail);
    if (problem == NULL)
        problem = check_extras(mail);
    if (problem == NULL)
        problem = take(ctx, mail, &id);
    if (problem == NULL)
        *answer = json_pack("{s:s}", "id", id);
    return problem;
}

/* https://resend.com/docs/api-reference/domains/list-domains */
static const struct problem *list_domains(edge_ctx *ctx, json_t **answer)
{
    (void)ctx;
    *answer = json_pack("{s:s, s:b, s:[{s:s, s:s, s:s, s:s, s:s}]}", "object", "list", "has_more", 0, "data",
        "id", "d91cd9bd-1176-453e-8fc1-35364d380206", "name", "mail.example.com", "status", "verified",
        "created_at", "2026-01-02T03:04:05.000Z", "region", "us-east-1");
    return NULL;
}

static const struct {
    const char *method, *path;
    const struct problem *(*run)(edge_ctx *ctx, json_t **answer);
} endpoints[] = {
    { "POST", "/emails", send_mail },
    { "GET", "/domains", list_domains },
};

static const struct problem *dispatch(edge_ctx *ctx, json_t **answer)
{
    const struct problem *refusal = check_access(ctx);
    if (refusal != NULL)
        return refusal;
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (strcmp(endpoints[i].method, edge_request_method(ctx)) == 0 &&
            strcmp(endpoints[i].path, edge_request_rest(ctx)) == 0)
            return endpoints[i].run(ctx, answer);
    return &not_found;
}

static json_t *sandbox_resend(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, PROVIDER), *answer = NULL;
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    const struct problem *problem = dispatch(ctx, &answer);
    if (problem != NULL)
        answer = json_pack("{s:i, s:s, s:s}", "statusCode", problem->status, "name", problem->name, "message",
            problem->message);
    return sandbox_send_json(ctx, order, problem != NULL ? problem->status : 200, answer);
}

EDGE_FUNCTION(sandbox_resend,
    .summary = "Stand-in for Resend",
    .handle = sandbox_resend,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
