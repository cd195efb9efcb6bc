/*
 * uploadSkySlopeDocumentTool: puts a document into a SkySlope file, by URL or inline, once for each idempotency
 * key, and onto a checklist item if that is wanted.
 *
 * Three round trips (connection, audit row and its end); the document's own host, one to three calls to
 * SkySlope, and a login when there is no session yet.
 *
 * SkySlope: https://api.skyslope.com/docs (Documents).
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/document.h"
#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/skyslope.h"

enum {
    URL_MAX = 2048,
    TOOL_MS = 110000,
    UPLOAD_MS = 60000,
};

static const edge_field input[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "GUID of the file" },
    { "documentUrl", EDGE_URL, .help = "Public https address of the document; this or documentBase64" },
    { "documentBase64", EDGE_TEXT, .help = "The document itself, at most 25 MiB" },
    { "documentName", EDGE_TEXT, .min = 0, .max = DOCUMENT_NAME_MAX, .help = "Name in SkySlope" },
    { "documentType", EDGE_TEXT, .min = 0, .max = 100, .fallback = "Other", .help = "A label" },
    { "fileType", EDGE_ENUM, .values = skyslope_kinds,
        .help = "sale or listing; found out when it is not said" },
    { "checklistItemId", EDGE_ID, .min = 1, .max = 0x1p63, .help = "Item to which it is attached" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it uploads nothing" },
    { "userId", EDGE_USER, .help = "Whose SkySlope; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "documentId", EDGE_TEXT, .required = true, .help = "The document there" },
    { "transactionId", EDGE_TEXT, .required = true, .help = "GUID of the file" },
    SKYSLOPE_KIND_FIELD,
    { "fileName", EDGE_TEXT, .required = true, .help = "As it is called there" },
    { "size", EDGE_INT, .required = true, .help = "Bytes" },
    { "documentType", EDGE_TEXT, .help = "As it was sent" },
    TOOL_MESSAGE_FIELD,
    CRM_WARNINGS_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static void check_base64(edge_ctx *ctx, const char *text)
{
    size_t length = 0;
    if (edge_base64_decode(ctx, text, &length) == NULL || length == 0)
        field_fail(ctx, "documentBase64", "must be standard Base64");
    if (length > DOCUMENT_MAX_BYTES)
        field_fail(ctx, "documentBase64", "must be at most 25 MiB, is %zu bytes", length);
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    const char *text = json_string_value(value);
    if (field_is(field, "documentUrl") && strlen(text) > URL_MAX)
        field_fail(ctx, "documentUrl", "must have at most %d characters", URL_MAX);
    if (field_is(field, "documentBase64") && edge_json_text(in, "documentUrl") != NULL)
        field_fail(ctx, "documentBase64", "and documentUrl exclude each other");
    if (field_is(field, "documentBase64"))
        check_base64(ctx, text);
    return value;
}

static void check_source(edge_ctx *ctx, const char *url, const char *base64)
{
    if (url == NULL && base64 == NULL)
        field_fail(ctx, "documentUrl", "or documentBase64 is required");
    if (url != NULL && !edge_url_is_allowed(ctx, "document_fetch", url))
        edge_fail_with(ctx, 400, "url_not_allowed", .message = "documentUrl must be a public https address",
            .suggestion =
                "Give an https address that anybody can open, or send the document as documentBase64");
}

/* What the audit row keeps: everything but the bytes. */
static json_t *summary_of(const json_t *in)
{
    json_t *summary = json_object();
    for (const edge_field *field = input; field->name != NULL; field++) {
        json_t *value = json_object_get(in, field->name);
        bool kept = strcmp(field->name, "documentBase64") != 0 && strcmp(field->name, "idempotencyKey") != 0 &&
                    field->type != EDGE_USER;
        if (kept && value != NULL)
            json_object_set(summary, field->name, value);
    }
    return summary;
}

