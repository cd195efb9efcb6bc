/*
 * sandbox_google_docs: stand-in for Google Docs, documents.create and documents.batchUpdate
 * (https://developers.google.com/workspace/docs/api/reference/rest/v1/documents).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_google.h"

#define DOCUMENTS "/v1/documents"

static json_t *create(edge_ctx *ctx, json_t *request)
{
    const char *title = edge_json_text(request, "title");
    return json_pack("{s:s, s:s, s:s}", "documentId", sandbox_google_id(ctx), "title",
        title != NULL ? title : "Untitled document", "revisionId", "1");
}

/* Each request is one member that names its kind; insertText wants text and a place. */
static json_t *update(edge_ctx *ctx, json_t *request, const char *id)
{
    json_t *requests = json_object_get(request, "requests"), *one, *replies = json_array();
    size_t i;
    if (json_array_size(requests) == 0)
        return sandbox_google_error(
            ctx, 400, "badRequest", "INVALID_ARGUMENT", "Must specify at least one request.");
    json_array_foreach(requests, i, one)
    {
        json_t *insert = json_object_get(one, "insertText");
        const char *text = edge_json_text(insert, "text");
        if (text == NULL || text[0] == '\0' ||
            edge_json_int(edge_json_path(insert, "location"), "index", 0) < 1)
            return sandbox_google_error(ctx, 400, "badRequest", "INVALID_ARGUMENT",
                edge_format(
                    ctx, "Invalid requests[%zu].insertText: The insertion must have text and a location.", i));
        json_array_append_new(replies, json_object());
    }
    return json_pack(
        "{s:s, s:o, s:{s:s}}", "documentId", id, "replies", replies, "writeControl", "requiredRevisionId", "2");
}

static json_t *sandbox_google_docs(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "google_docs"), *request = sandbox_body(ctx), *refusal;
    const char *path = edge_request_rest(ctx), *verb = strstr(path, ":batchUpdate");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if ((refusal = sandbox_google_refusal(ctx)) != NULL)
        return refusal;
    if (!json_is_object(request))
        return sandbox_google_bad_body(ctx);
    if (strcmp(path, DOCUMENTS) == 0)
        return create(ctx, request);
    if (strncmp(path, DOCUMENTS "/", sizeof DOCUMENTS) == 0 && verb != NULL) {
        const char *id = path + sizeof DOCUMENTS;
        return update(ctx, request, edge_copy_bytes(ctx, id, (size_t)(verb - id)));
    }
    return sandbox_google_error(ctx, 404, "notFound", "NOT_FOUND", "Requested entity was not found.");
}

EDGE_FUNCTION(sandbox_google_docs,
    .summary = "Stand-in for Google Docs",
    .handle = sandbox_google_docs,
    .raw_body = true,
    .streams = true);
