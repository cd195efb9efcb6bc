/*
 * What buckets, paths and media types may be called; the same for both back ends.
 */
#include "storage/storage.h"

#include "storage/tree.h"

#include <context.h>

#include <string.h>

enum {
    BUCKET_MAX = 63,
    PATH_BYTES_MAX = 1024,
    SEGMENT_MAX = 200,
    SEGMENT_COUNT_MAX = 32
};

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool bucket_is_sound(const char *bucket)
{
    size_t length = strlen(bucket);
    if (length == 0 || length > BUCKET_MAX || !is_alphanumeric(bucket[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanumeric(bucket[i]) && strchr("._-", bucket[i]) == NULL)
            return false;
    return true;
}

static bool segment_is_sound(const char *segment, size_t length)
{
    static const char suffix[] = TREE_SUFFIX;
    size_t suffix_length = sizeof suffix - 1;
    if (length == 0 || length > SEGMENT_MAX || (length == 1 && segment[0] == '.') ||
        (length == 2 && segment[0] == '.' && segment[1] == '.'))
        return false;
    if (length >= suffix_length && memcmp(segment + length - suffix_length, suffix, suffix_length) == 0)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)segment[i] < 0x20 || segment[i] == 0x7f || segment[i] == '\\')
            return false;
    return true;
}

static bool is_utf8(const char *text)
{
    json_t *value = json_string(text);
    json_decref(value);
    return value != NULL;
}

static bool path_is_sound(const char *path)
{
    size_t count = 0;
    if (strlen(path) > PATH_BYTES_MAX || !is_utf8(path))
        return false;
    for (const char *at = path;;) {
        size_t length = strcspn(at, "/");
        if (!segment_is_sound(at, length) || ++count > SEGMENT_COUNT_MAX)
            return false;
        if (at[length] == '\0')
            return true;
        at += length + 1;
    }
}

bool storage_names_are_sound(const char *bucket, const char *path)
{
    return bucket_is_sound(bucket) && path_is_sound(path);
}

void storage_check_names(edge_ctx *ctx, const char *bucket, const char *path)
{
    if (bucket == NULL || !bucket_is_sound(bucket))
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "bucket", .message = "The bucket's name is malformed");
    if (path == NULL || !path_is_sound(path))
        edge_fail_with(ctx, 400, "invalid_input", .field = "path", .message = "The object's path is malformed");
}

/* A media type goes into a header, and into a line of a footer. */
const char *storage_media_type(edge_ctx *ctx, const char *type)
{
    if (type == NULL)
        return "application/octet-stream";
    size_t length = strlen(type);
    for (size_t i = 0; i < length; i++)
        if (type[i] < ' ' || type[i] > '~')
            length = 0;
    if (length == 0 || length > TREE_TYPE_MAX)
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "content_type", .message = "The content type is malformed");
    return edge_copy(ctx, type);
}
