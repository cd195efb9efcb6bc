/*
 * ListObjectsV2. Keys are asked for percent-encoded, so that nothing in them is XML.
 */
#include "storage/s3.h"

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place, as a form's value: S3 writes a blank as "+". */
static char *decode(char *text)
{
    char *out = text;
    for (const char *at = text; *at != '\0'; at++) {
        int high = *at == '%' ? hex_value(at[1]) : -1, low = high >= 0 ? hex_value(at[2]) : -1;
        if (low >= 0)
            at += 2;
        *out++ = low >= 0 ? (char)(high << 4 | low) : *at == '+' ? ' ' : *at;
    }
    *out = '\0';
    return text;
}

static int64_t instant(const char *text)
{
    struct tm utc = { 0 };
    if (text == NULL || strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) == NULL)
        return 0;
    return (int64_t)timegm(&utc) * 1000000;
}

static bool take_object(edge_ctx *ctx, const char **at, const char *bucket, edge_object *object)
{
    const char *contents = s3_element(ctx, at, "Contents");
    if (contents == NULL)
        return false;
    const char *key_at = contents, *size_at = contents, *modified_at = contents;
    char *key = s3_element(ctx, &key_at, "Key");
    const char *size = s3_element(ctx, &size_at, "Size");
    *object = (edge_object){
        .bucket = bucket,
        .path = key != NULL ? decode(key) : "",
        .size_bytes = size != NULL ? strtoll(size, NULL, 10) : 0,
        .modified_us = instant(s3_element(ctx, &modified_at, "LastModified")),
    };
    return true;
}

int s3_list(edge_ctx *ctx, const char *bucket, const struct edge_list_options *options, edge_object_list *list)
{
    /* The names are in the order that their signature wants. */
    const char *path = edge_format(ctx, "/%s?encoding-type=url&list-type=2&max-keys=%d&prefix=%s", bucket,
        options->limit, edge_url_encode(ctx, options->prefix));
    if (options->after[0] != '\0')
        path = edge_format(ctx, "%s&start-after=%s", path, edge_url_encode(ctx, options->after));
    const edge_reply *reply = edge_try_fetch(ctx, STORAGE_PROVIDER, .path = path, .headers = s3_no_body);
    int result = s3_outcome(ctx, "ListObjectsV2", reply);
    if (result < 0)
        return result == -ENOENT ? 0 : result;

    edge_object *objects = edge_alloc(ctx, ((size_t)options->limit + 1) * sizeof *objects);
    const char *at = reply->body != NULL ? reply->body : "", *name = edge_copy(ctx, bucket);
    const char *truncated_at = at;
    while (list->count < (size_t)options->limit && take_object(ctx, &at, name, &objects[list->count]))
        list->count++;
    const char *truncated = s3_element(ctx, &truncated_at, "IsTruncated");
    list->objects = objects;
    if (list->count > 0 && truncated != NULL && strcmp(truncated, "true") == 0)
        list->next = objects[list->count - 1].path;
    return 0;
}
