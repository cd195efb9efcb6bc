/*
 * importPlatformData: the platform's starter content, from files that are shipped or sent along. Each data set
 * is a transaction of its own; ids are made of what a row is known by, so a second run changes nothing.
 *
 * A round trip for the role, one for the system profile, then for each data set what an import takes
 * (lib/import).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/entity.h"
#include "lib/import.h"
#include "lib/import_stream.h"

enum {
    JSON_BODY_MAX = 16 * 1024 * 1024,
    ERRORS_SHOWN = 100,
};

#define SEED_DIRECTORY "sql/seed/platform"

static const char *const modes[] = { "merge", "replace", NULL };
static const char *const names[] = { "task_templates", "client_personas", "agent_voices", "call_logs",
    "featured_content_packs", NULL };

static const edge_field dataset_field = { "", EDGE_ENUM, .values = names };

static const edge_field fields[] = {
    { "datasets", EDGE_ARRAY, .min = 0, .max = 5, .items = &dataset_field,
        .help = "Which ones; all when left out" },
    { "files", EDGE_OBJECT, .help = "Data set -> CSV text, instead of the seed file" },
    { "mode", EDGE_ENUM, .values = modes, .fallback = "merge", .help = "replace: what is there goes first" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "Says what would happen, and writes nothing" },
    { 0 },
};

static const edge_field error_item = { .type = EDGE_TEXT };
static const edge_field result_fields[] = {
    { "success", EDGE_BOOL, .required = true, .help = "false: the whole file was refused" },
    { "imported", EDGE_INT, .required = true, .help = "New rows" },
    { "updated", EDGE_INT, .required = true, .help = "Rows that were there" },
    { "skipped", EDGE_INT, .required = true, .help = "Rows that were not written" },
    { "errorCount", EDGE_INT, .required = true, .help = "Mistakes found" },
    { "errors", EDGE_ARRAY, .items = &error_item, .required = true, .help = "Sentences, the first 100" },
    { 0 },
};

#define RESULT(dataset)                                                                                        \
    {                                                                                                          \
        dataset, EDGE_OBJECT, .fields = result_fields, .help = "When it was imported"                          \
    }
static const edge_field results_fields[] = {
    RESULT("task_templates"),
    RESULT("client_personas"),
    RESULT("agent_voices"),
    RESULT("call_logs"),
    RESULT("featured_content_packs"),
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true, whatever became of the data sets" },
    { "dryRun", EDGE_BOOL, .required = true, .help = "true: nothing was written" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { "results", EDGE_OBJECT, .fields = results_fields, .required = true, .help = "By data set" },
    { "totalImported", EDGE_INT, .required = true, .help = "Rows that are new or were there" },
    { "totalErrors", EDGE_INT, .required = true, .help = "Mistakes found" },
    { 0 },
};

/* What the files call a column, where its name alone does not say; then what an empty cell means. */
static const char *const template_headers[][2] = { { NULL } };
static const char *const template_defaults[][2] = { { "priority", "'medium'" }, { "is_active", "true" },
    { NULL } };
static const char *const persona_headers[][2] = { { "personality", "personality_traits" }, { NULL } };
static const char *const persona_defaults[][2] = { { "is_active", "true" }, { NULL } };
static const char *const voice_headers[][2] = { { "name", "voice_name" },
    { "previewAudioUrl", "voice_settings" }, { "isActive", "voice_settings" }, { NULL } };
static const char *const voice_constants[][2] = { { "is_default", "false" }, { NULL } };
static const char *const call_headers[][2] = { { "contactPhone", "phone_number" }, { NULL } };
static const char *const pack_headers[][2] = { { "thumbnailUrl", "icon" }, { NULL } };
static const char *const pack_constants[][2] = { { "category", "'marketing'" }, { NULL } };
static const char *const pack_defaults[][2] = { { "sort_order", "0" }, { "is_active", "true" }, { NULL } };

