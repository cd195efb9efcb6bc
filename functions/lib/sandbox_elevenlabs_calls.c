/*
 * ElevenLabs' agents on the phone: outbound calls
 * (https://elevenlabs.io/docs/api-reference/twilio/outbound-call), and numbers that are imported and given an
 * agent (https://elevenlabs.io/docs/api-reference/phone-numbers/create).
 */
#include "lib/sandbox.h"
#include "lib/sandbox_elevenlabs.h"

#include <string.h>

static const char *id(edge_ctx *ctx, const char *prefix)
{
    uint8_t bytes[12];
    edge_random(bytes, sizeof bytes);
    return edge_format(ctx, "%s%s", prefix, edge_hex(ctx, bytes, sizeof bytes));
}

static const char *first_missing(const json_t *body, const char *const *fields)
{
    for (; *fields != NULL; fields++)
        if (edge_json_text(body, *fields) == NULL || edge_json_text(body, *fields)[0] == '\0')
            return *fields;
    return NULL;
}

static bool is_scalar(const json_t *value)
{
    return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
}

/* The real one refuses lists, objects and null among the variables. */
static const char *first_nested(const json_t *body)
{
    const char *name;
    json_t *value;
    json_t *data = json_object_get(body, "conversation_initiation_client_data");
    json_object_foreach(json_object_get(data, "dynamic_variables"), name, value)
    {
        if (!is_scalar(value))
            return name;
    }
    return NULL;
}

static json_t *outbound_call(edge_ctx *ctx, json_t *order, const char *segment)
{
    static const char *const fields[] = { "agent_id", "agent_phone_number_id", "to_number", NULL };
    (void)segment;
    json_t *body = sandbox_body(ctx);
    const char *missing = first_missing(body, fields), *nested = first_nested(body);
    if (missing != NULL)
        return sandbox_elevenlabs_invalid(ctx, missing, "Field required");
    if (edge_json_text(body, "to_number")[0] != '+')
        return sandbox_elevenlabs_invalid(ctx, "to_number", "Value error, must be in E.164 format");
    if (nested != NULL)
        return sandbox_elevenlabs_invalid(ctx, nested, "Input should be a valid string, number or boolean");
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:b, s:s, s:s, s:s}", "success", 1, "message", "Success", "conversation_id",
            id(ctx, "conv_"), "callSid", id(ctx, "CA00000000")));
}

static json_t *import_number(edge_ctx *ctx, json_t *order, const char *segment)
{
    static const char *const fields[] = { "phone_number", "label", "sid", "token", NULL };
    (void)segment;
    json_t *body = sandbox_body(ctx);
    const char *missing = first_missing(body, fields);
    if (missing != NULL)
        return sandbox_elevenlabs_invalid(ctx, missing, "Field required");
    return sandbox_send_json(ctx, order, 200, json_pack("{s:s}", "phone_number_id", id(ctx, "phnum_")));
}

static json_t *update_number(edge_ctx *ctx, json_t *order, const char *segment)
{
    json_t *body = sandbox_body(ctx);
    if (!json_is_object(body))
        return sandbox_elevenlabs_invalid(ctx, "agent_id", "Field required");
    if (strstr(segment, "unknown") != NULL)
        return sandbox_elevenlabs_refuse(ctx, 404, "phone_number_not_found", "Phone number not found");
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:s, s:s, s:{s:O?}}", "phone_number_id", segment, "provider", "twilio", "assigned_agent",
            "agent_id", json_object_get(body, "agent_id")));
}

const struct sandbox_elevenlabs_endpoint sandbox_elevenlabs_calls[] = {
    { "POST", "/v1/convai/twilio/outbound-call", outbound_call },
    { "POST", "/v1/convai/phone-numbers", import_number },
    { "PATCH", "/v1/convai/phone-numbers/{x}", update_number },
    { 0 },
};
