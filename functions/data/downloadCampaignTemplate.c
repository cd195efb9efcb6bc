/*
 * downloadCampaignTemplate: the CSV that a calling campaign's contacts are filled into: the address of the one
 * that an administrator has activated, or the built-in file. One round trip; none for the file itself.
 */
#include <edge/edge.h>

#include <string.h>

static const char *const formats[] = { "json", "csv", NULL };

/* A GET has its parameters in the query, so the body is read here. */
static const edge_field input[] = {
    { "format", EDGE_ENUM, .values = formats, .fallback = "json",
        .help = "json, or csv for the built-in file" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "downloadUrl", EDGE_URL, .help = "Where the newest template is" },
    { "fallbackContent", EDGE_TEXT, .help = "Without one: the built-in file, CSV" },
    { "fileName", EDGE_TEXT, .required = true, .help = "What to save it as" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { 0 },
};

#define FILE_NAME "PULSE_campaign_template.csv"

/* The headings are the keys that the campaign sender reads. */
static const char built_in[] =
    "name,phone,email,address,lead_source,status,notes\r\n"
    "Alex Rivera,+12025550101,alex@example.com,12 Oak Lane,open_house,Lead,Wants a three bedroom home\r\n"
    "Sam Patel,+12025550102,sam@example.com,,referral,Prospect,Thinking of selling in spring\r\n"
    "Jordan Lee,+12025550103,jordan@example.com,48 Lake Road,sphere,Client,Under contract\r\n";

static json_t *respond_file(edge_ctx *ctx)
{
    edge_response_header(ctx, "content-disposition", "attachment; filename=\"" FILE_NAME "\"");
    edge_respond_bytes(ctx, "text/csv; charset=utf-8", built_in, sizeof built_in - 1);
    return NULL;
}

static bool wants_file(edge_ctx *ctx, json_t *in)
{
    const char *query = edge_request_query(ctx, "format");
    if (query != NULL && strcmp(query, "json") != 0 && strcmp(query, "csv") != 0)
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "format", .message = "format must be one of json, csv");
    return strcmp(query != NULL ? query : edge_json_text(in, "format"), "csv") == 0;
}

static json_t *download_campaign_template(edge_ctx *ctx, json_t *in)
{
    if (wants_file(ctx, in))
        return respond_file(ctx);

    /* The newest active one decides, also when it has no address that a browser could open. */
    edge_rows *newest =
        edge_query(ctx, "SELECT file_name, file_uri, starts_with(file_uri, 'https://') AS linked"
                        " FROM campaign_templates"
                        " WHERE is_active"
                        " ORDER BY updated_at DESC NULLS LAST, id DESC"
                        " LIMIT 1");

    static const char done[] = "Template generated successfully";
    if (edge_rows_count(newest) > 0 && edge_rows_bool(newest, 0, "linked"))
        return json_pack("{s:b, s:s, s:s, s:s}", "success", 1, "downloadUrl",
            edge_rows_text(newest, 0, "file_uri"), "fileName", edge_rows_text(newest, 0, "file_name"),
            "message", done);
    return json_pack("{s:b, s:s, s:s, s:s}", "success", 1, "fallbackContent", built_in, "fileName", FILE_NAME,
        "message", done);
}

EDGE_FUNCTION(downloadCampaignTemplate,
    .summary = "The CSV template of a calling campaign's contact list",
    .input = input,
    .output = output,
    .handle = download_campaign_template,
    .methods = "POST GET",
    .produces = "application/json text/csv");
