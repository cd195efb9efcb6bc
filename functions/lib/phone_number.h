/*
 * Phone numbers that Twilio sells (https://www.twilio.com/docs/phone-numbers/api): looked for, bought, and
 * found again in the account. Buying once is phone_purchase's.
 */
#ifndef LIB_PHONE_NUMBER_H
#define LIB_PHONE_NUMBER_H

#include <edge/edge.h>

#define PHONE_PROVIDER "twilio"

/* "success": false in every error. */
extern const edge_shape phone_shape;

/* Ends the invocation with 503 "not_configured" unless account and token are set. */
void phone_require_account(edge_ctx *ctx);

/* A North American area code, a text or number; anything else is 400 "invalid_area_code" naming the field. */
EDGE_RETURNS_NONNULL const char *phone_area_code(edge_ctx *ctx, const char *field, const json_t *value);

/*
 * A North American number in E.164, or an object that has one as phoneNumber or phone_number; anything else is
 * 400 "invalid_phone_number" naming the field.
 */
EDGE_RETURNS_NONNULL const char *phone_number_of(edge_ctx *ctx, const char *field, const json_t *value);

/* Items of its lists, for output tables. */
extern const edge_field phone_number_item, phone_details_item;

/*
 * Numbers for sale, as both onboarding screens read them: {"success", "numbers", "details"}. contains may be
 * NULL. The same search is answered from memory for 30 s. What Twilio refuses ends the invocation.
 */
EDGE_RETURNS_NONNULL json_t *phone_search(
    edge_ctx *ctx, const char *area_code, int64_t limit, const char *contains);

/* How an attempt to buy has ended. */
struct phone_order {
    enum {
        PHONE_BOUGHT,
        PHONE_REFUSED,   /* surely not bought */
        PHONE_UNCERTAIN, /* the answer is lost, or is none */
    } outcome;
    const char *sid;         /* of a number that was bought */
    int status, code;        /* of a refusal: Twilio's; status 0: it was not asked */
    int retry_after_seconds; /* of a refusal */
    const char *message;     /* what went wrong, for us */
};

/* Buys a number, asking once. label is how it is found again. 15 s at most. */
struct phone_order phone_buy(edge_ctx *ctx, const char *number, const char *label);

enum phone_found {
    PHONE_FOUND,
    PHONE_ABSENT,
    PHONE_UNKNOWN, /* Twilio could not be asked */
};

/* Whether the account has the number under this label; fills *sid. */
enum phone_found phone_find(edge_ctx *ctx, const char *number, const char *label, const char **sid);

#endif