static const char *const template_key[] = { "title", "trigger_type", "trigger_value", NULL };
static const char *const voice_key[] = { "voice_id", NULL };
static const char *const call_key[] = { "conversation_id", "contact_phone", "created_date", NULL };
static const char *const pack_key[] = { "title", NULL };

static const char *const voice_required[] = { "voice_name", "voice_id", NULL };

static const struct import_dataset datasets[] = {
    { .name = "task_templates",
        .key_headers = template_key,
        .mapping = template_headers,
        .defaults = template_defaults },
    { .name = "client_personas", .mapping = persona_headers, .defaults = persona_defaults },
    { .name = "agent_voices",
        .key_headers = voice_key,
        .mapping = voice_headers,
        .constants = voice_constants,
        .required = voice_required },
    { .name = "call_logs", .key_headers = call_key, .mapping = call_headers, .owner_header = "user_email" },
    { .name = "featured_content_packs",
        .key_headers = pack_key,
        .mapping = pack_headers,
        .constants = pack_constants,
        .defaults = pack_defaults,
        .items_column = "content_items" },
};

/* Whole request, whichever form it came in. */
struct request {
    json_t *options;
    bool form, lines, replace, dry_run;
    int64_t imported, errors;
    json_t *results;
};

static void check_files(edge_ctx *ctx, const json_t *files)
{
    const char *name;
    json_t *text;
    json_object_foreach((json_t *)files, name, text)
    {
        bool known = false;
        for (size_t i = 0; names[i] != NULL; i++)
            known = known || strcmp(names[i], name) == 0;
        if (!known || !json_is_string(text))
            entity_bad_input(
                ctx, edge_format(ctx, "files.%s", name), known ? "must be a string" : "is no data set");
    }
}

static json_t *form_options(edge_ctx *ctx)
{
    const edge_part *part = edge_request_part(ctx, "options");
    json_t *options =
        part != NULL ? edge_json_parse(ctx, edge_part_text(ctx, part), part->length) : json_object();
    if (!json_is_object(options))
        edge_fail(ctx, 400, "invalid_json", "The part \"options\" must be a JSON object");
    json_object_del(options, "files");
    size_t count = 0;
    const edge_part *parts = edge_request_parts(ctx, &count);
    json_t *files = json_object();
    for (size_t i = 0; i < count; i++)
        if (strcmp(parts[i].name, "options") != 0)
            json_object_set_new(files, parts[i].name, json_string(""));
    check_files(ctx, files);
    if (count > 0 && json_object_size(files) > 0)
        json_object_set_new(options, "files", files);
    return options;
}

static json_t *body_options(edge_ctx *ctx)
{
    size_t length = 0;
    const char *body = edge_request_body(ctx, &length);
    if (length > JSON_BODY_MAX)
        edge_fail(ctx, 413, "body_too_large", "A JSON body has at most 16 MiB; send the files as a form");
    json_t *options = length > 0 ? edge_json_parse(ctx, body, length) : json_object();
    if (!json_is_object(options))
        edge_fail(ctx, 400, "invalid_json", "The body must be a JSON object");
    return options;
}

static struct request read_request(edge_ctx *ctx)
{
    struct request request = { .form = edge_request_has_parts(ctx), .results = json_object() };
    request.options = request.form ? form_options(ctx) : body_options(ctx);
    edge_input_check(ctx, "", fields, request.options);
    if (!request.form)
        check_files(ctx, json_object_get(request.options, "files"));
    request.lines = import_wants_lines(ctx);
    request.replace = strcmp(edge_json_text(request.options, "mode"), "replace") == 0;
    request.dry_run = edge_json_bool(request.options, "dryRun", false);
    return request;
}

