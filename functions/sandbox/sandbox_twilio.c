/*
 * sandbox_twilio: stand-in for Twilio's REST API (https://www.twilio.com/docs/iam/api/account; errors as in
 * https://www.twilio.com/docs/usage/twilios-response): the account that the credentials belong to, numbers for
 * sale, numbers that are bought and belong to it until a reset.
 *
 * A purchase is done before its answer goes out: an order with truncateAfter or stallAfter loses the answer of
 * one that has happened.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/oauth_client.h"
#include "lib/sandbox.h"

#define PROVIDER "twilio"
#define ACCOUNTS "/2010-04-01/Accounts"

enum {
    FOR_SALE = 20, /* in each area code */
    PAGE_SIZE = 50,
    LABEL_MAX = 64,
};

static json_t *refuse(edge_ctx *ctx, int status, int code, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:i, s:s, s:o, s:i}", "code", code, "message", message, "more_info",
        json_string(edge_format(ctx, "https://www.twilio.com/docs/errors/%d", code)), "status", status);
}

/* HTTP Basic of the account's id and token. */
static bool is_account(edge_ctx *ctx)
{
    const char *id = edge_env(ctx, "TWILIO_ACCOUNT_SID"), *token = edge_env(ctx, "TWILIO_AUTH_TOKEN");
    const char *given = edge_request_header(ctx, "authorization");
    if (given == NULL || strncmp(given, "Basic ", 6) != 0)
        return false;
    return id == NULL || token == NULL || strcmp(given, oauth_basic(ctx, id, token)) == 0;
}

static json_t *list_accounts(edge_ctx *ctx, const json_t *order)
{
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:[{s:s, s:s, s:s}], s:i, s:i}", "accounts", "sid", "ACsandbox", "friendly_name", "Sandbox",
            "status", "active", "page", 0, "page_size", 1));
}

static int64_t page_size(edge_ctx *ctx)
{
    const char *text = edge_request_query(ctx, "PageSize");
    int64_t size = text != NULL ? atoll(text) : PAGE_SIZE;
    return size > 0 ? size : PAGE_SIZE;
}

static json_t *capabilities(void)
{
    return json_pack("{s:b, s:b, s:b}", "voice", 1, "SMS", 1, "MMS", 1);
}

/* Whether digits and stars of a pattern are somewhere in a number; a star is any one digit. */
static bool has_pattern(const char *number, const char *pattern)
{
    size_t length = strlen(pattern);
    for (const char *at = number; strlen(at) >= length; at++) {
        size_t same = 0;
        while (same < length && (pattern[same] == '*' || pattern[same] == at[same]))
            same++;
        if (same == length)
            return true;
    }
    return false;
}

/* https://www.twilio.com/docs/phone-numbers/api/availablephonenumberlocal-resource */
static json_t *list_for_sale(edge_ctx *ctx, const json_t *order)
{
    const char *area = edge_request_query(ctx, "AreaCode"), *contains = edge_request_query(ctx, "Contains");
    int64_t limit = page_size(ctx);
    json_t *list = json_array();
    if (area != NULL && (strlen(area) != 3 || strspn(area, "0123456789") != 3))
        return refuse(ctx, 400, 21601, "Invalid AreaCode");
    for (int i = 1; i <= FOR_SALE && (int64_t)json_array_size(list) < limit; i++) {
        const char *number = edge_format(ctx, "+1%s55501%02d", area != NULL ? area : "512", i);
        if (contains != NULL && !has_pattern(number, contains))
            continue;
        json_array_append_new(list,
            json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:o}", "phone_number", number, "friendly_name",
                json_string(edge_format(ctx, "(%.3s) 555-01%02d", number + 2, i)), "locality", "Austin",
                "region", "TX", "postal_code", "78701", "iso_country", "US", "capabilities", capabilities()));
    }
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:o, s:s}", "available_phone_numbers", list, "uri", edge_request_rest(ctx)));
}

static json_t *find_bought(edge_ctx *ctx, const char *number)
{
    json_t *one;
    size_t i;
    json_array_foreach(sandbox_kept(ctx, PROVIDER), i, one)
    {
        if (strcmp(edge_json_text(one, "phone_number"), number) == 0)
            return one;
    }
    return NULL;
}

/* Decodes percent-encoded text in place. */
static void decode(char *text)
{
    char *out = text;
    for (size_t step; *text != '\0'; text += step) {
        bool encoded = text[0] == '%' && text[1] != '\0' && text[2] != '\0';
        step = encoded ? 3 : 1;
        *out++ = encoded ? (char)strtol((char[]){ text[1], text[2], '\0' }, NULL, 16) : *text;
    }
    *out = '\0';
}

