/*
 * bulkImportData: a CSV file into one entity, as JSON, as the body itself, or as a part of a form; by
 * lib/import, in memory that does not grow with the file, all in one transaction.
 *
 * Four round trips and the COPY, one more for who may, one for the owner's profile.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/entity.h"
#include "lib/import.h"
#include "lib/import_stream.h"

enum {
    JSON_BODY_MAX = 16 * 1024 * 1024
};

static const char *const modes[] = { "upsert", "insert", NULL };
static const char *const on_error[] = { "skip", "abort", NULL };

/* The body may be the file itself, so the host cannot check it by a table; the fields are the same in each
 * form. */
static const edge_field first_fields[] = {
    { "entityType", EDGE_TEXT, .required = true, .help = "Name of the entity or its table" },
    { 0 },
};

static const edge_field more_fields[] = {
    { "columnMapping", EDGE_OBJECT, .help = "Header of the file -> column" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "Says what would happen, and writes nothing" },
    { "mode", EDGE_ENUM, .values = modes, .fallback = "upsert", .help = "insert: an existing key is an error" },
    { "onError", EDGE_ENUM, .values = on_error, .fallback = "skip", .help = "abort: one bad row undoes all" },
    { "targetUserId", EDGE_TEXT, .min = 1, .max = 255, .help = "Administrators: whose rows they become" },
    { 0 },
};

static const edge_field error_fields[] = {
    { "line", EDGE_INT, .required = true, .help = "Of the file, from 1" },
    { "row", EDGE_INT, .required = true, .help = "Of the data, from 1" },
    { "column", EDGE_TEXT, .help = "null: the row as a whole" },
    { "code", EDGE_TEXT, .required = true, .help = "Kind of mistake" },
    { "error", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { "batch", EDGE_INT, .required = true, .help = "Rows are written in batches; which one" },
    { "rows", EDGE_TEXT, .required = true, .help = "The line, as text" },
    { 0 },
};
static const edge_field error_item = { .type = EDGE_OBJECT, .fields = error_fields };
static const edge_field header_item = { .type = EDGE_TEXT };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "dryRun", EDGE_BOOL, .required = true, .help = "true: nothing was written" },
    { "total", EDGE_INT, .required = true, .help = "Rows of the file" },
    { "imported", EDGE_INT, .required = true, .help = "New rows" },
    { "updated", EDGE_INT, .required = true, .help = "Rows that were there" },
    { "skipped", EDGE_INT, .required = true, .help = "Rows that were not written" },
    { "errorCount", EDGE_INT, .required = true, .help = "Mistakes found" },
    { "errors", EDGE_ARRAY, .items = &error_item, .required = true, .help = "The first 1,000" },
    { "errorsTruncated", EDGE_BOOL, .required = true, .help = "Whether there were more" },
    { "ignoredColumns", EDGE_ARRAY, .items = &header_item, .required = true,
        .help = "Headers without a column" },
    { "durationMs", EDGE_INT, .required = true, .help = "How long it took" },
    { 0 },
};

struct upload {
    json_t *options;
    const void *data;
    size_t length;
};

/* Options as text, each as the JSON that the body would have had. */
static json_t *query_options(edge_ctx *ctx)
{
    json_t *options = json_object();
    for (const edge_header *query = edge_request_queries(ctx); query->name != NULL; query++) {
        bool json = strcmp(query->name, "columnMapping") == 0 || strcmp(query->name, "dryRun") == 0;
        json_t *value = json ? edge_json_parse(ctx, query->value, strlen(query->value)) : NULL;
        if (json_object_get(options, query->name) == NULL)
            json_object_set_new(options, query->name, value != NULL ? value : json_string(query->value));
    }
    return options;
}