/* Those that are named; else those that came with a file; else all. */
static bool is_wanted(const struct request *request, const char *name)
{
    const json_t *wanted = json_object_get(request->options, "datasets"),
                 *files = json_object_get(request->options, "files");
    size_t i;
    json_t *item;
    if (!json_is_array(wanted))
        return json_object_size(files) == 0 || json_object_get(files, name) != NULL;
    json_array_foreach(wanted, i, item)
    {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

/* The text of a data set; NULL when there is no such seed file. */
static const void *find_text(edge_ctx *ctx, const struct request *request, const char *name, size_t *length)
{
    const json_t *given = json_object_get(json_object_get(request->options, "files"), name);
    if (given != NULL && request->form) {
        const edge_part *part = edge_request_part(ctx, name);
        *length = part->length;
        return part->data;
    }
    if (given != NULL) {
        *length = json_string_length(given);
        return json_string_value(given);
    }
    const char *directory = edge_env(ctx, "PLATFORM_SEED_DIR");
    return edge_file_read(
        ctx, directory != NULL ? directory : SEED_DIRECTORY, edge_format(ctx, "%s.csv", name), length);
}

static json_t *failed(const char *message)
{
    return json_pack("{s:b, s:i, s:i, s:i, s:i, s:[s]}", "success", 0, "imported", 0, "updated", 0, "skipped",
        0, "errorCount", 1, "errors", message);
}

static json_t *result_of(edge_ctx *ctx, const struct import_result *result)
{
    if (result->code != NULL && edge_json_int(result->extra, "line", 0) > 0)
        return failed(edge_format(
            ctx, "line %lld: %s", (long long)edge_json_int(result->extra, "line", 0), result->message));
    if (result->code != NULL)
        return failed(result->message);

    json_t *errors = json_array(), *error;
    size_t i;
    json_array_foreach(result->errors, i, error)
    {
        if (i < ERRORS_SHOWN)
            json_array_append_new(errors, json_string(edge_format(ctx, "line %s: %s",
                                              edge_json_text(error, "rows"), edge_json_text(error, "error"))));
    }
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:o}", "success", 1, "imported", (json_int_t)result->imported,
        "updated", (json_int_t)result->updated, "skipped", (json_int_t)result->skipped, "errorCount",
        (json_int_t)result->error_count, "errors", errors);
}

static json_t *import_dataset(edge_ctx *ctx, struct request *request, const struct import_dataset *dataset)
{
    struct import_job job = {
        .entity = entity_find(dataset->name),
        .owned_by_system = entity_find(dataset->name)->owner != NULL,
        .service = true,
        .replace = request->replace,
        .dry_run = request->dry_run,
        .separator = ',',
        .dataset = dataset,
        .progress = request->lines ? import_send_progress : NULL,
        .arg = (void *)dataset->name,
    };
    job.data = find_text(ctx, request, dataset->name, &job.length);
    if (job.data == NULL)
        return failed("seed file not found");
    struct import_result result = import_run(ctx, &job);
    return result_of(ctx, &result);
}

static json_t *import_platform_data(edge_ctx *ctx, json_t *in)
{
    (void)in;
    struct request request = read_request(ctx);
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++) {
        if (!is_wanted(&request, datasets[i].name))
            continue;
        json_t *result = import_dataset(ctx, &request, &datasets[i]);
        request.imported += edge_json_int(result, "imported", 0) + edge_json_int(result, "updated", 0);
        request.errors += edge_json_int(result, "errorCount", 0);
        json_object_set_new(request.results, datasets[i].name, result);
    }

    json_t *answer = json_pack("{s:b, s:b, s:s, s:o, s:I, s:I}", "success", 1, "dryRun", request.dry_run,
        "message", edge_format(ctx, "Successfully imported %lld records", (long long)request.imported),
        "results", request.results, "totalImported", (json_int_t)request.imported, "totalErrors",
        (json_int_t)request.errors);
    if (!request.lines)
        return answer;
    json_object_set_new(answer, "type", json_string("result"));
    import_send_line(ctx, answer);
    return NULL;
}

EDGE_FUNCTION(importPlatformData,
    .summary = "Loads the platform's starter content",
    .output = output,
    .handle = import_platform_data,
    .raw_body = true,
    .streams = true,
    .consumes = "application/json multipart/form-data",
    .produces = "application/json application/x-ndjson");