/* Value of a form's field, decoded; NULL when absent. */
static const char *form_value(edge_ctx *ctx, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = edge_request_body(ctx, NULL); *at != '\0';) {
        size_t field = strcspn(at, "&");
        if (field > length && strncmp(at, name, length) == 0 && at[length] == '=') {
            char *value = edge_copy_bytes(ctx, at + length + 1, field - length - 1);
            decode(value);
            return value;
        }
        at += field + (at[field] == '&');
    }
    return NULL;
}

/* https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource#create-an-incomingphonenumber-resource
 */
static json_t *buy(edge_ctx *ctx, const json_t *order)
{
    const char *type = edge_request_header(ctx, "content-type");
    if (type == NULL || strncmp(type, "application/x-www-form-urlencoded", 33) != 0)
        return refuse(ctx, 415, 20415, "Unsupported Media Type");
    const char *number = form_value(ctx, "PhoneNumber"), *label = form_value(ctx, "FriendlyName");
    if (number == NULL)
        return refuse(ctx, 400, 21452, "PhoneNumber or AreaCode is required");
    if (strlen(number) != 12 || strncmp(number, "+1", 2) != 0)
        return refuse(ctx, 400, 21421, edge_format(ctx, "PhoneNumber %s is invalid", number));
    if (label != NULL && strlen(label) > LABEL_MAX)
        return refuse(ctx, 400, 21501, "FriendlyName is too long");
    if (find_bought(ctx, number) != NULL)
        return refuse(ctx, 400, 21422, edge_format(ctx, "PhoneNumber %s is not available", number));

    uint8_t bytes[16];
    edge_random(bytes, sizeof bytes);
    json_t *bought = json_pack("{s:o, s:s, s:s, s:s?, s:s?, s:o, s:s}", "sid",
        json_string(edge_format(ctx, "PN%s", edge_hex(ctx, bytes, sizeof bytes))), "phone_number", number,
        "friendly_name", label != NULL ? label : number, "voice_url", form_value(ctx, "VoiceUrl"), "sms_url",
        form_value(ctx, "SmsUrl"), "capabilities", capabilities(), "status", "in-use");
    sandbox_keep(ctx, PROVIDER, bought);
    return sandbox_send_json(ctx, order, 201, bought);
}

static json_t *list_bought(edge_ctx *ctx, const json_t *order)
{
    const char *filter = edge_request_query(ctx, "PhoneNumber");
    json_t *list = json_array(), *one;
    size_t i;
    json_array_foreach(sandbox_kept(ctx, PROVIDER), i, one)
    {
        bool wanted = filter == NULL || has_pattern(edge_json_text(one, "phone_number"), filter);
        if (wanted && (int64_t)json_array_size(list) < page_size(ctx))
            json_array_append(list, one);
    }
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:o, s:i, s:I}", "incoming_phone_numbers", list, "page", 0, "page_size",
            (json_int_t)page_size(ctx)));
}

/* What is behind /Accounts/<id> of the account that asks; NULL for other accounts. */
static const char *account_rest(edge_ctx *ctx)
{
    const char *id = edge_env(ctx, "TWILIO_ACCOUNT_SID"), *path = edge_request_rest(ctx);
    const char *own = edge_format(ctx, ACCOUNTS "/%s/", id != NULL ? id : "ACsandbox");
    return strncmp(path, own, strlen(own)) == 0 ? path + strlen(own) : NULL;
}

static json_t *sandbox_twilio(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, PROVIDER);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (!is_account(ctx))
        return refuse(ctx, 401, 20003, "Authenticate");

    const char *rest = account_rest(ctx);
    bool posts = strcmp(edge_request_method(ctx), "POST") == 0;
    if (!posts && strcmp(edge_request_rest(ctx), ACCOUNTS ".json") == 0)
        return list_accounts(ctx, order);
    if (!posts && rest != NULL && strcmp(rest, "AvailablePhoneNumbers/US/Local.json") == 0)
        return list_for_sale(ctx, order);
    if (rest != NULL && strcmp(rest, "IncomingPhoneNumbers.json") == 0)
        return posts ? buy(ctx, order) : list_bought(ctx, order);
    return refuse(ctx, 404, 20404, "The requested resource was not found");
}

EDGE_FUNCTION(sandbox_twilio,
    .summary = "Stand-in for Twilio",
    .handle = sandbox_twilio,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
