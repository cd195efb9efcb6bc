/*
 * Calls to a user's CRM.
 */
#include "lib/crm_provider.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/idempotency.h"
#include "lib/skyslope_login.h"
#include "lib/text.h"

enum {
    MESSAGE_MAX = 300,
    WAIT_MAX_SECONDS = 5,
    ANSWER_MAX_BYTES = 4 << 20,
};

/* Lofty's word for a key that it does not know (https://developer.lofty.com/authentication/overview). */
#define LOFTY_BAD_TOKEN 200058

const struct crm_provider crm_lofty = { "lofty", "lofty", "Lofty", "Lofty CRM not connected",
    "Please connect your Lofty CRM in Settings > Integrations" };
const struct crm_provider crm_followupboss = { "followupboss", "follow_up_boss", "Follow Up Boss",
    "Follow Up Boss not connected", "Please connect your Follow Up Boss account in Settings > Integrations" };
const struct crm_provider crm_skyslope = { "skyslope", "skyslope", "SkySlope", "SkySlope not connected",
    "Please connect your SkySlope account in Settings > Integrations" };

EDGE_NORETURN static void fail_to_reconnect(struct crm *crm)
{
    edge_fail_with(crm->ctx, 409, "reconnect_required",
        .message = edge_format(crm->ctx, "%s has to be connected again", crm->provider->label),
        .suggestion = crm->provider->suggestion);
}

int64_t crm_call_limit(edge_ctx *ctx)
{
    const char *configured = edge_env(ctx, "CRM_TIMEOUT_MS");
    return configured != NULL ? atoll(configured) : CRM_CALL_MS;
}

struct crm *crm_open(edge_ctx *ctx, const struct crm_provider *provider, const char *prefix)
{
    const char *user = edge_auth_user(ctx);
    if (edge_auth_caller(ctx) == EDGE_CALLER_SERVICE)
        crm_require_profile(ctx, edge_service_query(ctx, CRM_PROFILE_SQL, edge_text(user)));

    struct crm *crm = edge_alloc(ctx, sizeof *crm);
    *crm = (struct crm){ .ctx = ctx,
        .provider = provider,
        .connection = connection_read(ctx, user, provider->service),
        .prefix = prefix,
        .ends_at_us = edge_now_exact() + CRM_TOOL_MS * 1000LL,
        .call_ms = crm_call_limit(ctx),
        .max_bytes = ANSWER_MAX_BYTES };
    const struct connection *connection = crm->connection;
    bool connected = connection->status != NULL && strcmp(connection->status, "connected") == 0;
    if (connection->failure != NULL && connected)
        connection_break(connection);
    if (connection->failure != NULL && !connected && strcmp(connection->failure->code, "not_connected") == 0)
        edge_fail_with(
            ctx, 409, "not_connected", .message = provider->missing, .suggestion = provider->suggestion);
    if (connection->failure != NULL)
        fail_to_reconnect(crm);
    return crm;
}

const char *crm_credential(struct crm *crm, const char *name)
{
    const char *value = edge_json_text(crm->connection->credentials.values, name);
    bool usable = value != NULL && value[0] != '\0';
    for (const char *c = value; usable && *c != '\0'; c++)
        usable = *c > ' ' && *c <= '~';
    if (!usable) {
        connection_break(crm->connection);
        fail_to_reconnect(crm);
    }
    return value;
}

static int64_t time_left_ms(const struct crm *crm)
{
    int64_t left = (crm->ends_at_us - edge_now_exact()) / 1000;
    return left < 1 ? 1 : left < crm->call_ms ? left : crm->call_ms;
}

const edge_header *crm_headers(const struct crm *crm)
{
    size_t count = 0;
    while (crm->headers != NULL && crm->headers[count].name != NULL)
        count++;
    edge_header *headers = edge_alloc(crm->ctx, (count + 3) * sizeof *headers);
    headers[0] = (edge_header){ "User-Agent", "PulseEdge/1.0" };
    headers[1] = (edge_header){ "Accept", "application/json" };
    for (size_t i = 0; i < count; i++)
        headers[i + 2] = crm->headers[i];
    return headers;
}

edge_reply *crm_try_call_with(struct crm *crm, edge_fetch_options options)
{
    options.headers = crm_headers(crm);
    options.max_bytes = crm->max_bytes;
    options.retries = -1;
    options.timeout_ms = time_left_ms(crm);
    edge_reply *reply = edge_try_fetch_with(crm->ctx, crm->provider->name, &options);
    bool soon = reply->status == 429 && reply->retry_after_seconds > 0 &&
                reply->retry_after_seconds <= WAIT_MAX_SECONDS;
    if (!soon || crm->ends_at_us - edge_now_exact() < (reply->retry_after_seconds + 1) * 1000000LL)
        return reply;
    edge_sleep(crm->ctx, reply->retry_after_seconds * 1000);
    options.timeout_ms = time_left_ms(crm);
    return edge_try_fetch_with(crm->ctx, crm->provider->name, &options);
}

edge_reply *crm_call_with(struct crm *crm, edge_fetch_options options)
{
    edge_reply *reply = crm_try_call_with(crm, options);
    const struct crm_failure *failure = crm_failure_of(crm, reply);
    if (failure != NULL)
        crm_fail(crm, failure);
    return reply;
}

json_t *crm_json(struct crm *crm, const edge_reply *reply)
{
    return reply->json != NULL ? reply->json : skyslope_json(crm->ctx, reply);
}

