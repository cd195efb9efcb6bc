/*
 * Writing objects to S3: in one request while they fit into one part, else as a multipart upload.
 */
#include "storage/s3.h"

#include <context.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    PART_BYTES = 5 * 1024 * 1024, /* the smallest that S3 takes but for the last */
    PART_MAX = 10000
};

struct s3_part {
    const char *etag;
    struct s3_part *next;
};

struct s3_upload {
    const char *id; /* NULL: no multipart upload yet */
    char *part;     /* PART_BYTES */
    size_t length;
    int64_t size_bytes;
    int count;
    struct s3_part *first, **last;
};

/* A bucket that is not there is the operator's business. */
static int write_outcome(edge_ctx *ctx, const char *what, const edge_reply *reply)
{
    int result = s3_outcome(ctx, what, reply);
    return result == -ENOENT ? -EIO : result;
}

static const char *etag_of(edge_ctx *ctx, const edge_reply *reply)
{
    const char *etag = edge_reply_header(ctx, reply, "etag");
    if (etag == NULL)
        return "";
    size_t quoted = etag[0] == '"', length = strlen(etag);
    return edge_copy_bytes(ctx, etag + quoted, length - (length > quoted ? 2 * quoted : 0));
}

int s3_put(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length, edge_object *object)
{
    static const edge_header if_absent[] = { { "If-None-Match", "*" }, { 0 } };
    edge_fetch_options options = {
        .method = "PUT",
        .path = s3_path(ctx, upload->bucket, upload->path),
        .content_type = upload->content_type,
        .headers = upload->if_absent ? if_absent : NULL,
    };
    const edge_reply *reply = s3_send(ctx, &options, data, length);
    int result = write_outcome(ctx, "PUT", reply);
    object->content_type = upload->content_type;
    object->etag = result == 0 ? etag_of(ctx, reply) : NULL;
    object->size_bytes = (int64_t)length;
    object->modified_us = edge_now_exact();
    return result;
}

static int begin_parts(edge_ctx *ctx, const struct edge_upload *upload)
{
    edge_fetch_options options = {
        .method = "POST",
        .path = edge_format(ctx, "%s?uploads=", s3_path(ctx, upload->bucket, upload->path)),
        .content_type = upload->content_type,
    };
    const edge_reply *reply = s3_send(ctx, &options, "", 0);
    int result = write_outcome(ctx, "CreateMultipartUpload", reply);
    const char *at = reply->body;
    if (result == 0)
        upload->s3->id = at != NULL ? s3_element(ctx, &at, "UploadId") : NULL;
    return result == 0 && upload->s3->id == NULL ? -EPROTO : result;
}

static const char *upload_path(edge_ctx *ctx, const struct edge_upload *upload, const char *query)
{
    return edge_format(ctx, "%s?%suploadId=%s", s3_path(ctx, upload->bucket, upload->path), query,
        edge_url_encode(ctx, upload->s3->id));
}

static int send_part(edge_ctx *ctx, struct edge_upload *upload)
{
    struct s3_upload *s3 = upload->s3;
    if (s3->count == PART_MAX)
        return -EFBIG;
    edge_fetch_options options = {
        .method = "PUT",
        .path = upload_path(ctx, upload, edge_format(ctx, "partNumber=%d&", s3->count + 1)),
    };
    const edge_reply *reply = s3_send(ctx, &options, s3->part, s3->length);
    int result = write_outcome(ctx, "UploadPart", reply);
    if (result < 0)
        return result;
    struct s3_part *part = *s3->last = edge_alloc(ctx, sizeof *part);
    part->etag = etag_of(ctx, reply);
    s3->last = &part->next;
    s3->count++;
    s3->length = 0;
    return 0;
}

/* Best effort: what is left is for the bucket's AbortIncompleteMultipartUpload rule. */
static void give_up(edge_ctx *ctx, struct edge_upload *upload)
{
    if (upload->s3->id != NULL)
        edge_try_fetch(ctx, STORAGE_PROVIDER, .method = "DELETE", .path = upload_path(ctx, upload, ""),
            .headers = s3_no_body);
    upload->s3->id = NULL;
}

