/*
 * Lines of JSON. What they are made of is given back at once, for a long import sends many.
 */
#include "lib/import_stream.h"

#include <string.h>

bool import_wants_lines(edge_ctx *ctx)
{
    const char *accept = edge_request_header(ctx, "accept");
    return accept != NULL && strcasestr(accept, "application/x-ndjson") != NULL;
}

void import_send_line(edge_ctx *ctx, json_t *line)
{
    if (!edge_stream_started(ctx))
        edge_stream_begin(ctx, 200, "application/x-ndjson");
    size_t length = json_dumpb(line, NULL, 0, JSON_COMPACT);
    char small[256];
    if (length < sizeof small) {
        json_dumpb(line, small, length, JSON_COMPACT);
        small[length] = '\n';
        edge_stream_bytes(ctx, small, length + 1);
    } else {
        edge_stream_bytes(ctx, edge_json_dump(ctx, line, &length), length);
        edge_stream_bytes(ctx, "\n", 1);
    }
    json_decref(line);
}

void import_send_progress(edge_ctx *ctx, void *dataset, const struct import_counts *counts)
{
    json_t *line = json_pack("{s:s, s:I, s:I, s:I}", "type", "progress", "bytes", (json_int_t)counts->bytes,
        "rows", (json_int_t)counts->rows, "errors", (json_int_t)counts->errors);
    if (dataset != NULL)
        json_object_set_new(line, "dataset", json_string(dataset));
    import_send_line(ctx, line);
}