static struct upload read_form(edge_ctx *ctx)
{
    const edge_part *options = edge_request_part(ctx, "options"), *file = edge_request_part(ctx, "file");
    struct upload upload = { .options = json_object() };
    if (options != NULL)
        upload.options = edge_json_parse(ctx, edge_part_text(ctx, options), options->length);
    if (!json_is_object(upload.options))
        edge_fail(ctx, 400, "invalid_json", "The part \"options\" must be a JSON object");
    if (file == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = "file", .message = "file is required");
    upload.data = file->data;
    upload.length = file->length;
    return upload;
}

static struct upload read_json(edge_ctx *ctx, const char *body, size_t length)
{
    if (length > JSON_BODY_MAX)
        edge_fail(ctx, 413, "body_too_large", "A JSON body has at most 16 MiB; send the file as text/csv");
    struct upload upload = { .options = length > 0 ? edge_json_parse(ctx, body, length) : json_object() };
    if (!json_is_object(upload.options))
        edge_fail(ctx, 400, "invalid_json", "The body must be a JSON object");
    return upload;
}

static struct upload read_upload(edge_ctx *ctx)
{
    size_t length = 0;
    const char *type = edge_request_header(ctx, "content-type");
    if (edge_request_has_parts(ctx))
        return read_form(ctx);
    const char *body = edge_request_body(ctx, &length);
    if (type != NULL && strncasecmp(type, "text/csv", 8) == 0)
        return (struct upload){ query_options(ctx), body, length };
    return read_json(ctx, body, length);
}

static void require_text(edge_ctx *ctx, struct upload *upload)
{
    const json_t *text = json_object_get(upload->options, "csvData");
    if (upload->data != NULL)
        return;
    if (!json_is_string(text))
        edge_fail_with(ctx, 400, "invalid_input", .field = "csvData", .message = "csvData must be a string");
    upload->data = json_string_value(text);
    upload->length = json_string_length(text);
}

/* The host looks for it in bodies that it reads itself. */
static void check_user(edge_ctx *ctx, const json_t *options)
{
    const char *user = edge_json_text(options, "userId");
    if (user != NULL && strcmp(user, edge_auth_user(ctx)) != 0)
        edge_fail_with(ctx, 403, "user_mismatch", .message = "userId is another user; see targetUserId");
}

static void check_mapping(edge_ctx *ctx, const json_t *mapping)
{
    const char *header;
    json_t *column;
    json_object_foreach((json_t *)mapping, header, column)
    {
        if (!json_is_string(column))
            entity_bad_input(ctx, edge_format(ctx, "columnMapping.%s", header), "must be a string");
    }
}

/* A tab is white space, which a table would take for nothing. */
static char read_separator(edge_ctx *ctx, const json_t *options)
{
    const json_t *value = json_object_get(options, "delimiter");
    const char *text = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return ',';
    if (text == NULL || strlen(text) != 1 || strchr(",;\t", text[0]) == NULL)
        entity_bad_input(ctx, "delimiter", "must be a comma, a semicolon or a tab");
    return text[0];
}

static const struct entity *find_entity(edge_ctx *ctx, const char *name, bool *for_admins)
{
    const struct entity *entity = entity_find(name);
    if (entity == NULL || !import_allows(entity, for_admins))
        edge_fail(ctx, 403, "entity_not_allowed", "\"%s\" is no entity that can be imported", name);
    return entity;
}

