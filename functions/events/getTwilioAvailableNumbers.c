/*
 * getTwilioAvailableNumbers: phone numbers with voice that can be bought in an area code, for the onboarding
 * step. One search at Twilio, kept for 30 s; no database.
 */
#include <edge/edge.h>

#include "lib/field.h"
#include "lib/phone_number.h"

static const char *const pattern[] = { "[0-9*]{2,10}", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { "areaCode", EDGE_JSON, .help = "Three digits, a text or a number; required" },
    { "limit", EDGE_INT, .min = 1, .max = 30, .fallback = "10", .help = "How many numbers at most" },
    { "contains", EDGE_PATTERN, .values = pattern, .help = "Digits in the number; * stands for any one" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "numbers", EDGE_ARRAY, .items = &phone_number_item, .required = true, .help = "For sale, E.164" },
    { "details", EDGE_ARRAY, .items = &phone_details_item, .required = true,
        .help = "The same with what is known" },
    { 0 },
};

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "areaCode"))
        phone_area_code(ctx, field->name, value);
    return value;
}

static json_t *search_numbers(edge_ctx *ctx, json_t *in)
{
    return phone_search(ctx, phone_area_code(ctx, "areaCode", json_object_get(in, "areaCode")),
        edge_json_int(in, "limit", 10), edge_json_text(in, "contains"));
}

EDGE_FUNCTION(getTwilioAvailableNumbers,
    .summary = "Phone numbers that can be bought in an area code",
    .input = input,
    .output = output,
    .check = check,
    .handle = search_numbers,
    .shape = &phone_shape);
