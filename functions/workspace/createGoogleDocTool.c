/*
 * createGoogleDocTool: makes a Google Doc, puts text into it and moves it to a folder.
 *
 * Three round trips to the database: the connection, the log's row, how it ended.
 *
 * Google: https://developers.google.com/workspace/docs/api/reference/rest/v1/documents (create, batchUpdate).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/field.h"
#include "lib/google_file.h"
#include "lib/idempotency.h"
#include "lib/text.h"
#include "lib/tool.h"
#include "lib/tool_failure.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose document; required under the service key" },
    { "title", EDGE_TEXT, .min = 1, .max = 300, .required = true, .help = "The document's title" },
    { "content", EDGE_TEXT, .min = 0, .max = 500000, .help = "Text to put into it" },
    { "folderId", EDGE_TEXT, .help = "Drive folder to move it to" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second document" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "documentId", EDGE_TEXT, .required = true, .help = "Google's id" },
    { "title", EDGE_TEXT, .required = true, .help = "As asked for" },
    { "url", EDGE_URL, .required = true, .help = "Where to edit it" },
    TOOL_MESSAGE_FIELD,
    { "contentInserted", EDGE_BOOL, .required = true, .help = "Whether there was text to put into it" },
    GOOGLE_MOVE_FIELDS,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* Every line ends with a line feed, and of the control characters only it and the tab stay. */
static json_t *plain_text(edge_ctx *ctx, const char *text)
{
    char *plain = edge_copy(ctx, text), *end = plain;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '\r' && c[1] != '\n')
            *end++ = '\n';
        if (*c >= 0x20 || *c == '\n' || *c == '\t')
            *end++ = (char)*c;
    }
    *end = '\0';
    return json_string(plain);
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "title"))
        return field_trimmed(ctx, value);
    if (field_is(field, "content"))
        return plain_text(ctx, json_string_value(field_untrimmed(ctx, field, value)));
    return field_is(field, "folderId") ? google_file_check_id(ctx, field, value) : value;
}

static const char *create_document(struct tool *tool, const char *title)
{
    json_t *document = tool_call(tool, .provider = "google_docs", .method = "POST", .path = "/v1/documents",
        .what = "Creating the document", .json = json_pack("{s:s}", "title", title), .id = "documentId");
    return edge_json_text(document, "documentId");
}

static const struct tool_failure *insert_text(struct tool *tool, const char *id, const char *text)
{
    edge_ctx *ctx = tool->ctx;
    return tool_try_call(tool, .provider = "google_docs", .method = "POST", .what = "Inserting the text",
        .path = edge_format(ctx, "/v1/documents/%s:batchUpdate", edge_url_encode(ctx, id)),
        .json = json_pack(
            "{s:[{s:{s:{s:i}, s:s}}]}", "requests", "insertText", "location", "index", 1, "text", text))
        .failure;
}

/* The empty document is there, so whoever asked has to be able to find it. */
EDGE_NORETURN static void fail_without_content(
    struct tool *tool, const struct tool_failure *cause, const char *id, const char *title)
{
    edge_ctx *ctx = tool->ctx;
    struct tool_failure *failure = tool_failure_new(ctx, 502, "content_not_inserted",
        edge_format(ctx, "The document was created, but it is empty. %s", cause->said.message),
        "Open the document and paste the text, or delete it and try again.");
    failure->said.extra = cause->said.extra;
    failure->refused = cause->refused;
    tool->extra = json_pack("{s:{s:s, s:s, s:s}}", "data", "documentId", id, "title", title, "url", tool->url);
    tool_fail(tool, failure);
}

static json_t *create_google_doc(edge_ctx *ctx, json_t *in)
{
    const char *title = edge_json_text(in, "title"), *content = edge_json_text(in, "content");
    const char *folder_id = edge_json_text(in, "folderId"), *key = idempotency_key(ctx, in);
    bool has_content = content != NULL && content[0] != '\0';

    struct tool *tool = tool_begin(ctx, "google_workspace");
    json_t *summary = json_pack("{s:s, s:I, s:s?}", "title", title, "contentLength",
        (json_int_t)(has_content ? text_characters(content) : 0), "folderId", folder_id);
    json_t *done = tool_log(tool, &(const struct tool_work){ "createGoogleDoc", key, input, in, summary });
    if (done != NULL)
        return tool_answer(done);

    const char *id = create_document(tool, title);
    tool->url = edge_format(ctx, "https://docs.google.com/document/d/%s/edit", id);
    struct google_move move = { .tool = tool, .file_id = id, .folder_id = folder_id };
    edge_task *moving = edge_spawn(ctx, google_move_run, &move);
    const struct tool_failure *not_inserted = has_content ? insert_text(tool, id, content) : NULL;
    edge_await(ctx, moving);
    if (not_inserted != NULL)
        fail_without_content(tool, not_inserted, id, title);

    json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:b}", "documentId", id, "title", title, "url", tool->url,
        "message", edge_format(ctx, "Created the document \"%s\"", title), "contentInserted", has_content);
    google_move_tell(&move, data);
    return tool_succeed(tool, data, tool->url);
}

EDGE_FUNCTION(createGoogleDocTool,
    .summary = "Creates a Google Doc, optionally filled with text",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = create_google_doc);
