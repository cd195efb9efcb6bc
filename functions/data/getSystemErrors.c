/*
 * getSystemErrors: the administrators' error monitor, polled every half minute: lists errors, or marks some of
 * them as resolved. One round trip.
 */
#include <edge/edge.h>

#include <string.h>

static const char *const actions[] = { "list", "resolve", NULL };
static const char *const severities[] = { "all", "critical", "warning", "info", NULL };
static const edge_field error_id = { "", EDGE_UUID };

static const edge_field input[] = {
    { "action", EDGE_ENUM, .values = actions, .fallback = "list", .help = "list, or resolve the ids" },
    { "severity", EDGE_ENUM, .values = severities, .fallback = "all", .help = "list: only these" },
    { "resolved", EDGE_BOOL, .help = "list: only these; resolve: what they become, default true" },
    { "functionName", EDGE_TEXT, .max = 128, .help = "list: only of this function" },
    { "search", EDGE_TEXT, .max = 200, .help = "list: literal part of message or function name, in any case" },
    { "limit", EDGE_INT, .min = 1, .max = 500, .fallback = "200", .help = "list: how many at most" },
    { "offset", EDGE_INT, .min = 0, .max = 9007199254740991, .fallback = "0",
        .help = "list: how many to skip" },
    { "ids", EDGE_ARRAY, .min = 1, .max = 100, .items = &error_id, .help = "resolve: which" },
    { 0 },
};

static const char *const levels[] = { "critical", "warning", "info", NULL };
static const edge_field error_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The error" },
    { "severity", EDGE_ENUM, .values = levels, .required = true, .help = "How bad it is" },
    { "functionName", EDGE_TEXT, .required = true, .help = "Where it happened" },
    { "message", EDGE_TEXT, .required = true, .help = "What happened" },
    { "stackTrace", EDGE_TEXT, .help = "As it was reported" },
    { "userId", EDGE_TEXT, .help = "Whom it happened to last" },
    { "metadata", EDGE_TEXT, .required = true, .help = "JSON text of an object" },
    { "created_date", EDGE_DATETIME, .help = "First time" },
    { "last_occurrence_at", EDGE_DATETIME, .help = "Last time" },
    { "occurrenceCount", EDGE_INT, .required = true, .help = "How often" },
    { "resolved", EDGE_BOOL, .required = true, .help = "Whether it is dealt with" },
    { "resolved_at", EDGE_DATETIME, .help = "Since when" },
    { 0 },
};
static const edge_field error_item = { .type = EDGE_OBJECT, .fields = error_fields };
static const edge_field counts_fields[] = {
    { "critical", EDGE_INT, .required = true, .help = "Of this severity" },
    { "warning", EDGE_INT, .required = true, .help = "Of this severity" },
    { "info", EDGE_INT, .required = true, .help = "Of this severity" },
    { "unresolved", EDGE_INT, .required = true, .help = "All of them" },
    { 0 },
};

static const edge_field output[] = {
    { "errors", EDGE_ARRAY, .items = &error_item, .help = "list: a page, the latest first" },
    { "total", EDGE_INT, .help = "list: how many there are without paging" },
    { "counts", EDGE_OBJECT, .fields = counts_fields, .help = "list: what is not resolved" },
    { "success", EDGE_BOOL, .help = "resolve: true" },
    { "updated", EDGE_INT, .help = "resolve: how many were changed" },
    { 0 },
};

/* $1 severity, $2 resolved, $3 function, $4 search. */
#define FITS                                                                                                   \
    " FROM system_errors"                                                                                      \
    " WHERE ($1 = 'all' OR severity = $1)"                                                                     \
    " AND ($2::boolean IS NULL OR coalesce(resolved, false) = $2)"                                             \
    " AND ($3 IS NULL OR function_name = $3)"                                                                  \
    " AND ($4 IS NULL OR strpos(lower(message), lower($4)) > 0 OR strpos(lower(function_name), lower($4)) > "  \
    "0)"

static edge_arg truth(const json_t *value)
{
    return value != NULL ? edge_bool(json_is_true(value)) : edge_null();
}

static json_t *list(edge_ctx *ctx, json_t *in)
{
    edge_arg severity = edge_text(edge_json_text(in, "severity")),
             resolved = truth(json_object_get(in, "resolved")),
             function = edge_text(edge_json_text(in, "functionName")),
             search = edge_text(edge_json_text(in, "search"));
    edge_rows *rows[3];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL(
            "SELECT id, severity, function_name AS \"functionName\", message, stack_trace AS \"stackTrace\","
            " user_id AS \"userId\", coalesce(metadata, '{}')::text AS metadata, created_at AS created_date,"
            " last_occurrence_at, coalesce(occurrence_count, 1) AS \"occurrenceCount\","
            " coalesce(resolved, false) AS resolved, resolved_at" FITS
            " ORDER BY last_occurrence_at DESC, id DESC"
            " LIMIT $5 OFFSET $6",
            severity, resolved, function, search, edge_int(edge_json_int(in, "limit", 0)),
            edge_int(edge_json_int(in, "offset", 0))),
        EDGE_SQL("SELECT count(*) AS total" FITS, severity, resolved, function, search),
        EDGE_SQL("SELECT count(*) FILTER (WHERE severity = 'critical') AS critical,"
                 " count(*) FILTER (WHERE severity = 'warning') AS warning,"
                 " count(*) FILTER (WHERE severity = 'info') AS info, count(*) AS unresolved"
                 " FROM system_errors WHERE resolved IS NOT TRUE"));
    return json_pack("{s:o, s:o, s:o}", "errors", edge_rows_json(rows[0]), "total",
        edge_rows_value(rows[1], 0, "total"), "counts", edge_row_json(rows[2], 0));
}

static json_t *resolve(edge_ctx *ctx, json_t *in)
{
    const json_t *ids = json_object_get(in, "ids");
    if (ids == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .message = "ids is required", .field = "ids");
    edge_rows *updated = edge_service_query(ctx,
        "UPDATE system_errors"
        " SET resolved = $2, resolved_at = CASE WHEN $2 THEN now() END, resolved_by = CASE WHEN $2 THEN $3 END"
        " WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1))",
        edge_json(ids), edge_bool(edge_json_bool(in, "resolved", true)), edge_text(edge_auth_user(ctx)));
    return json_pack("{s:b, s:I}", "success", 1, "updated", (json_int_t)edge_rows_affected(updated));
}

static json_t *get_system_errors(edge_ctx *ctx, json_t *in)
{
    return strcmp(edge_json_text(in, "action"), "resolve") == 0 ? resolve(ctx, in) : list(ctx, in);
}

EDGE_FUNCTION(getSystemErrors,
    .summary = "Lists reported errors for administrators, or marks them as resolved",
    .input = input,
    .output = output,
    .handle = get_system_errors,
    .methods = "GET POST",
    .error_members = "{\"errors\":[]}");