static struct document read_document(struct crm *crm, const json_t *in)
{
    struct document document = document_read(crm->ctx, edge_json_text(in, "documentUrl"),
        edge_json_text(in, "documentBase64"), edge_json_text(in, "documentName"));
    if (document.failure == NULL)
        return document;
    action_fail(crm->action, document.failure->code, document.failure->message, NULL);
    edge_fail_with(crm->ctx, document.failure->status, document.failure->code,
        .message = document.failure->message, .suggestion = "Give another document, or another address of it");
}

/* The one place that knows how SkySlope takes documents: what is public of its API is thin here. */
static json_t *encode(edge_ctx *ctx, const json_t *in, const struct document *document)
{
    json_t *given = json_object_get(in, "documentBase64");
    return json_pack("{s:s, s:o}", "fileName", document->name, "base64Content",
        given != NULL ? json_incref(given)
                      : json_string_nocheck(edge_base64(ctx, document->bytes, document->length)));
}

static json_t *document_id(json_t *answer)
{
    static const char *const paths[] = { "value.documentGuid", "value.id", "documentGuid", "id", NULL };
    for (const char *const *path = paths; *path != NULL; path++) {
        json_t *id = edge_json_path(answer, *path);
        if (json_is_integer(id))
            return json_sprintf("%lld", (long long)json_integer_value(id));
        if (json_is_string(id) && json_string_length(id) > 0)
            return json_incref(id);
    }
    return NULL;
}

/* The document is there by now: an attachment that fails is a warning. */
static void attach(
    struct skyslope *sky, const struct skyslope_kind *kind, const char *guid, json_t *item, json_t *data)
{
    edge_ctx *ctx = sky->crm->ctx;
    const char *path = edge_format(ctx, "%s/%s/checklist-items/%lld", kind->path, edge_url_encode(ctx, guid),
        (long long)json_integer_value(item));
    edge_reply *reply = skyslope_try_call(sky, .method = "POST", .path = path,
        .json = json_pack("{s:O}", "documentGuid", json_object_get(data, "documentId")));
    if (crm_failure_of(sky->crm, reply) != NULL)
        json_object_set_new(data, "warnings", json_pack("[s]", "not_attached"));
}

static json_t *upload_document(edge_ctx *ctx, json_t *in)
{
    const char *guid = edge_json_text(in, "transactionId");
    const struct skyslope_kind *kind = skyslope_kind_named(edge_json_text(in, "fileType"));
    json_t *item = json_object_get(in, "checklistItemId");
    check_source(ctx, edge_json_text(in, "documentUrl"), edge_json_text(in, "documentBase64"));
    idempotency_key(ctx, in);

    struct skyslope *sky = skyslope_open(ctx, "Failed to upload document");
    struct crm *crm = sky->crm;
    crm->ends_at_us = edge_now(ctx) + TOOL_MS * 1000LL;
    json_t *before = crm_begin(crm, "uploadSkySlopeDocument", input, in, summary_of(in));
    if (before != NULL)
        return crm_replay(before);

    struct document document = read_document(crm, in);
    crm->call_ms = edge_env(ctx, "CRM_TIMEOUT_MS") != NULL ? crm->call_ms : UPLOAD_MS;
    edge_reply *reply = skyslope_file_call(
        sky, guid, &kind, "/documents", .method = "POST", .json = encode(ctx, in, &document));
    json_t *id = document_id(crm_json(crm, reply));
    if (id == NULL)
        crm_fail(crm, crm_unusable(crm, "SkySlope named no document"));

    json_t *data = json_pack("{s:o, s:s, s:s, s:s, s:I, s:O}", "documentId", id, "transactionId", guid,
        "fileType", kind->name, "fileName", document.name, "size", (json_int_t)document.length, "documentType",
        json_object_get(in, "documentType"));
    json_t *answer = crm_answer(data, "Document uploaded to SkySlope successfully");
    if (item != NULL)
        attach(sky, kind, guid, item, data);
    crm_done(crm, data);
    return answer;
}

EDGE_FUNCTION(uploadSkySlopeDocumentTool,
    .summary = "Puts a document into a SkySlope file",
    .input = input,
    .output = output,
    .handle = upload_document,
    .check = check,
    .shape = &crm_shape,
    .trims = true);
