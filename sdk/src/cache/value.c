/*
 * Values of the cache: copies, compressed by LZ4 above 1 KiB.
 */
#include "cache/table.h"

#include <limits.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMPRESS_ABOVE = 1024
};

/* The compressor's 16 KiB: a fiber's stack should not have touched them. */
static LZ4_stream_t state;

static struct cache_value *value_new(size_t room)
{
    struct cache_value *value = malloc(sizeof *value + room);
    if (value != NULL)
        *value = (struct cache_value){ .references = 1 };
    return value;
}

static struct cache_value *compress(const void *data, size_t length)
{
    int bound = LZ4_compressBound((int)length);
    struct cache_value *value = bound > 0 ? value_new((size_t)bound) : NULL;
    if (value == NULL)
        return NULL;
    int stored = LZ4_compress_fast_extState(&state, data, value->data, (int)length, bound, 1);
    if (stored <= 0 || (size_t)stored >= length) {
        free(value);
        return NULL;
    }
    struct cache_value *smaller = realloc(value, sizeof *value + (size_t)stored);
    value = smaller != NULL ? smaller : value;
    value->compressed = true;
    value->length = length;
    value->stored = (size_t)stored;
    return value;
}

struct cache_value *value_make(const void *data, size_t length, bool is_json)
{
    struct cache_value *value =
        length > COMPRESS_ABOVE && length <= LZ4_MAX_INPUT_SIZE ? compress(data, length) : NULL;
    if (value == NULL) {
        value = value_new(length);
        if (value == NULL)
            return NULL;
        if (length > 0)
            memcpy(value->data, data, length);
        value->length = value->stored = length;
    }
    value->is_json = is_json;
    return value;
}

struct cache_value *value_hold(struct cache_value *value)
{
    value->references++;
    return value;
}

void value_release(struct cache_value *value)
{
    if (value != NULL && --value->references == 0)
        free(value);
}

bool value_copy(const struct cache_value *value, char *out)
{
    out[value->length] = '\0';
    if (!value->compressed) {
        memcpy(out, value->data, value->length);
        return true;
    }
    return LZ4_decompress_safe(value->data, out, (int)value->stored, (int)value->length) == (int)value->length;
}
