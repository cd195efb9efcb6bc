/*
 * Input tables: what each type accepts.
 */
#include "utf8.h"
#include "validate.h"

#include <edge/json.h>

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool bounded(const edge_field *field)
{
    return field->min != 0 || field->max != 0;
}

const char *input_text(edge_ctx *ctx, const struct input_path *path, const json_t *value)
{
    if (!json_is_string(value))
        input_fail(ctx, path, "must be a string");
    const char *text = json_string_value(value);
    if (strlen(text) != json_string_length(value))
        input_fail(ctx, path, "must not contain U+0000");
    return text;
}

/* What String.prototype.trim takes away (ECMAScript 12.2, 12.3): the limits were JavaScript's before. */
static bool is_white(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

/* What is left of a text between leading and trailing white space. */
struct trimmed {
    const char *start;
    size_t bytes, characters;
};

/* jansson has checked that it is UTF-8. */
static struct trimmed trim(const char *text)
{
    size_t bytes = strlen(text), count = 0;
    struct trimmed left = { .start = text };
    for (size_t at = 0, size = 0; at < bytes; at += size) {
        uint32_t character = 0;
        size = utf8_next(text + at, bytes - at, &character);
        if (size == 0)
            return (struct trimmed){ text, bytes, bytes };
        if (count == 0 && is_white(character))
            continue;
        if (count++ == 0)
            left.start = text + at;
        if (is_white(character))
            continue;
        left.characters = count;
        left.bytes = (size_t)(text + at + size - left.start);
    }
    return left;
}

static size_t trimmed_length(const char *text)
{
    return trim(text).characters;
}

json_t *input_trim(edge_ctx *ctx, json_t *value)
{
    if (ctx->function == NULL || !ctx->function->trims || !json_is_string(value) ||
        strlen(json_string_value(value)) != json_string_length(value))
        return value;
    struct trimmed left = trim(json_string_value(value));
    return left.bytes == json_string_length(value) ? value : json_stringn_nocheck(left.start, left.bytes);
}

static json_t *check_text(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    size_t length = trimmed_length(input_text(ctx, path, value));
    if (field->required && length == 0)
        input_fail(ctx, path, "must not be empty");
    if (bounded(field) && (double)length < field->min)
        input_fail(ctx, path, "must have at least %.0f characters, has %zu", field->min, length);
    if (bounded(field) && (double)length > field->max)
        input_fail(ctx, path, "must have at most %.0f characters, has %zu", field->max, length);
    return value;
}

/* JavaScript's Number.isSafeInteger: beyond, clients have sent something else than they meant. */
#define SAFE_INTEGER_MAX 9007199254740991LL

static bool is_safe_integer(const json_t *value, double number)
{
    if (json_is_real(value))
        return fabs(number) <= (double)SAFE_INTEGER_MAX;
    json_int_t integer = json_integer_value(value);
    return integer >= -SAFE_INTEGER_MAX && integer <= SAFE_INTEGER_MAX;
}

static json_t *check_number(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    if (!json_is_number(value))
        input_fail(ctx, path, "must be a number");
    double number = json_number_value(value);
    if (field->type == EDGE_INT && number != floor(number))
        input_fail(ctx, path, "must be a whole number");
    if (field->type == EDGE_INT && !is_safe_integer(value, number))
        input_fail(ctx, path, "must be between %lld and %lld", -SAFE_INTEGER_MAX, SAFE_INTEGER_MAX);
    if (bounded(field) && (number < field->min || number > field->max))
        input_fail(ctx, path, "must be between %.15g and %.15g", field->min, field->max);
    if (field->type == EDGE_INT && json_is_real(value))
        return json_integer((json_int_t)number);
    return value;
}

static json_int_t digits_value(edge_ctx *ctx, const struct input_path *path, const char *text)
{
    static const char most[] = "9223372036854775807";
    const char *digits = text + strspn(text, "0");
    size_t length = strlen(digits);
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        input_fail(ctx, path, "must be a whole number or a string of digits");
    if (length >= sizeof most || (length == sizeof most - 1 && strcmp(digits, most) > 0))
        input_fail(ctx, path, "must be at most %s", most);
    return strtoll(text, NULL, 10);
}

/* 2^53 is not enough for the ids of other systems; they also come as strings for that reason. */
static json_t *check_id(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    json_int_t number = json_integer_value(value);
    double real = json_number_value(value);
    if (json_is_string(value))
        number = digits_value(ctx, path, input_text(ctx, path, value));
    else if (json_is_real(value) && real == floor(real) && is_safe_integer(value, real))
        number = (json_int_t)real;
    else if (!json_is_integer(value))
        input_fail(ctx, path, "must be a whole number or a string of digits");
    if (bounded(field) && ((double)number < field->min || (double)number > field->max))
        input_fail(ctx, path, "must be between %.15g and %.15g", field->min, field->max);
    return json_is_integer(value) ? value : json_integer(number);
}

static json_t *check_uuid(edge_ctx *ctx, const struct input_path *path, json_t *value)
{
    const char *text = input_text(ctx, path, value);
    if (strlen(text) != 36 || !input_matches(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))
        input_fail(ctx, path, "must be a UUID");
    char *lower = edge_copy(ctx, text);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return strcmp(lower, text) == 0 ? value : json_string(lower);
}

/* What HTML's input type=email accepts (WHATWG HTML 4.10.5.1.5), with RFC 5321's lengths. */
static bool is_email(const char *text)
{
    static const char local[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-";
    static const char domain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t before = strspn(text, local);
    if (before == 0 || before > 64 || text[before] != '@' || strlen(text) > 254)
        return false;
    const char *host = text + before + 1;
    if (host[0] == '\0' || host[strspn(host, domain)] != '\0')
        return false;
    while (*host != '\0') {
        size_t label = strcspn(host, ".");
        if (label == 0 || label > 63 || host[0] == '-' || host[label - 1] == '-')
            return false;
        host += label;
        if (*host == '.' && *++host == '\0')
            return false;
    }
    return true;
}

bool edge_is_email(const char *text)
{
    return is_email(text);
}

static bool is_url(const char *text)
{
    const char *host = strncasecmp(text, "https://", 8) == 0  ? text + 8
                       : strncasecmp(text, "http://", 7) == 0 ? text + 7
                                                              : NULL;
    if (host == NULL || host[0] == '\0' || strchr("/?#:", host[0]) != NULL)
        return false;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c <= 0x20 || *c == 0x7f || strchr("<>\"\\^`{|}", *c) != NULL)
            return false;
    return true;
}

static json_t *check_format(edge_ctx *ctx, const struct input_path *path, json_t *value,
    bool (*accepts)(const char *text), const char *what)
{
    if (!accepts(input_text(ctx, path, value)))
        input_fail(ctx, path, "must be %s", what);
    return value;
}

static json_t *check_pattern(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    const char *text = input_text(ctx, path, value);
    regex_t regex;
    if (regcomp(&regex, edge_format(ctx, "^(%s)$", field->values[0]), REG_EXTENDED | REG_NOSUB) != 0)
        context_fail_detail(
            ctx, 500, "internal_error", "The function's input table has no valid pattern", field->values[0]);
    bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    if (!fits)
        input_fail(ctx, path, "must match %s", field->values[0]);
    return value;
}

static json_t *check_enum(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    const char *text = input_text(ctx, path, value), *allowed = "";
    for (const char *const *one = field->values; *one != NULL; one++) {
        if (strcmp(*one, text) == 0)
            return value;
        allowed = edge_format(ctx, "%s%s%s", allowed, allowed[0] != '\0' ? ", " : "", *one);
    }
    input_fail(ctx, path, "must be one of %s", allowed);
}

static json_t *check_array(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    if (!json_is_array(value))
        input_fail(ctx, path, "must be an array");
    size_t count = json_array_size(value);
    if (bounded(field) && ((double)count < field->min || (double)count > field->max))
        input_fail(ctx, path, "must have %.0f to %.0f items, has %zu", field->min, field->max, count);
    for (size_t i = 0; field->items != NULL && i < count; i++) {
        struct input_path here = { .parent = path, .index = i };
        json_t *item = json_array_get(value, i);
        json_t *checked = input_check(ctx, field->items, &here, input_trim(ctx, item));
        if (checked != item)
            json_array_set_new(value, i, checked);
    }
    return value;
}

static json_t *check_json(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    size_t length = 0;
    input_check_nul(ctx, path, value);
    if (bounded(field))
        edge_json_dump(ctx, value, &length);
    if (bounded(field) && (double)length > field->max)
        input_fail(ctx, path, "must have at most %.0f bytes as JSON, has %zu", field->max, length);
    if (bounded(field) && (double)length < field->min)
        input_fail(ctx, path, "must have at least %.0f bytes as JSON, has %zu", field->min, length);
    return value;
}

static json_t *check_object(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    if (!json_is_object(value))
        input_fail(ctx, path, "must be an object");
    check_json(ctx, field, path, value);
    if (field->fields != NULL)
        input_check_object(ctx, field->fields, path, value);
    return value;
}

static json_t *check_map(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    if (!json_is_object(value))
        input_fail(ctx, path, "must be an object");
    size_t count = json_object_size(value);
    if (bounded(field) && ((double)count < field->min || (double)count > field->max))
        input_fail(ctx, path, "must have %.0f to %.0f members, has %zu", field->min, field->max, count);
    const char *name = NULL;
    json_t *item = NULL;
    json_object_foreach(field->items != NULL ? value : NULL, name, item)
    {
        struct input_path here = { .parent = path, .name = name };
        json_t *checked = input_check(ctx, field->items, &here, input_trim(ctx, item));
        if (checked != item)
            json_object_set_new(value, name, checked); /* of a name that is there: the iteration may go on */
    }
    return value;
}

/* A Clerk id: 1 to 255 characters without blanks or control characters (engines.md, Acting user). */
static json_t *check_user(edge_ctx *ctx, const struct input_path *path, json_t *value)
{
    const char *text = input_text(ctx, path, value);
    size_t length = trimmed_length(text);
    bool clean = length >= 1 && length <= 255;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        clean = clean && *c > 0x20 && *c != 0x7f;
    if (!clean)
        input_fail(ctx, path, "must be 1 to 255 characters without blanks");
    if (ctx->identity.caller == EDGE_CALLER_SERVICE)
        ctx->identity.user = text;
    return value;
}

json_t *input_check(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value)
{
    switch (field->type) {
    case EDGE_TEXT:
        return check_text(ctx, field, path, value);
    case EDGE_INT:
    case EDGE_NUMBER:
        return check_number(ctx, field, path, value);
    case EDGE_BOOL:
        if (!json_is_boolean(value))
            input_fail(ctx, path, "must be true or false");
        return value;
    case EDGE_UUID:
        return check_uuid(ctx, path, value);
    case EDGE_EMAIL:
        return check_format(ctx, path, value, is_email, "an e-mail address");
    case EDGE_URL:
        return check_format(ctx, path, value, is_url, "an http or https URL");
    case EDGE_DATE:
        return check_format(ctx, path, value, input_is_day, "a date, YYYY-MM-DD");
    case EDGE_DATETIME:
        return check_format(ctx, path, value, input_is_datetime, "an ISO 8601 date and time");
    case EDGE_ENUM:
        return check_enum(ctx, field, path, value);
    case EDGE_OBJECT:
        return check_object(ctx, field, path, value);
    case EDGE_ARRAY:
        return check_array(ctx, field, path, value);
    case EDGE_USER:
        return check_user(ctx, path, value);
    case EDGE_ID:
        return check_id(ctx, field, path, value);
    case EDGE_DAY:
        return input_check_day(ctx, path, value);
    case EDGE_CLOCK:
        return input_check_clock(ctx, path, value);
    case EDGE_PATTERN:
        return check_pattern(ctx, field, path, value);
    case EDGE_MAP:
        return check_map(ctx, field, path, value);
    case EDGE_JSON:
        break;
    }
    return check_json(ctx, field, path, value);
}
