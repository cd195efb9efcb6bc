/*
 * Phone numbers that Twilio sells. Its errors are {"code", "message", "more_info", "status"}
 * (https://www.twilio.com/docs/usage/twilios-response).
 */
#include "lib/phone_number.h"

#include <math.h>
#include <string.h>

#include "lib/field.h"
#include "lib/form.h"
#include "lib/oauth_client.h"

enum {
    SEARCH_MS = 10000,
    BUY_MS = 15000,
    SEARCH_KEPT_MS = 30000,
    MESSAGE_MAX = 500,
};

const edge_shape phone_shape = { .success_false = true };

void phone_require_account(edge_ctx *ctx)
{
    edge_env_required(ctx, "TWILIO_ACCOUNT_SID");
    edge_env_required(ctx, "TWILIO_AUTH_TOKEN");
}

const char *phone_area_code(edge_ctx *ctx, const char *field, const json_t *value)
{
    const char *text = json_string_value(value);
    double number = json_number_value(value);
    if (json_is_number(value) && number >= 200 && number <= 999 && number == floor(number))
        text = edge_format(ctx, "%.0f", number);
    if (text == NULL || strlen(text) != 3 || strspn(text, FIELD_DIGITS) != 3 || text[0] < '2')
        edge_fail_with(ctx, 400, "invalid_area_code",
            .message = edge_format(ctx, "%s must be three digits, the first of them 2 to 9", field),
            .field = field);
    return text;
}

const char *phone_number_of(edge_ctx *ctx, const char *field, const json_t *value)
{
    const char *number = json_string_value(value);
    if (number == NULL)
        number = edge_json_text(value, "phoneNumber");
    if (number == NULL)
        number = edge_json_text(value, "phone_number");
    bool valid = number != NULL && strlen(number) == 12 && strncmp(number, "+1", 2) == 0 &&
                 strspn(number + 2, FIELD_DIGITS) == 10 && number[2] >= '2' && number[5] >= '2';
    if (!valid)
        edge_fail_with(ctx, 400, "invalid_phone_number",
            .message = edge_format(ctx, "%s must be a North American number, as +15125550101", field),
            .field = field);
    return number;
}

static const char *account_path(edge_ctx *ctx, const char *rest)
{
    const char *account = edge_url_encode(ctx, edge_env_required(ctx, "TWILIO_ACCOUNT_SID"));
    return edge_format(ctx, "/2010-04-01/Accounts/%s/%s", account, rest);
}

/* Basic authentication of the account. */
static const edge_header *headers(edge_ctx *ctx)
{
    edge_header *list = edge_alloc(ctx, 2 * sizeof *list);
    list[0] = (edge_header){ "authorization", oauth_basic(ctx, edge_env_required(ctx, "TWILIO_ACCOUNT_SID"),
                                                  edge_env_required(ctx, "TWILIO_AUTH_TOKEN")) };
    return list;
}

static const char *words_of(edge_ctx *ctx, const edge_reply *reply)
{
    if (reply->failure != EDGE_HTTP_OK)
        return edge_format(ctx, "Twilio could not be asked: %s", reply->message);
    const char *message = edge_json_text(reply->json, "message");
    return text_cut(ctx,
        edge_format(
            ctx, "HTTP %d%s%s", reply->status, message != NULL ? ": " : "", message != NULL ? message : ""),
        MESSAGE_MAX);
}

static void check_search(edge_ctx *ctx, const edge_reply *reply)
{
    bool answered = reply->failure == EDGE_HTTP_OK;
    if (answered && reply->status / 100 == 2 &&
        json_is_array(json_object_get(reply->json, "available_phone_numbers")))
        return;
    edge_log(ctx, EDGE_LOG_WARN, "number_search_failed", { "status", edge_int(reply->status) },
        { "error", edge_text(words_of(ctx, reply)) });
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        edge_fail(ctx, 504, "provider_timeout", "Twilio did not answer in time");
    if (answered && (reply->status == 400 || reply->status == 404))
        edge_fail(ctx, 422, "search_rejected", "Twilio does not search for such numbers");
    if (answered && (reply->status == 401 || reply->status == 403))
        edge_fail(ctx, 503, "twilio_unauthorized", "Twilio does not accept this server's account");
    if (answered && reply->status == 429)
        edge_fail_with(ctx, 429, "provider_rate_limited",
            .message = "Twilio is asked too often, try again in a moment",
            .retry_after_seconds = reply->retry_after_seconds);
    edge_fail(ctx, 502, "twilio_failed", "Twilio failed to search for numbers");
}

static const edge_field capabilities_fields[] = {
    { "voice", EDGE_BOOL, .required = true, .help = "Calls; always true" },
    { "sms", EDGE_BOOL, .required = true, .help = "Text messages" },
    { "mms", EDGE_BOOL, .required = true, .help = "Messages with pictures" },
    { 0 },
};
static const edge_field details_fields[] = {
    { "phoneNumber", EDGE_TEXT, .required = true, .help = "E.164" },
    { "friendlyName", EDGE_TEXT, .help = "As people write it" },
    { "locality", EDGE_TEXT, .help = "City" },
    { "region", EDGE_TEXT, .help = "State" },
    { "postalCode", EDGE_TEXT, .help = "Where it belongs" },
    { "capabilities", EDGE_OBJECT, .fields = capabilities_fields, .required = true, .help = "What it can" },
    { 0 },
};

