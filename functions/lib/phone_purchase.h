/*
 * A phone number for a user's calling agent (spec events.md S7): bought at Twilio once, whatever is repeated,
 * killed or raced, imported into ElevenLabs, written into the voice config.
 */
#ifndef LIB_PHONE_PURCHASE_H
#define LIB_PHONE_PURCHASE_H

#include <edge/edge.h>

/* What is answered of a number that was bought, beside success, phoneNumber and sid. */
#define PHONE_PURCHASE_FIELDS                                                                                  \
    { "phoneNumberSid", EDGE_TEXT, .help = "The same as sid" },                                                \
        { "elevenLabsTwilioNumberId", EDGE_TEXT, .help = "The number at ElevenLabs; null: not connected" },    \
        { "warning", EDGE_TEXT, .help = "That it is not connected" },                                          \
    {                                                                                                          \
        "replayed", EDGE_BOOL, .help = "true: bought by an earlier call with this idempotency key"             \
    }

struct phone_wish {
    const char *function; /* who buys, for system_errors */
    const char *number;   /* E.164 */
    const char *key;      /* of idempotency: one purchase a user and key */
};

/*
 * Buys the number for the acting user, or answers what has been bought under this key:
 * {"success", "phoneNumber", "sid", "phoneNumberSid", "elevenLabsTwilioNumberId", "warning"?, "replayed"?}.
 * The id of ElevenLabs is null when the import failed; the same key repeats only that.
 *
 * Ends the invocation with 402 "subscription_required", 409 "number_limit_reached", "number_unavailable",
 * "in_progress", "idempotency_conflict", 422 "number_rejected", 429 "provider_rate_limited", 500
 * "config_write_failed", 502 "twilio_failed", "purchase_in_doubt", 503 "twilio_unauthorized", "not_configured".
 */
EDGE_RETURNS_NONNULL json_t *phone_purchase(edge_ctx *ctx, const struct phone_wish *wish);

#endif
