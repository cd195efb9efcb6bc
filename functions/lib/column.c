/*
 * Values of columns. What PostgreSQL would refuse is refused here, so that a statement never fails for a value.
 */
#include "lib/column.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/moment.h"
#include "lib/text.h"

enum {
    TEXT_MAX = 255,
    LONG_MAX_CHARACTERS = 100000,
    URL_MAX = 2048,
    ITEMS_MAX = 100,
    ITEM_MAX = 500,
    JSON_MAX = 256 * 1024,
    BIG_JSON_MAX = 1024 * 1024,
};

#define SAFE_INTEGER_MAX 9007199254740992LL
#define NUMERIC_MAX 1e10
#define RATE_MAX 1e4

/* Halves go up. round() gives back the two places that the division widens. */
#define CENTS_BEFORE "round(floor("
#define CENTS_AFTER " * 100 + 0.5) / 100, 2)"

bool column_is_text(const struct entity_column *column)
{
    return column->type >= COLUMN_TEXT && column->type <= COLUMN_TIMEZONE;
}

bool column_is_json(const struct entity_column *column)
{
    return column->type == COLUMN_JSON || column->type == COLUMN_BIG_JSON;
}

bool column_is_number(const struct entity_column *column)
{
    return column->type >= COLUMN_INTEGER && column->type <= COLUMN_RATE;
}

size_t column_text_max(const struct entity_column *column)
{
    return column->type == COLUMN_LONG ? LONG_MAX_CHARACTERS : column->type == COLUMN_URL ? URL_MAX : TEXT_MAX;
}

size_t column_json_max(const struct entity_column *column)
{
    return column->type == COLUMN_BIG_JSON ? BIG_JSON_MAX : JSON_MAX;
}

bool column_uuid(const char *text)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return text[36] == '\0';
}

bool column_colour(const char *text, char out[8])
{
    text += *text == '#';
    if (strlen(text) != 6 || strspn(text, "0123456789abcdefABCDEF") != 6)
        return false;
    snprintf(out, 8, "#%s", text);
    for (char *c = out; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    return true;
}

const char *column_enum(const struct entity_column *column, const char *text)
{
    for (const char *const *value = column->values; *value != NULL; value++)
        if (strcmp(*value, text) == 0)
            return *value;
    /* The log's word for what old clients call "completed" elsewhere too. */
    return strcmp(text, "completed") == 0 && strcmp(column->values[1], "success") == 0 ? column->values[1]
                                                                                       : NULL;
}

static const char *enum_message(edge_ctx *ctx, const struct entity_column *column)
{
    struct text list = { .ctx = ctx };
    for (const char *const *value = column->values; *value != NULL; value++)
        text_add_format(&list, "%s%s", value == column->values ? "" : ", ", *value);
    return edge_format(ctx, "must be one of %s", text_value(&list));
}

static const char *text_value_of(edge_ctx *ctx, const struct entity_column *column, const json_t *value,
    enum column_use use, struct column_value *bound)
{
    const char *text = json_string_value(value);
    if (text == NULL)
        return "must be a string";
    if (strlen(text) != json_string_length(value))
        return "must not contain U+0000";
    size_t max = use == COLUMN_TO_WRITE ? column_text_max(column) : LONG_MAX_CHARACTERS;
    if (text_characters(text) > max)
        return edge_format(ctx, "must have at most %zu characters", max);

    if (column->type == COLUMN_ENUM && use == COLUMN_TO_WRITE && (text = column_enum(column, text)) == NULL)
        return enum_message(ctx, column);
    if (column->type == COLUMN_COLOUR) {
        char *colour = edge_alloc(ctx, 8);
        if (column_colour(text, colour))
            text = colour;
        else if (use == COLUMN_TO_WRITE)
            return "must be a colour, six hexadecimal digits";
    }
    bound->arg = edge_text(text);
    return NULL;
}

static const char *integer_of(
    edge_ctx *ctx, const struct entity_column *column, const json_t *value, struct column_value *bound)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || number != floor(number))
        return "must be a whole number";
    double max = column->type == COLUMN_BIGINT ? (double)SAFE_INTEGER_MAX : (double)INT32_MAX;
    double min = column->type == COLUMN_BIGINT ? -max : (double)INT32_MIN;
    if (number < min || number > max)
        return edge_format(ctx, "must be between %.0f and %.0f", min, max);
    bound->arg = edge_int((int64_t)number);
    bound->after = column->type == COLUMN_BIGINT ? "::bigint" : "";
    return NULL;
}

static const char *percent_of(
    edge_ctx *ctx, const struct entity_column *column, const json_t *value, struct column_value *bound)
{
    const char *wrong = integer_of(ctx, column, value, bound);
    if (wrong == NULL && (bound->arg.integer < 0 || bound->arg.integer > 100))
        return "must be between 0 and 100";
    return wrong;
}

/* Rounding must not lift a value over the limit. */
static const char *numeric_of(edge_ctx *ctx, const struct entity_column *column, const json_t *value,
    enum column_use use, struct column_value *bound)
{
    double max = column->type == COLUMN_RATE ? RATE_MAX : NUMERIC_MAX;
    if (!json_is_number(value))
        return "must be a number";
    if (use == COLUMN_TO_WRITE && fabs(json_number_value(value)) >= max - 0.005)
        return edge_format(ctx, "must be below %.0f and above -%.0f", max, max);
    bound->arg = edge_number(json_number_value(value));
    if (use == COLUMN_TO_WRITE) {
        bound->before = CENTS_BEFORE;
        bound->after = CENTS_AFTER;
    }
    return NULL;
}

