/*
 * response_kinds: answers that are said with calls: cookies, ready JSON, many bytes, statuses and headers.
 */
#include <edge/edge.h>

#include <string.h>

static const edge_field cookie_fields[] = {
    { "name", EDGE_TEXT, .required = true },
    { "value", EDGE_TEXT, .fallback = "" },
    { "path", EDGE_TEXT },
    { "domain", EDGE_TEXT },
    { "sameSite", EDGE_TEXT },
    { "maxAge", EDGE_INT, .fallback = "0" },
    { "insecure", EDGE_BOOL, .fallback = "false" },
    { "scripts", EDGE_BOOL, .fallback = "false" },
    { 0 },
};
static const edge_field cookie = { "", EDGE_OBJECT, .fields = cookie_fields };
static const edge_field input[] = {
    { "cookies", EDGE_ARRAY, .items = &cookie, .min = 0, .max = 10 },
    { "json", EDGE_TEXT, .help = "Answered as it is" },
    { "bytes", EDGE_INT, .min = 0, .max = 100000000, .help = "So many bytes are answered" },
    { "status", EDGE_INT },
    { 0 },
};

static void set_cookie(edge_ctx *ctx, const json_t *wanted)
{
    edge_response_cookie(ctx, edge_json_text(wanted, "name"), edge_json_text(wanted, "value"),
        .path = edge_json_text(wanted, "path"), .domain = edge_json_text(wanted, "domain"),
        .same_site = edge_json_text(wanted, "sameSite"), .max_age_seconds = edge_json_int(wanted, "maxAge", 0),
        .insecure = edge_json_bool(wanted, "insecure", false),
        .readable_by_scripts = edge_json_bool(wanted, "scripts", false));
}

static json_t *response_kinds(edge_ctx *ctx, json_t *in)
{
    const json_t *cookies = json_object_get(in, "cookies");
    for (size_t i = 0; i < json_array_size(cookies); i++)
        set_cookie(ctx, json_array_get(cookies, i));
    int status = (int)edge_json_int(in, "status", 0);
    if (status != 0)
        edge_response_status(ctx, status);

    const char *json = edge_json_text(in, "json");
    int64_t bytes = edge_json_int(in, "bytes", -1);
    if (json == NULL && bytes < 0)
        return json_object();
    if (json != NULL) {
        edge_respond_json(ctx, json, strcmp(json, "empty") == 0 ? 0 : strlen(json));
        return NULL;
    }
    char *data = edge_alloc(ctx, (size_t)bytes + 1);
    for (int64_t i = 0; i < bytes; i++)
        data[i] = (char)(i % 251);
    edge_respond_bytes(ctx, "application/octet-stream", data, (size_t)bytes);
    return NULL;
}

EDGE_FUNCTION(response_kinds,
    .summary = "Answers in other ways than by returning JSON",
    .input = input,
    .handle = response_kinds);
