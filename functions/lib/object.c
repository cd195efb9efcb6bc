/*
 * Stored objects. As the service: the stock policies of storage.objects know no ids of ours, so whoever calls
 * has looked at the path's prefix.
 */
#include "lib/object.h"

#include <string.h>

/* 42P01 and 3F000: there is no such table, or schema. */
static bool is_missing(const edge_error *error)
{
    return error->detail != NULL &&
           (strstr(error->detail, "42P01") != NULL || strstr(error->detail, "3F000") != NULL);
}

static void log_failure(edge_ctx *ctx, const char *event, const edge_error *error)
{
    edge_log(
        ctx, EDGE_LOG_WARN, event, { "code", edge_text(error->code) }, { "detail", edge_text(error->detail) });
}

bool object_try_put(edge_ctx *ctx, const char *bucket, const char *path, const void *data, size_t length,
    const char *media_type)
{
    edge_error error;
    if (!edge_storage_available(ctx))
        return false;
    if (edge_try_storage_put(ctx, &error, bucket, path, data, length, .content_type = media_type) == NULL) {
        log_failure(ctx, "object_not_stored", &error);
        return false;
    }
    edge_rows *listed = edge_try_service_query(ctx, &error,
        "INSERT INTO storage.objects (bucket_id, name, metadata)"
        " VALUES ($1, $2, $3)"
        " ON CONFLICT (bucket_id, name) DO UPDATE SET metadata = EXCLUDED.metadata",
        edge_text(bucket), edge_text(path),
        edge_json(json_pack("{s:s, s:I}", "mimetype", media_type, "size", (json_int_t)length)));
    if (listed == NULL && !is_missing(&error))
        log_failure(ctx, "object_not_listed", &error);
    return true;
}

bool object_is_listed(edge_ctx *ctx, const char *bucket, const char *path)
{
    edge_error error;
    edge_rows *found = edge_try_service_query(ctx, &error,
        "SELECT 1 AS found FROM storage.objects WHERE bucket_id = $1 AND name = $2", edge_text(bucket),
        edge_text(path));
    if (found == NULL && !is_missing(&error))
        edge_fail_error(ctx, &error);
    return found != NULL && edge_rows_count(found) > 0;
}