static int full_part(edge_ctx *ctx, struct edge_upload *upload)
{
    int result = upload->s3->id == NULL ? begin_parts(ctx, upload) : 0;
    if (result == 0)
        result = send_part(ctx, upload);
    if (result < 0)
        give_up(ctx, upload);
    return result;
}

int s3_write(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length)
{
    if (upload->s3 == NULL) {
        upload->s3 = edge_alloc(ctx, sizeof *upload->s3);
        upload->s3->part = edge_alloc(ctx, PART_BYTES);
        upload->s3->last = &upload->s3->first;
    }
    struct s3_upload *s3 = upload->s3;
    s3->size_bytes += (int64_t)length;
    int result = 0;
    for (const char *at = data; length > 0 && result == 0;) {
        if (s3->length == PART_BYTES)
            result = full_part(ctx, upload);
        size_t room = PART_BYTES - s3->length, taken = length < room ? length : room;
        memcpy(s3->part + s3->length, at, taken);
        s3->length += taken;
        at += taken;
        length -= taken;
    }
    return result;
}

static char *completion(edge_ctx *ctx, const struct s3_upload *s3)
{
    static const char item[] = "<Part><PartNumber>10000</PartNumber><ETag></ETag></Part>";
    size_t size = sizeof "<CompleteMultipartUpload></CompleteMultipartUpload>";
    for (const struct s3_part *part = s3->first; part != NULL; part = part->next)
        size += sizeof item + 2 * sizeof "&quot;" + strlen(part->etag);
    char *text = edge_alloc(ctx, size);
    size_t used = (size_t)snprintf(text, size, "<CompleteMultipartUpload>");
    int number = 1;
    for (const struct s3_part *part = s3->first; part != NULL; part = part->next)
        used += (size_t)snprintf(text + used, size - used,
            "<Part><PartNumber>%d</PartNumber><ETag>&quot;%s&quot;</ETag></Part>", number++, part->etag);
    snprintf(text + used, size - used, "</CompleteMultipartUpload>");
    return text;
}

static int complete(edge_ctx *ctx, struct edge_upload *upload, edge_object *object)
{
    static const edge_header if_absent[] = { { "If-None-Match", "*" }, { 0 } };
    edge_fetch_options options = {
        .method = "POST",
        .path = upload_path(ctx, upload, ""),
        .content_type = "application/xml",
        .headers = upload->if_absent ? if_absent : NULL,
    };
    const char *body = completion(ctx, upload->s3);
    const edge_reply *reply = s3_send(ctx, &options, body, strlen(body));
    int result = write_outcome(ctx, "CompleteMultipartUpload", reply);
    /* 200 is sent before the work is done: a failure may follow in the body. */
    const char *at = reply->body != NULL ? reply->body : "";
    if (result == 0 && strstr(at, "<Error>") != NULL)
        result = -EIO;
    const char *etag = result == 0 ? s3_element(ctx, &at, "ETag") : NULL;
    size_t quote = sizeof "&quot;" - 1;
    if (etag != NULL && strncmp(etag, "&quot;", quote) == 0)
        etag = edge_copy_bytes(ctx, etag + quote, strcspn(etag + quote, "&"));
    object->etag = etag;
    return result;
}

int s3_commit(edge_ctx *ctx, struct edge_upload *upload, edge_object *object)
{
    struct s3_upload *s3 = upload->s3;
    if (s3 == NULL || s3->id == NULL)
        return s3_put(ctx, upload, s3 != NULL ? s3->part : "", s3 != NULL ? s3->length : 0, object);
    int result = s3->length > 0 ? send_part(ctx, upload) : 0;
    if (result == 0)
        result = complete(ctx, upload, object);
    if (result < 0)
        give_up(ctx, upload);
    object->content_type = upload->content_type;
    object->size_bytes = s3->size_bytes;
    object->modified_us = edge_now_exact();
    return result;
}
