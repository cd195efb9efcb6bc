/*
 * getSkySlopeTransactionDetailsTool: one SkySlope file, a sale or a listing, whole or some of its keys.
 *
 * One round trip for the connection; one or two calls to SkySlope, and a login when there is no session yet.
 *
 * SkySlope: https://api.skyslope.com/docs (Files).
 */
#include <edge/edge.h>

#include "lib/crm.h"
#include "lib/skyslope.h"

static const edge_field field_name = { "", EDGE_TEXT, .min = 1, .max = 100 };

static const edge_field input[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "GUID of the file" },
    { "fileType", EDGE_ENUM, .values = skyslope_kinds,
        .help = "sale or listing; found out when it is not said" },
    { "fields", EDGE_ARRAY, .min = 0, .max = 30, .items = &field_name, .help = "Only these keys of the file" },
    { "userId", EDGE_USER, .help = "Whose SkySlope; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "transaction", EDGE_OBJECT, .required = true, .help = "As SkySlope has it, or the fields asked for" },
    SKYSLOPE_KIND_FIELD,
    TOOL_MESSAGE_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* Spares the model's context: files are long. */
static json_t *only(json_t *file, const json_t *fields)
{
    if (fields == NULL)
        return json_incref(file);
    json_t *some = json_object(), *name;
    size_t i;
    json_array_foreach(fields, i, name)
    {
        json_t *value = json_object_get(file, json_string_value(name));
        if (value != NULL)
            json_object_set(some, json_string_value(name), value);
    }
    return some;
}

static json_t *get_details(edge_ctx *ctx, json_t *in)
{
    const char *guid = edge_json_text(in, "transactionId");
    struct skyslope *sky = skyslope_open(ctx, "Failed to fetch transaction");
    const struct skyslope_kind *kind = skyslope_kind_named(edge_json_text(in, "fileType"));
    json_t *file = skyslope_file(sky, guid, &kind);

    json_t *data = json_pack(
        "{s:o, s:s}", "transaction", only(file, json_object_get(in, "fields")), "fileType", kind->name);
    json_t *answer = crm_answer(data, "Transaction details retrieved successfully");
    crm_done(sky->crm, data);
    return answer;
}

EDGE_FUNCTION(getSkySlopeTransactionDetailsTool,
    .summary = "Fetches one SkySlope file",
    .input = input,
    .output = output,
    .handle = get_details,
    .shape = &crm_shape,
    .trims = true);
