/*
 * The S3 back end: calls of the provider "object_store", path-style, signed by libcurl (CURLOPT_AWS_SIGV4).
 */
#include "storage/s3.h"

#include <context.h>

#include <edge/crypto.h>
#include <edge/log.h>

#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    HASH_PIECE = 1024 * 1024, /* about a millisecond's work: then others have their turn */
    SILENCE_MS = 30 * 1000,
    SEND_MS = 30 * 1000,
    SLOWEST_BYTES_PER_MS = 128
};

const edge_header s3_no_body[] = { S3_EMPTY, { 0 } };

const char *s3_path(edge_ctx *ctx, const char *bucket, const char *path)
{
    char *out = edge_format(ctx, "/%s", bucket);
    for (const char *at = path;;) {
        size_t length = strcspn(at, "/");
        out = edge_format(ctx, "%s/%s", out, edge_url_encode(ctx, edge_copy_bytes(ctx, at, length)));
        if (at[length] == '\0')
            return out;
        at += length + 1;
    }
}

int s3_outcome(edge_ctx *ctx, const char *what, const edge_reply *reply)
{
    if (reply->failure == EDGE_HTTP_OK && reply->status >= 200 && reply->status < 300)
        return 0;
    if (reply->status == 404)
        return -ENOENT;
    if (reply->status == 412 || reply->status == 409)
        return -EEXIST;
    const char *at = reply->body != NULL ? reply->body : "";
    edge_log(ctx, EDGE_LOG_ERROR, "object_store_failed", { "request", edge_text(what) },
        { "status", edge_int(reply->status) }, { "reason", edge_text(reply->message) },
        { "answer", edge_text(s3_element(ctx, &at, "Code")) });
    return reply->status == 507 ? -ENOSPC : -EIO;
}

char *s3_element(edge_ctx *ctx, const char **at, const char *name)
{
    const char *open = edge_format(ctx, "<%s>", name), *close = edge_format(ctx, "</%s>", name);
    const char *start = strstr(*at, open);
    const char *end = start != NULL ? strstr(start, close) : NULL;
    if (end == NULL)
        return NULL;
    start += strlen(open);
    *at = end + strlen(close);
    return edge_copy_bytes(ctx, start, (size_t)(end - start));
}

/* Of much data a piece at a time. */
static const char *hash_of(edge_ctx *ctx, const void *data, size_t length)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    if (length <= HASH_PIECE) {
        edge_sha256(data, length, digest);
        return edge_hex(ctx, digest, sizeof digest);
    }
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    edge_defer(ctx, (void (*)(void *))EVP_MD_CTX_free, md);
    bool good = EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    for (size_t done = 0; done < length && good; done += HASH_PIECE) {
        good = EVP_DigestUpdate(
                   md, (const char *)data + done, length - done < HASH_PIECE ? length - done : HASH_PIECE) == 1;
        edge_sleep(ctx, 0);
    }
    if (!good || EVP_DigestFinal_ex(md, digest, NULL) != 1)
        abort();
    return edge_hex(ctx, digest, sizeof digest);
}

edge_reply *s3_send(edge_ctx *ctx, edge_fetch_options *options, const void *body, size_t length)
{
    size_t count = 0;
    while (options->headers != NULL && options->headers[count].name != NULL)
        count++;
    edge_header *headers = edge_alloc(ctx, (count + 2) * sizeof *headers);
    if (count > 0)
        memcpy(headers, options->headers, count * sizeof *headers);
    /* Said here, or libcurl leaves what it is not sure of unsigned. */
    headers[count] = (edge_header){ "x-amz-content-sha256", hash_of(ctx, body, length) };
    options->headers = headers;
    options->body = length > 0 ? body : "";
    options->length = length;
    options->timeout_ms = SEND_MS + (int64_t)(length / SLOWEST_BYTES_PER_MS);
    return edge_try_fetch_with(ctx, STORAGE_PROVIDER, options);
}