static const char *moment_of(
    edge_ctx *ctx, const struct entity_column *column, const json_t *value, struct column_value *bound)
{
    const char *text = json_string_value(value);
    char *out = edge_alloc(ctx, MOMENT_BYTES);
    bound->arg = edge_text(out);
    switch (column->type) {
    case COLUMN_DATE:
        bound->after = "::date";
        return text != NULL && moment_day(text, out) ? NULL : "must be a date, YYYY-MM-DD";
    case COLUMN_TIME:
        bound->after = "::time";
        return text != NULL && moment_clock(text, out) ? NULL : "must be a time of day, HH:MM or HH:MM:SS";
    default:
        bound->after = "::timestamptz";
        return text != NULL && moment_time(text, out) ? NULL : "must be an ISO 8601 date and time";
    }
}

static const char *texts_of(edge_ctx *ctx, const json_t *value, struct column_value *bound)
{
    size_t count = json_array_size(value), i;
    json_t *item;
    if (!json_is_array(value))
        return "must be an array of strings";
    if (count > ITEMS_MAX)
        return edge_format(ctx, "must have at most %d items", ITEMS_MAX);
    const char **items = edge_alloc(ctx, (count + 1) * sizeof *items);
    json_array_foreach(value, i, item)
    {
        items[i] = json_string_value(item);
        if (items[i] == NULL || strlen(items[i]) != json_string_length(item))
            return "must be an array of strings";
        if (text_characters(items[i]) > ITEM_MAX)
            return edge_format(ctx, "must have items of at most %d characters", ITEM_MAX);
    }
    bound->arg = edge_texts(items, count);
    return NULL;
}

/* A string that holds an object or array is taken for it: old clients serialise before they send. */
static const char *json_of(
    edge_ctx *ctx, const struct entity_column *column, const json_t *value, struct column_value *bound)
{
    if (json_is_string(value)) {
        json_t *parsed = edge_json_parse(ctx, json_string_value(value), json_string_length(value));
        if (json_is_object(parsed) || json_is_array(parsed))
            value = parsed;
    }
    if ((column->flags & COLUMN_MERGED) != 0 && !json_is_object(value))
        return "must be an object";
    size_t length = 0;
    edge_json_dump(ctx, value, &length);
    if (length > column_json_max(column))
        return edge_format(ctx, "must have at most %zu bytes as JSON", column_json_max(column));
    bound->arg = edge_json(value);
    return NULL;
}

static const char *uuid_of(const json_t *value, struct column_value *bound)
{
    const char *text = json_string_value(value);
    if (text == NULL || !column_uuid(text))
        return "must be a UUID";
    bound->arg = edge_uuid(text);
    return NULL;
}

static const char *value_of(edge_ctx *ctx, const struct entity_column *column, const json_t *value,
    enum column_use use, struct column_value *bound)
{
    switch (column->type) {
    case COLUMN_TEXT:
    case COLUMN_LONG:
    case COLUMN_URL:
    case COLUMN_ENUM:
    case COLUMN_COLOUR:
    case COLUMN_TIMEZONE:
        return text_value_of(ctx, column, value, use, bound);
    case COLUMN_PERCENT:
        return (use == COLUMN_TO_WRITE ? percent_of : integer_of)(ctx, column, value, bound);
    case COLUMN_INTEGER:
    case COLUMN_BIGINT:
        return integer_of(ctx, column, value, bound);
    case COLUMN_NUMERIC:
    case COLUMN_RATE:
        return numeric_of(ctx, column, value, use, bound);
    case COLUMN_BOOLEAN:
        bound->arg = edge_bool(json_is_true(value));
        return json_is_boolean(value) ? NULL : "must be true or false";
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_TIMESTAMP:
        return moment_of(ctx, column, value, bound);
    case COLUMN_UUID:
        return uuid_of(value, bound);
    case COLUMN_TEXTS:
        return texts_of(ctx, value, bound);
    default:
        return json_of(ctx, column, value, bound);
    }
}

const char *column_value(edge_ctx *ctx, const struct entity_column *column, const json_t *value,
    enum column_use use, struct column_value *bound)
{
    *bound = (struct column_value){ .arg = edge_null(), .before = "", .after = "" };
    if (!json_is_null(value))
        return value_of(ctx, column, value, use, bound);
    return use == COLUMN_TO_COMPARE || (column->flags & (COLUMN_NOT_NULL | COLUMN_MERGED)) != 0
               ? "must not be null"
               : NULL;
}

/*
 * Every type's items travel as texts: an array of them and a cast is one parameter for all types, and each text
 * is what the checked item would have been bound as.
 */
static const char *item_text(edge_ctx *ctx, const json_t *item, const struct column_value *value)
{
    return json_is_string(item) ? value->arg.data : edge_json_dump(ctx, item, NULL);
}

const char *column_values(
    edge_ctx *ctx, const struct entity_column *column, const json_t *items, struct column_value *bound)
{
    size_t count = json_array_size(items), i;
    json_t *item;
    const char **texts = edge_alloc(ctx, (count + 1) * sizeof *texts);
    json_array_foreach(items, i, item)
    {
        struct column_value value;
        const char *wrong = column_value(ctx, column, item, COLUMN_TO_COMPARE, &value);
        if (wrong != NULL)
            return wrong;
        texts[i] = item_text(ctx, item, &value);
    }
    *bound = (struct column_value){
        .arg = edge_texts(texts, count),
        .before = "",
        .after = column_is_text(column) ? "" : edge_format(ctx, "::%s[]", column_sql_type(column)),
    };
    return NULL;
}
