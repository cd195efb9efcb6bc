/*
 * getSkySlopeChecklistItemsTool: the checklist of a SkySlope file, and which documents it still needs.
 *
 * One round trip for the connection; one or two calls to SkySlope, and a login when there is no session yet.
 *
 * SkySlope: https://api.skyslope.com/docs (Files).
 */
#include <edge/edge.h>

#include <strings.h>

#include "lib/crm.h"
#include "lib/skyslope.h"
#include "lib/text.h"

static const edge_field input[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "GUID of the file" },
    { "fileType", EDGE_ENUM, .values = skyslope_kinds,
        .help = "sale or listing; found out when it is not said" },
    { "onlyMissing", EDGE_BOOL, .fallback = "false", .help = "Only what is required and has no document" },
    { "userId", EDGE_USER, .help = "Whose SkySlope; required under the service key" },
    { 0 },
};

static const edge_field document_fields[] = {
    { "id", EDGE_JSON, .help = "The document there" },
    { "name", EDGE_TEXT, .help = "As it is called there" },
    { 0 },
};
static const edge_field one_document = { .type = EDGE_OBJECT, .fields = document_fields };
static const edge_field checklist_fields[] = {
    { "id", EDGE_JSON, .help = "The activity there" },
    { "name", EDGE_TEXT, .help = "As it is called there" },
    { "type", EDGE_TEXT, .help = "Kind of activity" },
    { "status", EDGE_JSON, .help = "As SkySlope has it" },
    { "required", EDGE_BOOL, .required = true, .help = "Whether it has to be there" },
    { "documentCount", EDGE_INT, .required = true, .help = "How many documents it has" },
    { "documents", EDGE_ARRAY, .items = &one_document, .required = true, .help = "They" },
    { "missing", EDGE_BOOL, .required = true, .help = "Required, and without a document" },
    { 0 },
};
static const edge_field checklist_item = { .type = EDGE_OBJECT, .fields = checklist_fields };
static const edge_field summary_fields[] = {
    { "total", EDGE_INT, .required = true, .help = "Items" },
    { "required", EDGE_INT, .required = true, .help = "That have to be there" },
    { "missing", EDGE_INT, .required = true, .help = "Of these, without a document" },
    { 0 },
};
static const edge_field data_fields[] = {
    { "checklistItems", EDGE_ARRAY, .items = &checklist_item, .required = true, .help = "In SkySlope's order" },
    { "summary", EDGE_OBJECT, .fields = summary_fields, .required = true, .help = "How many of them" },
    { "transactionId", EDGE_TEXT, .required = true, .help = "GUID of the file" },
    SKYSLOPE_KIND_FIELD,
    TOOL_MESSAGE_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static json_t *documents_of(const json_t *activity)
{
    json_t *documents = json_array(), *document;
    size_t i;
    json_array_foreach(json_object_get(activity, "checklistDocs"), i, document)
    {
        json_t *name = json_object_get(document, "name");
        if (name == NULL || json_is_null(name))
            name = json_object_get(document, "fileName");
        json_array_append_new(
            documents, json_pack("{s:O?, s:O?}", "id", json_object_get(document, "id"), "name", name));
    }
    return documents;
}

static json_t *item_of(edge_ctx *ctx, const json_t *activity)
{
    const char *name = edge_json_text(activity, "activityName"), *status = edge_json_text(activity, "status");
    json_t *documents = documents_of(activity);
    size_t count = json_array_size(documents);
    bool required = status != NULL && strcasecmp(status, "Required") == 0;
    return json_pack("{s:O?, s:s?, s:O?, s:O?, s:b, s:I, s:o, s:b}", "id",
        json_object_get(activity, "activityId"), "name", name != NULL ? text_trim(ctx, name) : NULL, "type",
        json_object_get(activity, "typeName"), "status", json_object_get(activity, "status"), "required",
        required, "documentCount", (json_int_t)count, "documents", documents, "missing",
        required && count == 0);
}

static json_t *get_checklist(edge_ctx *ctx, json_t *in)
{
    const char *guid = edge_json_text(in, "transactionId");
    bool only_missing = edge_json_bool(in, "onlyMissing", false);
    struct skyslope *sky = skyslope_open(ctx, "Failed to fetch checklist");
    const struct skyslope_kind *kind = skyslope_kind_named(edge_json_text(in, "fileType"));
    json_t *file = skyslope_file(sky, guid, &kind);

    json_t *items = json_array(), *activity;
    size_t i, total = 0, required = 0, missing = 0;
    json_array_foreach(edge_json_path(file, "checklist.activities"), i, activity)
    {
        json_t *item = item_of(ctx, activity);
        bool is_missing = edge_json_bool(item, "missing", false);
        total++;
        required += edge_json_bool(item, "required", false);
        missing += is_missing;
        if (is_missing || !only_missing)
            json_array_append_new(items, item);
    }
    json_t *data = json_pack("{s:o, s:{s:I, s:I, s:I}, s:s, s:s}", "checklistItems", items, "summary", "total",
        (json_int_t)total, "required", (json_int_t)required, "missing", (json_int_t)missing, "transactionId",
        guid, "fileType", kind->name);
    json_t *answer = crm_answer(data, "Checklist items retrieved successfully");
    crm_done(sky->crm, data);
    return answer;
}

EDGE_FUNCTION(getSkySlopeChecklistItemsTool,
    .summary = "Lists the checklist of a SkySlope file and what is missing",
    .input = input,
    .output = output,
    .handle = get_checklist,
    .shape = &crm_shape,
    .trims = true);