const edge_field phone_number_item = { .type = EDGE_TEXT };
const edge_field phone_details_item = { .type = EDGE_OBJECT, .fields = details_fields };

static json_t *details_of(const json_t *entry)
{
    const json_t *can = json_object_get(entry, "capabilities");
    return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?, s:{s:b, s:b, s:b}}", "phoneNumber",
        edge_json_text(entry, "phone_number"), "friendlyName", edge_json_text(entry, "friendly_name"),
        "locality", edge_json_text(entry, "locality"), "region", edge_json_text(entry, "region"), "postalCode",
        edge_json_text(entry, "postal_code"), "capabilities", "voice", edge_json_bool(can, "voice", false),
        "sms", edge_json_bool(can, "SMS", false), "mms", edge_json_bool(can, "MMS", false));
}

static json_t *read_numbers(const json_t *entries)
{
    json_t *numbers = json_array(), *details = json_array();
    json_t *entry;
    size_t i;
    json_array_foreach((json_t *)entries, i, entry)
    {
        const char *number = edge_json_text(entry, "phone_number");
        if (number == NULL || !edge_json_bool(json_object_get(entry, "capabilities"), "voice", false))
            continue;
        json_array_append_new(numbers, json_string(number));
        json_array_append_new(details, details_of(entry));
    }
    return json_pack("{s:b, s:o, s:o}", "success", 1, "numbers", numbers, "details", details);
}

json_t *phone_search(edge_ctx *ctx, const char *area_code, int64_t limit, const char *contains)
{
    phone_require_account(ctx);
    const char *key =
        edge_format(ctx, "numbers/%s/%lld/%s", area_code, (long long)limit, contains != NULL ? contains : "");
    json_t *known = edge_cache_get(ctx, key);
    if (known != NULL)
        return known;

    struct text query = { .ctx = ctx };
    form_add(&query, "AreaCode", area_code);
    form_add(&query, "VoiceEnabled", "true");
    form_add(&query, "PageSize", edge_format(ctx, "%lld", (long long)limit));
    form_add(&query, "Contains", contains);
    edge_reply *reply = edge_try_fetch(ctx, PHONE_PROVIDER,
        .path =
            account_path(ctx, edge_format(ctx, "AvailablePhoneNumbers/US/Local.json?%s", text_value(&query))),
        .headers = headers(ctx), .timeout_ms = SEARCH_MS, .retries = EDGE_SEND_ONCE);
    check_search(ctx, reply);

    json_t *found = read_numbers(json_object_get(reply->json, "available_phone_numbers"));
    edge_cache_put(ctx, key, found, .ttl_ms = SEARCH_KEPT_MS, .local = true);
    return found;
}

struct phone_order phone_buy(edge_ctx *ctx, const char *number, const char *label)
{
    struct text form = { .ctx = ctx };
    form_add(&form, "PhoneNumber", number);
    form_add(&form, "FriendlyName", label);
    form_add(&form, "VoiceUrl", edge_env(ctx, "TWILIO_VOICE_URL"));
    form_add(&form, "SmsUrl", edge_env(ctx, "TWILIO_SMS_URL"));
    edge_reply *reply = edge_try_fetch(ctx, PHONE_PROVIDER, .method = "POST",
        .path = account_path(ctx, "IncomingPhoneNumbers.json"), .form = text_value(&form),
        .headers = headers(ctx), .timeout_ms = BUY_MS, .retries = EDGE_SEND_ONCE);

    struct phone_order order = {
        .outcome = PHONE_UNCERTAIN,
        .status = reply->failure == EDGE_HTTP_OK ? reply->status : 0,
        .code = (int)edge_json_int(reply->json, "code", 0),
        .retry_after_seconds = reply->retry_after_seconds,
        .message = words_of(ctx, reply),
    };
    const char *sid = edge_json_text(reply->json, "sid");
    if (order.status / 100 == 2 && sid != NULL && sid[0] != '\0') {
        order.outcome = PHONE_BOUGHT;
        order.sid = sid;
    } else if (order.status / 100 == 4 || reply->failure == EDGE_HTTP_BREAKER_OPEN) {
        order.outcome = PHONE_REFUSED;
    }
    return order;
}

enum phone_found phone_find(edge_ctx *ctx, const char *number, const char *label, const char **sid)
{
    edge_reply *reply = edge_try_fetch(ctx, PHONE_PROVIDER,
        .path = account_path(
            ctx, edge_format(ctx, "IncomingPhoneNumbers.json?PhoneNumber=%s", edge_url_encode(ctx, number))),
        .headers = headers(ctx), .timeout_ms = BUY_MS, .retries = EDGE_SEND_ONCE);
    const json_t *entries = json_object_get(reply->json, "incoming_phone_numbers");
    if (reply->failure != EDGE_HTTP_OK || reply->status != 200 || !json_is_array(entries)) {
        edge_log(ctx, EDGE_LOG_WARN, "number_lookup_failed", { "error", edge_text(words_of(ctx, reply)) });
        return PHONE_UNKNOWN;
    }
    /* The filter takes patterns, so an entry says itself which number it is. */
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)entries, i, entry)
    {
        const char *one = edge_json_text(entry, "phone_number"), *name = edge_json_text(entry, "friendly_name");
        *sid = edge_json_text(entry, "sid");
        if (*sid != NULL && one != NULL && name != NULL && strcmp(one, number) == 0 && strcmp(name, label) == 0)
            return PHONE_FOUND;
    }
    return PHONE_ABSENT;
}