static void require_profile(edge_ctx *ctx, bool service, const char *user)
{
    static const char look_up[] = "SELECT id FROM profiles WHERE id = $1";
    edge_rows *profile =
        service ? edge_service_query(ctx, look_up, edge_text(user)) : edge_query(ctx, look_up, edge_text(user));
    if (edge_rows_count(profile) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
}

/* Palettes and voices that are imported are for everybody. */
static bool is_shared(const struct entity *entity)
{
    return strcmp(entity->table, "agent_voices") == 0 || strcmp(entity->table, "brand_color_palettes") == 0;
}

static const char *find_owner(edge_ctx *ctx, const struct entity *entity, bool service, const char *target)
{
    if (entity->owner == NULL || strcmp(entity->owner, "id") == 0 || is_shared(entity))
        return NULL;
    const char *owner = target != NULL ? target : edge_auth_user(ctx);
    require_profile(ctx, service, owner);
    return owner;
}

static json_t *counters(const struct import_job *job, const struct import_result *result, int64_t began_at)
{
    bool truncated = (size_t)result->error_count > json_array_size(result->errors);
    return json_pack("{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:O, s:b, s:O, s:I}", "success", result->code == NULL,
        "dryRun", job->dry_run, "total", (json_int_t)result->total, "imported", (json_int_t)result->imported,
        "updated", (json_int_t)result->updated, "skipped", (json_int_t)result->skipped, "errorCount",
        (json_int_t)result->error_count, "errors", result->errors, "errorsTruncated", truncated,
        "ignoredColumns", result->ignored_columns, "durationMs",
        (json_int_t)((edge_now_exact() - began_at) / 1000));
}

/* Members of an error answer: of an aborted import its counts, else what the file's mistake names. */
static json_t *failure_members(
    const struct import_job *job, const struct import_result *result, int64_t began_at)
{
    if (strcmp(result->code, "import_aborted") == 0)
        return counters(job, result, began_at);
    return result->extra != NULL ? result->extra : json_object();
}

static json_t *answer(
    edge_ctx *ctx, const struct import_job *job, const struct import_result *result, int64_t began_at)
{
    if (result->code == NULL && job->progress == NULL)
        return counters(job, result, began_at);
    if (job->progress == NULL)
        edge_fail_with(ctx, result->status, result->code, .message = result->message,
            .extra = failure_members(job, result, began_at));

    json_t *line = result->code == NULL
                       ? json_pack("{s:s}", "type", "result")
                       : json_pack("{s:s, s:i, s:s, s:s, s:s}", "type", "error", "status", result->status,
                             "error", result->message, "code", result->code, "requestId", edge_request_id(ctx));
    json_object_update(
        line, result->code == NULL ? counters(job, result, began_at) : failure_members(job, result, began_at));
    import_send_line(ctx, line);
    return NULL;
}

static json_t *bulk_import_data(edge_ctx *ctx, json_t *in)
{
    (void)in;
    int64_t began_at = edge_now_exact();
    struct upload upload = read_upload(ctx);
    json_t *options = upload.options;
    check_user(ctx, options);
    edge_input_check(ctx, "", first_fields, options);
    require_text(ctx, &upload);
    edge_input_check(ctx, "", more_fields, options);
    check_mapping(ctx, json_object_get(options, "columnMapping"));
    char separator = read_separator(ctx, options);

    bool for_admins = false;
    const struct entity *entity = find_entity(ctx, edge_json_text(options, "entityType"), &for_admins);
    const char *target = edge_json_text(options, "targetUserId");
    bool service = for_admins || target != NULL;
    if (service)
        edge_require_role(ctx, "admin");

    struct import_job job = {
        .entity = entity,
        .owner = find_owner(ctx, entity, service, target),
        .owned_by_system = is_shared(entity),
        .service = service,
        .insert_only = strcmp(edge_json_text(options, "mode"), "insert") == 0,
        .abort_on_error = strcmp(edge_json_text(options, "onError"), "abort") == 0,
        .dry_run = edge_json_bool(options, "dryRun", false),
        .mapping = json_object_get(options, "columnMapping"),
        .separator = separator,
        .data = upload.data,
        .length = upload.length,
        .progress = import_wants_lines(ctx) ? import_send_progress : NULL,
    };
    struct import_result result = import_run(ctx, &job);
    return answer(ctx, &job, &result, began_at);
}

EDGE_FUNCTION(bulkImportData,
    .summary = "Imports a CSV file into one entity",
    .output = output,
    .handle = bulk_import_data,
    .raw_body = true,
    .streams = true,
    .consumes = "application/json text/csv multipart/form-data",
    .produces = "application/json application/x-ndjson");
