/*
 * Writing JSON as JavaScript does: the shortest digits that read back as the same double, and no fraction
 * where there is none. jansson prints 33.3 as 33.299999999999997 and 63 as 63.0, and has no hook for it, so
 * the numbers are the reason for this file; the text around them is RFC 8259.
 */
#include <edge/json.h>

#include "base/decimal.h"
#include "base/json_dump.h"
#include "base/words.h"

#include <context.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SHARED_FIRST = 4096,
    SHARED_MAX = 1 << 20,
    TEXT_PER_MEMORY =
        4 /* how much longer than the invocation's memory a text may be: it says names again and again */
};

static void reserve(struct json_output *out, size_t more)
{
    if (out->failed || out->length + more < out->capacity)
        return;
    /* A value that is listed a million times takes no memory but here. */
    const struct fiber *fiber = fiber_current();
    if (fiber != NULL && (out->length + more) / TEXT_PER_MEMORY > fiber_context(fiber)->arena.limit_bytes)
        context_memory_limit(fiber_context(fiber), out->length + more);
    size_t capacity = out->capacity * 2;
    while (out->length + more >= capacity)
        capacity *= 2;
    char *text = realloc(out->text, capacity);
    out->failed = text == NULL;
    if (out->failed)
        return;
    out->text = text;
    out->capacity = capacity;
}

void json_put(struct json_output *out, const char *text, size_t length)
{
    reserve(out, length);
    if (out->failed)
        return;
    memcpy(out->text + out->length, text, length);
    out->length += length;
}

static void put_escape(struct json_output *out, unsigned char c)
{
    static const char short_forms[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = memchr(short_forms, c, sizeof short_forms - 1);
    char text[8];
    int length = found != NULL ? snprintf(text, sizeof text, "\\%c", letters[found - short_forms])
                               : snprintf(text, sizeof text, "\\u%04x", c);
    json_put(out, text, (size_t)length);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* How many characters the text begins with that need no escape. */
static size_t plain_run(const char *text, size_t length)
{
    size_t run = 0;
    for (; length - run >= sizeof(uint64_t); run += sizeof(uint64_t)) {
        uint64_t word = word_at(text + run);
        if ((word_has_control(word) | word_has(word, '"') | word_has(word, '\\')) != 0)
            break;
    }
    while (run < length && is_plain((unsigned char)text[run]))
        run++;
    return run;
}

void json_put_string(struct json_output *out, const char *text, size_t length)
{
    json_put(out, "\"", 1);
    size_t plain = 0;
    for (size_t i = plain_run(text, length); i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (is_plain(c))
            continue;
        json_put(out, text + plain, i - plain);
        put_escape(out, c);
        plain = i + 1;
        i += plain_run(text + plain, length - plain);
    }
    json_put(out, text + plain, length - plain);
    json_put(out, "\"", 1);
}

static void put_integer(struct json_output *out, int64_t value)
{
    char text[DECIMAL_SIZE], *end = text + sizeof text, *at = decimal_before(end, value);
    json_put(out, at, (size_t)(end - at));
}

void json_put_number(struct json_output *out, double value)
{
    char text[40];
    int length = 0;
    if (!isfinite(value)) {
        json_put(out, "null", 4); /* as JSON.stringify */
        return;
    }
    if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
        put_integer(out, (int64_t)value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    json_put(out, text, (size_t)length);
}

static void put_object(struct json_output *out, const json_t *object)
{
    const char *key;
    json_t *member;
    bool first = true;
    json_put(out, "{", 1);
    json_object_foreach((json_t *)object, key, member)
    {
        if (!first)
            json_put(out, ",", 1);
        first = false;
        json_put_string(out, key, strlen(key));
        json_put(out, ":", 1);
        json_put_value(out, member);
    }
    json_put(out, "}", 1);
}

static void put_array(struct json_output *out, const json_t *array)
{
    size_t count = json_array_size(array);
    json_put(out, "[", 1);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            json_put(out, ",", 1);
        json_put_value(out, json_array_get(array, i));
    }
    json_put(out, "]", 1);
}

void json_put_value(struct json_output *out, const json_t *value)
{
    if (value == NULL) {
        json_put(out, "null", 4);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(out, value);
        break;
    case JSON_ARRAY:
        put_array(out, value);
        break;
    case JSON_STRING:
        json_put_string(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        put_integer(out, json_integer_value(value));
        break;
    case JSON_REAL:
        json_put_number(out, json_real_value(value));
        break;
    case JSON_TRUE:
        json_put(out, "true", 4);
        break;
    case JSON_FALSE:
        json_put(out, "false", 5);
        break;
    case JSON_NULL:
        json_put(out, "null", 4);
        break;
    }
}

struct json_output *json_output_shared(void)
{
    static struct json_output shared;
    if (shared.capacity > SHARED_MAX) { /* one giant answer does not stay resident */
        free(shared.text);
        shared = (struct json_output){ 0 };
    }
    if (shared.text == NULL) {
        shared.text = malloc(SHARED_FIRST);
        shared.capacity = shared.text != NULL ? SHARED_FIRST : 0;
    }
    shared.length = 0;
    shared.failed = shared.text == NULL;
    return &shared;
}

const char *json_output_text(struct json_output *out, size_t *length)
{
    if (out->failed)
        return NULL;
    out->text[out->length] = '\0';
    *length = out->length;
    return out->text;
}

const char *json_dump_shared(const json_t *value, size_t *length)
{
    struct json_output *out = json_output_shared();
    json_put_value(out, value);
    return json_output_text(out, length);
}

/* Written in the shared buffer first: growing inside the arena would leave every smaller copy behind. */
char *edge_json_dump(edge_ctx *ctx, const json_t *value, size_t *length)
{
    size_t size = 0;
    const char *text = json_dump_shared(value, &size);
    if (text == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    if (length != NULL)
        *length = size;
    return edge_copy_bytes(ctx, text, size);
}