static bool has_secret(struct crm *crm, const char *message)
{
    const char *name;
    json_t *value;
    json_object_foreach(crm->connection->credentials.values, name, value)
    {
        const char *secret = json_string_value(value);
        if (secret != NULL && secret[0] != '\0' && strstr(message, secret) != NULL)
            return true;
    }
    return false;
}

/* The provider's words: the body itself when it is a string (Lofty), or the first of its usual members. */
static const char *words_of(struct crm *crm, const edge_reply *reply)
{
    static const char *const members[] = { "errorMessage", "message", "error", "title", NULL };
    json_t *body = crm_json(crm, reply);
    const char *said = json_string_value(body);
    for (const char *const *member = members; said == NULL && *member != NULL; member++)
        said = edge_json_text(body, *member);
    struct text clean = { .ctx = crm->ctx };
    for (const char *c = said; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= ' ' && *c != 0x7f)
            text_add_bytes(&clean, c, 1);
    const char *words = text_cut(crm->ctx, text_value(&clean), MESSAGE_MAX);
    return words[0] != '\0' && !has_secret(crm, words) ? words
                                                       : edge_format(crm->ctx, "HTTP %d", reply->status);
}

static struct crm_failure *failure_of(struct crm *crm, int status, const char *code, const char *words)
{
    struct crm_failure *failure = edge_alloc(crm->ctx, sizeof *failure);
    *failure = (struct crm_failure){ .status = status,
        .code = code,
        .message = edge_format(crm->ctx, "%s: %s", crm->prefix, words),
        .suggestion = edge_format(crm->ctx, "%s had a problem; try again later", crm->provider->label) };
    return failure;
}

static const struct crm_failure *transport_failure(struct crm *crm, const edge_reply *reply)
{
    switch (reply->failure) {
    case EDGE_HTTP_TIMEOUT:
        return failure_of(crm, 504, "provider_timeout",
            edge_format(crm->ctx, "%s did not answer in time", crm->provider->label));
    case EDGE_HTTP_TOO_LARGE:
        return failure_of(crm, 502, "provider_bad_response",
            edge_format(crm->ctx, "%s answered too much", crm->provider->label));
    default:
        return failure_of(crm, 502, "provider_unreachable",
            edge_format(crm->ctx, "%s cannot be reached", crm->provider->label));
    }
}

static bool refuses_key(struct crm *crm, const edge_reply *reply)
{
    return reply->status == 401 || (strcmp(crm->provider->name, crm_lofty.name) == 0 && reply->status == 400 &&
                                       edge_json_int(crm_json(crm, reply), "code", 0) == LOFTY_BAD_TOKEN);
}

const struct crm_failure *crm_failure_of(struct crm *crm, const edge_reply *reply)
{
    if (reply->failure != EDGE_HTTP_OK)
        return transport_failure(crm, reply);
    if (reply->status >= 200 && reply->status <= 299)
        return NULL;
    const char *words = words_of(crm, reply);
    if (reply->status < 200 || reply->status >= 500 || (reply->status >= 300 && reply->status <= 399))
        return failure_of(crm, 502, "provider_error", words);

    struct crm_failure *failure = failure_of(crm, 422, "provider_rejected", words);
    failure->suggestion =
        edge_format(crm->ctx, "%s refused the request; check its values", crm->provider->label);
    if (refuses_key(crm, reply)) {
        *failure = *failure_of(crm, 409, "reconnect_required", words);
        failure->suggestion = crm->provider->suggestion;
    } else if (reply->status == 404 && crm->addressed) {
        *failure = *failure_of(crm, 404, "not_found", words);
        failure->suggestion = "Check the id, or look it up again";
    } else if (reply->status == 429) {
        *failure = *failure_of(crm, 429, "provider_rate_limited", words);
        failure->suggestion = "Wait a moment before trying again";
        failure->retry_after_seconds = reply->retry_after_seconds;
    }
    return failure;
}

const struct crm_failure *crm_unusable(struct crm *crm, const char *what)
{
    return failure_of(crm, 502, "provider_bad_response", what);
}

void crm_fail(struct crm *crm, const struct crm_failure *failure)
{
    if (strcmp(failure->code, "reconnect_required") == 0)
        connection_break(crm->connection);
    if (crm->action != NULL)
        action_fail(crm->action, failure->code, failure->message, NULL);
    edge_fail_with(crm->ctx, failure->status, failure->code, .message = failure->message,
        .suggestion = failure->suggestion, .retry_after_seconds = failure->retry_after_seconds);
}

/* What the table names of a body, whatever else a model has added. */
static json_t *asked(const edge_field *fields, const json_t *in)
{
    json_t *request = json_object();
    for (const edge_field *field = fields; field->name != NULL; field++) {
        json_t *value = json_object_get(in, field->name);
        if (value != NULL && field->type != EDGE_USER && strcmp(field->name, "idempotencyKey") != 0)
            json_object_set(request, field->name, value);
    }
    return request;
}

json_t *crm_begin(struct crm *crm, const char *type, const edge_field *fields, json_t *in, json_t *summary)
{
    crm->action = action_begin(crm->ctx, &(const struct action_request){
                                             .user = edge_auth_user(crm->ctx),
                                             .type = type,
                                             .key = idempotency_key(crm->ctx, in),
                                             .fields = fields,
                                             .in = in,
                                             .summary = summary != NULL ? summary : asked(fields, in),
                                         });
    return crm->action->result;
}

void crm_done(struct crm *crm, json_t *data)
{
    if (crm->action != NULL)
        action_succeed(crm->action, data, NULL);
    connection_reseal(crm->connection);
}