static const char *without_quotes(edge_ctx *ctx, const char *etag)
{
    size_t length = etag != NULL ? strlen(etag) : 0;
    if (length >= 2 && etag[0] == '"' && etag[length - 1] == '"')
        return edge_copy_bytes(ctx, etag + 1, length - 2);
    return etag;
}

static void take_facts(edge_ctx *ctx, const edge_reply *reply, edge_object *object)
{
    const char *type = edge_reply_header(ctx, reply, "content-type");
    const char *length = edge_reply_header(ctx, reply, "content-length");
    const char *range = edge_reply_header(ctx, reply, "content-range");
    const char *total = range != NULL ? strchr(range, '/') : NULL;
    const char *modified = edge_reply_header(ctx, reply, "last-modified");
    object->content_type = type != NULL ? type : "application/octet-stream";
    object->etag = without_quotes(ctx, edge_reply_header(ctx, reply, "etag"));
    object->size_bytes = strtoll(total != NULL ? total + 1 : length != NULL ? length : "0", NULL, 10);
    object->modified_us = modified != NULL ? (int64_t)curl_getdate(modified, NULL) * 1000000 : 0;
}

static int s3_stat(edge_ctx *ctx, edge_object *object)
{
    const edge_reply *reply = edge_try_fetch(ctx, STORAGE_PROVIDER, .method = "HEAD",
        .path = s3_path(ctx, object->bucket, object->path), .headers = s3_no_body);
    int result = s3_outcome(ctx, "HEAD", reply);
    if (result == 0)
        take_facts(ctx, reply, object);
    return result;
}

static const char *range_of(edge_ctx *ctx, int64_t offset, int64_t length)
{
    if (length < 0)
        return edge_format(ctx, "bytes=%lld-", (long long)offset);
    return edge_format(ctx, "bytes=%lld-%lld", (long long)offset, (long long)(offset + length - 1));
}

static int s3_open(
    edge_ctx *ctx, struct edge_download *download, int64_t offset, int64_t length, edge_object *object)
{
    if (length == 0)
        return s3_stat(ctx, object);
    bool whole = offset == 0 && length < 0;
    const edge_header range[] = { S3_EMPTY, { "Range", whole ? "" : range_of(ctx, offset, length) }, { 0 } };
    edge_reply *reply = edge_fetch_stream(ctx, STORAGE_PROVIDER,
        .path = s3_path(ctx, object->bucket, object->path), .headers = whole ? s3_no_body : range,
        .timeout_ms = -1, .first_byte_timeout_ms = SILENCE_MS, .silence_timeout_ms = SILENCE_MS);
    if (reply->failure == EDGE_HTTP_OK && reply->status == 416)
        return s3_stat(ctx, object); /* behind the end: there is nothing to read */
    int result = s3_outcome(ctx, "GET", reply);
    if (result < 0)
        return result;
    take_facts(ctx, reply, object);
    download->reply = reply;
    return 0;
}

static int s3_read(edge_ctx *ctx, struct edge_download *download, const void **piece, size_t *length)
{
    *piece = NULL;
    *length = 0;
    if (download->reply == NULL)
        return 0;
    *piece = edge_reply_read(ctx, download->reply, length);
    return *piece == NULL ? s3_outcome(ctx, "GET", download->reply) : 0;
}

static int s3_remove(edge_ctx *ctx, const char *bucket, const char *path)
{
    const edge_reply *reply = edge_try_fetch(
        ctx, STORAGE_PROVIDER, .method = "DELETE", .path = s3_path(ctx, bucket, path), .headers = s3_no_body);
    int result = s3_outcome(ctx, "DELETE", reply);
    return result == -ENOENT ? 0 : result;
}

const struct backend s3_backend = {
    .put = s3_put,
    .write = s3_write,
    .commit = s3_commit,
    .stat = s3_stat,
    .open = s3_open,
    .read = s3_read,
    .remove = s3_remove,
    .list = s3_list,
};
