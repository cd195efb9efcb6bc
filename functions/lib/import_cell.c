/*
 * Cells of CSV files, by the type of their column and never by guessing. What passes here is read by PostgreSQL
 * without an error, so that a bad cell is a report and not the end of a COPY.
 */
#include "lib/column.h"
#include "lib/import.h"
#include "lib/moment.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ITEMS_MAX = 100,
    ITEM_MAX = 500,
};

#define BLANKS " \t\r\n\f\v"

static const char *text_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    *out = cell;
    if (text_characters(cell) > column_text_max(column))
        return "too_long";
    if (column->type == COLUMN_ENUM)
        *out = column_enum(column, cell);
    if (column->type == COLUMN_COLOUR)
        *out = column_colour(cell, scratch->number) ? scratch->number : NULL;
    return *out != NULL ? NULL : "invalid_value";
}

/* Digits without thousands' commas; false when a comma stands elsewhere than in front of three digits. */
static bool plain_number(const char *cell, bool money, char out[64])
{
    size_t length = 0, since_comma = 0;
    bool comma = false, point = false;
    if (*cell == '-' || *cell == '+')
        out[length++] = *cell++;
    cell += money && *cell == '$';
    if (!isdigit((unsigned char)*cell))
        return false;
    for (; *cell != '\0' && length < 60; cell++) {
        if (*cell == ',' && !point && (comma ? since_comma == 3 : since_comma >= 1 && since_comma <= 3)) {
            comma = true;
            since_comma = 0;
            continue;
        }
        if (*cell == '.' && !point && (!comma || since_comma == 3))
            point = true;
        else if (!isdigit((unsigned char)*cell))
            return false;
        else
            since_comma += !point;
        out[length++] = *cell;
    }
    out[length] = '\0';
    return *cell == '\0' && out[length - 1] != '.' && (!comma || since_comma == 3);
}

static const char *integer_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    if (!plain_number(cell, false, scratch->number))
        return "invalid_integer";
    char *point = strchr(scratch->number, '.');
    if (point != NULL && point[1 + strspn(point + 1, "0")] != '\0')
        return "invalid_integer";
    if (point != NULL)
        *point = '\0';
    double number = strtod(scratch->number, NULL);
    double max = column->type == COLUMN_BIGINT ? 9007199254740992.0 : INT32_MAX;
    double min = column->type == COLUMN_BIGINT ? -max : INT32_MIN;
    if (column->type == COLUMN_PERCENT && (number < 0 || number > 100))
        return "invalid_value";
    *out = scratch->number;
    return number < min || number > max ? "invalid_integer" : NULL;
}

static const char *number_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    double max = column->type == COLUMN_RATE ? 1e4 : 1e10;
    *out = scratch->number;
    return plain_number(cell, true, scratch->number) && fabs(strtod(scratch->number, NULL)) < max - 0.005
               ? NULL
               : "invalid_number";
}

static const char *boolean_cell(const char *cell, const char **out)
{
    static const char *const yes[] = { "true", "t", "yes", "y", "1" };
    static const char *const no[] = { "false", "f", "no", "n", "0" };
    *out = NULL;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(cell, yes[i]) == 0)
            *out = "t";
        if (strcasecmp(cell, no[i]) == 0)
            *out = "f";
    }
    return *out != NULL ? NULL : "invalid_boolean";
}

static const char *moment_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    *out = scratch->moment;
    switch (column->type) {
    case COLUMN_DATE:
        return moment_day_loose(cell, scratch->moment) ? NULL : "invalid_date";
    case COLUMN_TIME:
        return moment_clock(cell, scratch->moment) ? NULL : "invalid_time";
    default:
        return moment_time(cell, scratch->moment) ? NULL : "invalid_timestamp";
    }
}

/* An item of an array literal, in quotes. */
static void add_item(struct text *text, const char *item, size_t length)
{
    text_add(text, text->length == 1 ? "\"" : ",\"");
    for (size_t i = 0; i < length; i++) {
        if (item[i] == '"' || item[i] == '\\')
            text_add(text, "\\");
        text_add_bytes(text, item + i, 1);
    }
    text_add(text, "\"");
}

