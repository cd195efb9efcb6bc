/*
 * Values of a log line, and which of them are not for the log.
 */
#include "line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JSON_DEPTH_MAX 8

static bool contains(const char *key, const char *word)
{
    return strcasestr(key, word) != NULL;
}

static bool ends_with(const char *key, const char *word)
{
    size_t length = strlen(key), tail = strlen(word);
    return length >= tail && strcasecmp(key + length - tail, word) == 0;
}

static bool masks(const char *key)
{
    static const char *const words[] = { "token", "secret", "password", "authorization", "apikey", "api_key",
        "cookie", "credential", "verifier" };
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (contains(key, words[i]))
            return true;
    return ends_with(key, "code");
}

/* A truth value keeps no secret, and a number of "promptTokens" is a count. */
static bool masks_number(const char *key)
{
    return masks(key) && !ends_with(key, "tokens");
}

static void put_iso_time(struct line *line, int64_t microseconds)
{
    char text[48];
    struct tm parts;
    time_t seconds = (time_t)(microseconds / 1000000 - (microseconds % 1000000 < 0));
    size_t length = strftime(text, 32, "\"%Y-%m-%dT%H:%M:%S.", gmtime_r(&seconds, &parts));
    int ms = (int)((microseconds - (int64_t)seconds * 1000000) / 1000);
    length += (size_t)snprintf(text + length, sizeof(text) - length, "%03dZ\"", ms);
    line_put(line, text, length);
}

static void put_number(struct line *line, double value)
{
    char text[32];
    if (!isfinite(value)) {
        line_put(line, "null", 4);
        return;
    }
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    line_put(line, text, (size_t)length);
}

/* On a terminal, a word needs no quotes. */
void line_put_string(struct line *line, const char *text, size_t length)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+%,*";
    if (line->format == LOG_TEXT && length > 0 && length < 256 && strspn(text, word) >= length)
        line_put(line, text, length);
    else
        line_put_quoted(line, text, length);
}

static void put_json(struct line *line, const json_t *value, int depth);

static void put_object(struct line *line, const json_t *object, int depth)
{
    const char *key;
    json_t *member;
    bool first = true;
    line_put(line, "{", 1);
    json_object_foreach((json_t *)object, key, member)
    {
        if (!first)
            line_put(line, ",", 1);
        first = false;
        line_put_quoted(line, key, strlen(key));
        line_put(line, ":", 1);
        bool masked = json_is_number(member) ? masks_number(key) : !json_is_boolean(member) && masks(key);
        if (masked)
            line_put(line, "\"***\"", 5);
        else
            put_json(line, member, depth + 1);
    }
    line_put(line, "}", 1);
}

static void put_array(struct line *line, const json_t *array, int depth)
{
    line_put(line, "[", 1);
    for (size_t i = 0; i < json_array_size(array) && !line->full; i++) {
        if (i > 0)
            line_put(line, ",", 1);
        put_json(line, json_array_get(array, i), depth + 1);
    }
    line_put(line, "]", 1);
}

static void put_json(struct line *line, const json_t *value, int depth)
{
    if (depth > JSON_DEPTH_MAX) {
        line_put(line, "\"\\u2026\"", 8);
        return;
    }
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_OBJECT:
        return put_object(line, value, depth);
    case JSON_ARRAY:
        return put_array(line, value, depth);
    case JSON_STRING:
        return line_put_quoted(line, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return line_put_integer(line, json_integer_value(value));
    case JSON_REAL:
        return put_number(line, json_real_value(value));
    case JSON_TRUE:
        return line_put(line, "true", 4);
    case JSON_FALSE:
        return line_put(line, "false", 5);
    default:
        return line_put(line, "null", 4);
    }
}

static void put_texts(struct line *line, const edge_arg *value)
{
    const char *const *items = value->data;
    line_put(line, "[", 1);
    for (size_t i = 0; i < value->length && !line->full; i++) {
        if (i > 0)
            line_put(line, ",", 1);
        if (items[i] == NULL)
            line_put(line, "null", 4);
        else
            line_put_quoted(line, items[i], strlen(items[i]));
    }
    line_put(line, "]", 1);
}

static void put_integers(struct line *line, const edge_arg *value)
{
    const int64_t *items = value->data;
    line_put(line, "[", 1);
    for (size_t i = 0; i < value->length && !line->full; i++) {
        if (i > 0)
            line_put(line, ",", 1);
        line_put_integer(line, items[i]);
    }
    line_put(line, "]", 1);
}

/* Bytes are somebody's file or key: only how many there are is said. */
static void put_byte_count(struct line *line, size_t count)
{
    char text[48];
    int length = snprintf(text, sizeof(text), "\"<%zu bytes>\"", count);
    line_put(line, text, (size_t)length);
}

static void put_value(struct line *line, const edge_arg *value)
{
    if (value->data == NULL && value->type >= EDGE_ARG_TEXT && value->type != EDGE_ARG_TIME)
        return line_put(line, "null", 4);
    switch (value->type) {
    case EDGE_ARG_INT:
        return line_put_integer(line, value->integer);
    case EDGE_ARG_NUMBER:
        return put_number(line, value->number);
    case EDGE_ARG_BOOL:
        return line_put(line, value->integer ? "true" : "false", value->integer ? 4 : 5);
    case EDGE_ARG_TEXT:
    case EDGE_ARG_UUID:
    case EDGE_ARG_DECIMAL:
    case EDGE_ARG_DATE:
        return line_put_string(line, value->data, strlen(value->data));
    case EDGE_ARG_JSON:
        return put_json(line, value->data, 0);
    case EDGE_ARG_BYTES:
        return put_byte_count(line, value->length);
    case EDGE_ARG_TIME:
        return put_iso_time(line, value->integer);
    case EDGE_ARG_TEXTS:
    case EDGE_ARG_UUIDS:
    case EDGE_ARG_DECIMALS:
        return put_texts(line, value);
    case EDGE_ARG_INTS:
        return put_integers(line, value);
    default:
        return line_put(line, "null", 4);
    }
}

static bool hides(const char *key, const edge_arg *value)
{
    switch (value->type) {
    case EDGE_ARG_NULL:
    case EDGE_ARG_BOOL:
        return false;
    case EDGE_ARG_INT:
    case EDGE_ARG_NUMBER:
        return masks_number(key);
    default:
        return masks(key);
    }
}

void line_put_value(struct line *line, const char *key, const edge_arg *value)
{
    if (hides(key, value))
        line_put_string(line, "***", 3);
    else
        put_value(line, value);
}
