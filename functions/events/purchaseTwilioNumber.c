/*
 * purchaseTwilioNumber: buys a phone number for the caller's calling agent and connects it to ElevenLabs.
 * Spends money, once a user and idempotency key (lib/phone_purchase).
 *
 * Four round trips to the database: entitlement, the audit row under a lock, what Twilio sold, config and
 * answer.
 */
#include <edge/edge.h>

#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/phone_number.h"
#include "lib/phone_purchase.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { "phoneNumber", EDGE_JSON, .help = "Number in E.164, or an object with phoneNumber; required" },
    { "idempotencyKey", EDGE_TEXT, .help = "One value per confirmed choice; this or the header is required" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "phoneNumber", EDGE_TEXT, .required = true, .help = "E.164" },
    { "sid", EDGE_TEXT, .required = true, .help = "The number at Twilio" },
    PHONE_PURCHASE_FIELDS,
    { 0 },
};

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "phoneNumber"))
        phone_number_of(ctx, field->name, value);
    return value;
}

static json_t *purchase_number(edge_ctx *ctx, json_t *in)
{
    const char *number = phone_number_of(ctx, "phoneNumber", json_object_get(in, "phoneNumber"));
    const char *key = idempotency_key(ctx, in);
    if (key == NULL)
        edge_fail_with(ctx, 400, "missing_idempotency_key", .message = "A purchase needs an idempotency key",
            .field = "idempotencyKey");
    return phone_purchase(
        ctx, &(const struct phone_wish){ .function = "purchaseTwilioNumber", .number = number, .key = key });
}

EDGE_FUNCTION(purchaseTwilioNumber,
    .summary = "Buys a phone number for the caller's calling agent",
    .input = input,
    .output = output,
    .check = check,
    .handle = purchase_number,
    .shape = &phone_shape);