static size_t trim(const char **item, size_t length)
{
    while (length > 0 && strchr(BLANKS, **item) != NULL) {
        ++*item;
        length--;
    }
    while (length > 0 && strchr(BLANKS, (*item)[length - 1]) != NULL)
        length--;
    return length;
}

static size_t characters(const char *item, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)item[i] & 0xc0) != 0x80;
    return count;
}

/* Adds what is left of an item when it is trimmed, if anything is. False when it is too long. */
static bool add_trimmed(struct text *text, const char *item, size_t length, size_t *count)
{
    length = trim(&item, length);
    if (length == 0)
        return true;
    ++*count;
    add_item(text, item, length);
    return characters(item, length) <= ITEM_MAX;
}

static const char *texts_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    struct text *text = &scratch->text;
    size_t count = 0, i;
    json_t *list = cell[0] == '[' ? edge_json_parse(text->ctx, cell, strlen(cell)) : NULL, *item;
    bool short_enough = true, strings = true;
    text->length = 0;
    text_add(text, "{");
    json_array_foreach(list, i, item)
    {
        strings = strings && json_is_string(item);
        if (json_is_string(item))
            short_enough =
                add_trimmed(text, json_string_value(item), json_string_length(item), &count) && short_enough;
    }
    if (list == NULL) {
        const char *separator = strchr(cell, '|') != NULL                         ? "|"
                                : strcmp(column->name, "personality_traits") == 0 ? ","
                                                                                  : "\n\n";
        for (const char *at = cell; *at != '\0';) {
            size_t length = separator[0] == '\n' ? strlen(at) : strcspn(at, separator);
            short_enough = add_trimmed(text, at, length, &count) && short_enough;
            at += length + (at[length] != '\0');
        }
    }
    json_decref(list);
    text_add(text, "}");
    *out = text->data;
    return !strings ? "invalid_json" : count > ITEMS_MAX || !short_enough ? "too_long" : NULL;
}

/* The text stays as it is: PostgreSQL reads the same JSON. */
static const char *json_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    json_t *value = edge_json_parse(scratch->text.ctx, cell, strlen(cell));
    bool object = json_is_object(value), parsed = value != NULL;
    json_decref(value);
    *out = cell;
    if (!parsed || ((column->flags & COLUMN_MERGED) != 0 && !object))
        return "invalid_json";
    return strlen(cell) > column_json_max(column) ? "too_long" : NULL;
}

static const char *uuid_cell(const char *cell, const char **out)
{
    *out = cell;
    return column_uuid(cell) ? NULL : "invalid_uuid";
}

/* A cell without the blanks around it; the copy lies in the scratch. */
static const char *trimmed(struct import_scratch *scratch, const char *cell)
{
    size_t length = trim(&cell, strlen(cell));
    scratch->trimmed.length = 0;
    text_add_bytes(&scratch->trimmed, cell, length);
    return scratch->trimmed.data;
}

const char *import_cell(
    struct import_scratch *scratch, const struct entity_column *column, const char *cell, const char **out)
{
    *out = NULL;
    if (cell[strspn(cell, BLANKS)] == '\0')
        return NULL;
    if (column_is_text(column) && column->type <= COLUMN_URL)
        return text_cell(scratch, column, cell, out);
    cell = trimmed(scratch, cell);
    if (column_is_text(column))
        return text_cell(scratch, column, cell, out);
    if (column_is_json(column))
        return json_cell(scratch, column, cell, out);
    switch (column->type) {
    case COLUMN_NUMERIC:
    case COLUMN_RATE:
        return number_cell(scratch, column, cell, out);
    case COLUMN_BOOLEAN:
        return boolean_cell(cell, out);
    case COLUMN_UUID:
        return uuid_cell(cell, out);
    case COLUMN_TEXTS:
        return texts_cell(scratch, column, cell, out);
    case COLUMN_DATE:
    case COLUMN_TIME:
    case COLUMN_TIMESTAMP:
        return moment_cell(scratch, column, cell, out);
    default:
        return integer_cell(scratch, column, cell, out);
    }
}
