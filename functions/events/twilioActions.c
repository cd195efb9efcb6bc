/*
 * twilioActions: numbers for the older onboarding page, behind one address: search, purchase, and the number
 * that the caller has. As getTwilioAvailableNumbers and purchaseTwilioNumber, but for a failed import, which is
 * an error here: the page goes on with a connected number only. getNumber is one round trip.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/idempotency.h"
#include "lib/phone_number.h"
#include "lib/phone_purchase.h"
#include "lib/voice.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { "action", EDGE_TEXT, .max = 64, .required = true, .help = "searchNumbers, purchaseNumber or getNumber" },
    { "payload", EDGE_OBJECT,
        .help = "areaCode, limit, contains; or numberToPurchase, idempotencyKey; or nothing" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "numbers", EDGE_ARRAY, .items = &phone_number_item, .help = "searchNumbers: for sale, E.164" },
    { "details", EDGE_ARRAY, .items = &phone_details_item,
        .help = "searchNumbers: the same with what is known" },
    { "phoneNumber", EDGE_TEXT, .help = "The caller's number, E.164; null: none" },
    { "sid", EDGE_TEXT, .help = "The number at Twilio" },
    PHONE_PURCHASE_FIELDS,
    { 0 },
};

static const char *const pattern[] = { "[0-9*]{2,10}", NULL };
static const edge_field search_fields[] = {
    { "limit", EDGE_INT, .min = 1, .max = 30, .fallback = "10" },
    { "contains", EDGE_PATTERN, .values = pattern },
    { 0 },
};
static const edge_field purchase_fields[] = {
    { "idempotencyKey", EDGE_TEXT, .help = "As the header Idempotency-Key" },
    { 0 },
};

static json_t *search_numbers(edge_ctx *ctx, json_t *payload)
{
    const char *area_code = phone_area_code(ctx, "payload.areaCode", json_object_get(payload, "areaCode"));
    edge_input_check(ctx, "payload", search_fields, payload);
    return phone_search(
        ctx, area_code, edge_json_int(payload, "limit", 10), edge_json_text(payload, "contains"));
}

static json_t *purchase_number(edge_ctx *ctx, json_t *payload)
{
    const char *number =
        phone_number_of(ctx, "payload.numberToPurchase", json_object_get(payload, "numberToPurchase"));
    edge_input_check(ctx, "payload", purchase_fields, payload);
    const char *key = idempotency_key(ctx, payload);
    /* The page sends none. A client's key has no plus sign, so this can be nobody else's. */
    if (key == NULL)
        key = edge_format(ctx, "auto:%s", number);

    json_t *bought = phone_purchase(
        ctx, &(const struct phone_wish){ .function = "twilioActions", .number = number, .key = key });
    if (edge_json_text(bought, "elevenLabsTwilioNumberId") == NULL)
        edge_fail_with(ctx, 502, "voice_import_failed",
            .message = "The number was bought, but could not be connected to the calling agent",
            .suggestion = "Try again: only the connection is repeated",
            .extra = json_pack("{s:s, s:O, s:b}", "phoneNumber", number, "sid", json_object_get(bought, "sid"),
                "purchased", 1));
    return bought;
}

static json_t *get_number(edge_ctx *ctx, json_t *payload)
{
    (void)payload;
    struct voice_config config =
        voice_config_of(edge_query(ctx, VOICE_CONFIG_SQL, edge_text(edge_auth_user(ctx))));
    return json_pack("{s:b, s:s?, s:s?, s:s?}", "success", 1, "phoneNumber", config.phone_number, "sid",
        config.twilio_sid, "elevenLabsTwilioNumberId", config.line_id);
}

static const struct {
    const char *name;
    json_t *(*run)(edge_ctx *ctx, json_t *payload);
} actions[] = {
    { "searchNumbers", search_numbers },
    { "purchaseNumber", purchase_number },
    { "getNumber", get_number },
};

static json_t *twilio_actions(edge_ctx *ctx, json_t *in)
{
    const char *action = edge_json_text(in, "action");
    json_t *payload = json_object_get(in, "payload");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, action) == 0)
            return actions[i].run(ctx, json_is_object(payload) ? payload : json_object());
    edge_fail_with(ctx, 400, "unknown_action", .message = edge_format(ctx, "There is no action \"%s\"", action),
        .field = "action");
}

EDGE_FUNCTION(twilioActions,
    .summary = "Searches, buys and shows phone numbers, for the older onboarding page",
    .input = input,
    .output = output,
    .handle = twilio_actions,
    .shape = &phone_shape);
