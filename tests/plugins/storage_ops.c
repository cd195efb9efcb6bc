/*
 * storage_ops: every call of storage.h, as the input says.
 */
#include <edge/edge.h>

#include <string.h>

static const char *const operations[] = { "put", "try_put", "get", "stat", "delete", "list", "sign", "upload",
    "download", "available", NULL };

static const edge_field input[] = {
    { "op", EDGE_ENUM, .values = operations, .required = true, .help = "What to do" },
    { "bucket", EDGE_JSON, .help = "Bucket" },
    { "path", EDGE_JSON, .help = "Path" },
    { "text", EDGE_JSON, .help = "Bytes to put" },
    { "type", EDGE_JSON, .help = "Content type" },
    { "absent", EDGE_BOOL, .fallback = "false", .help = "Put only when there is none" },
    { "size", EDGE_INT, .min = 0, .max = 1073741824, .fallback = "0", .help = "Bytes to upload" },
    { "pause", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "Milliseconds before the commit" },
    { "offset", EDGE_INT, .min = 0, .max = 1073741824, .fallback = "0", .help = "First byte to download" },
    { "length", EDGE_INT, .min = -1, .max = 1073741824, .fallback = "-1", .help = "Bytes to download" },
    { "prefix", EDGE_JSON, .help = "Of a list" },
    { "after", EDGE_JSON, .help = "Of a list" },
    { "limit", EDGE_INT, .min = 0, .max = 10000, .fallback = "0", .help = "Of a list" },
    { "ttl", EDGE_INT, .min = -10, .max = 100000, .fallback = "60", .help = "Seconds that a URL is good for" },
    { 0 },
};

static json_t *described(const edge_object *object)
{
    if (object == NULL)
        return json_null();
    return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:b}", "bucket", object->bucket, "path", object->path, "type",
        object->content_type, "etag", object->etag, "size", (json_int_t)object->size_bytes, "dated",
        object->modified_us > 0);
}

static json_t *upload(edge_ctx *ctx, json_t *in, const char *bucket, const char *path)
{
    static const size_t piece = 100000;
    char *bytes = edge_alloc(ctx, piece);
    edge_upload *upload = edge_storage_create(ctx, bucket, path, .content_type = edge_json_text(in, "type"),
        .if_absent = edge_json_bool(in, "absent", false));
    size_t size = (size_t)edge_json_int(in, "size", 0), number = 0;
    for (size_t done = 0; done < size; done += piece) {
        memset(bytes, 'a' + (int)(number++ % 26), piece);
        edge_storage_write(ctx, upload, bytes, size - done < piece ? size - done : piece);
    }
    if (edge_json_int(in, "pause", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "pause", 0));
    return described(edge_storage_commit(ctx, upload));
}

static void download(edge_ctx *ctx, json_t *in, const char *bucket, const char *path)
{
    const edge_object *object = NULL;
    edge_download *download = edge_storage_open(
        ctx, bucket, path, edge_json_int(in, "offset", 0), edge_json_int(in, "length", -1), &object);
    edge_stream_begin(ctx, 200, object->content_type);
    size_t length = 0;
    const void *piece = NULL;
    while ((piece = edge_storage_read(ctx, download, &length)) != NULL)
        edge_stream_bytes(ctx, piece, length);
}

static json_t *list(edge_ctx *ctx, json_t *in, const char *bucket)
{
    const edge_object_list *list = edge_storage_list(ctx, bucket, .prefix = edge_json_text(in, "prefix"),
        .after = edge_json_text(in, "after"), .limit = (int)edge_json_int(in, "limit", 0));
    json_t *objects = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(objects, described(&list->objects[i]));
    return json_pack("{s:o, s:s?}", "objects", objects, "next", list->next);
}

static json_t *try_put(edge_ctx *ctx, json_t *in, const char *bucket, const char *path, const char *text)
{
    edge_error error;
    const edge_object *object = edge_try_storage_put(
        ctx, &error, bucket, path, text, strlen(text), .if_absent = edge_json_bool(in, "absent", false));
    return object != NULL ? described(object)
                          : json_pack("{s:i, s:s}", "status", error.status, "code", error.code);
}

static json_t *one_object(edge_ctx *ctx, json_t *in, const char *op, const char *bucket, const char *path)
{
    const char *text = edge_json_text(in, "text") != NULL ? edge_json_text(in, "text") : "";
    if (strcmp(op, "put") == 0)
        return described(edge_storage_put(ctx, bucket, path, text, strlen(text),
            .content_type = edge_json_text(in, "type"), .if_absent = edge_json_bool(in, "absent", false)));
    if (strcmp(op, "try_put") == 0)
        return try_put(ctx, in, bucket, path, text);
    if (strcmp(op, "get") == 0) {
        size_t length = 0;
        const char *bytes = edge_storage_get(ctx, bucket, path, &length);
        return json_stringn(bytes, length);
    }
    if (strcmp(op, "stat") == 0)
        return described(edge_storage_stat(ctx, bucket, path));
    if (strcmp(op, "sign") == 0)
        return json_string(edge_storage_sign_url(ctx, bucket, path, edge_json_int(in, "ttl", 60)));
    edge_storage_delete(ctx, bucket, path);
    return json_true();
}

static json_t *storage_ops(edge_ctx *ctx, json_t *in)
{
    const char *op = edge_json_text(in, "op"), *bucket = edge_json_text(in, "bucket");
    const char *path = edge_json_text(in, "path");
    json_t *result = NULL;
    if (strcmp(op, "available") == 0)
        result = json_boolean(edge_storage_available(ctx));
    else if (strcmp(op, "list") == 0)
        result = list(ctx, in, bucket);
    else if (strcmp(op, "upload") == 0)
        result = upload(ctx, in, bucket, path);
    else if (strcmp(op, "download") == 0)
        download(ctx, in, bucket, path);
    else
        result = one_object(ctx, in, op, bucket, path);
    return result != NULL ? json_pack("{s:o}", "result", result) : NULL;
}

EDGE_FUNCTION(storage_ops,
    .summary = "Stores and reads objects",
    .input = input,
    .handle = storage_ops,
    .streams = true);
