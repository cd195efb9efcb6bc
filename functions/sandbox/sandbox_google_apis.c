/*
 * sandbox_google_apis: stand-in for what Google serves at www.googleapis.com: Drive files, the primary
 * calendar, free and busy times, who a token belongs to. What it has been sent is its memory: a folder is found
 * again, an event's id is taken only once.
 *
 * Shapes: https://www.googleapis.com/discovery/v1/apis/drive/v3/rest and .../calendar/v3/rest;
 * https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_google.h"

#define FILES "/drive/v3/files"
#define EVENTS "/calendar/v3/calendars/primary/events"
#define FOLDER "application/vnd.google-apps.folder"

static json_t *not_found(edge_ctx *ctx, const char *message)
{
    return sandbox_google_error(ctx, 404, "notFound", "NOT_FOUND", message);
}

/* Files and folders whose id begins with "missing" are not there. */
static json_t *missing_file(edge_ctx *ctx, const char *id)
{
    return id != NULL && strncmp(id, "missing", 7) == 0
               ? not_found(ctx, edge_format(ctx, "File not found: %s.", id))
               : NULL;
}

static const char *parent_of(json_t *file)
{
    return json_string_value(json_array_get(json_object_get(file, "parents"), 0));
}

/* The request's own id makes the file's, so that a list can name the file without having kept it. */
static const char *file_id(edge_ctx *ctx, const char *request_id)
{
    return edge_format(ctx, "file_%.24s", request_id);
}

static json_t *create_file(edge_ctx *ctx, json_t *request)
{
    json_t *missing = missing_file(ctx, parent_of(request));
    const char *name = edge_json_text(request, "name");
    if (missing != NULL)
        return missing;
    return json_pack(
        "{s:s, s:s}", "id", file_id(ctx, edge_request_id(ctx)), "name", name != NULL ? name : "Untitled");
}

/* The name and the parent in a query as https://developers.google.com/workspace/drive/api/guides/search-files
 * writes them. */
static bool is_asked_for(edge_ctx *ctx, const char *query, json_t *file)
{
    const char *name = edge_json_text(file, "name"), *parent = parent_of(file);
    char *quoted = edge_alloc(ctx, 2 * (name != NULL ? strlen(name) : 0) + 1), *end = quoted;
    for (; name != NULL && *name != '\0'; name++) {
        if (*name == '\\' || *name == '\'')
            *end++ = '\\';
        *end++ = *name;
    }
    return strstr(query, edge_format(ctx, "name = '%s' and", quoted)) != NULL &&
           strstr(query, edge_format(ctx, "'%s' in parents", parent != NULL ? parent : "root")) != NULL;
}

static json_t *list_files(edge_ctx *ctx)
{
    const char *query = edge_request_query(ctx, "q");
    json_t *files = json_array(), *request;
    size_t i;
    if (query == NULL)
        return json_pack("{s:o}", "files", files);
    json_array_foreach(sandbox_requests(ctx, "google_apis"), i, request)
    {
        json_t *file = json_object_get(request, "body");
        const char *type = edge_json_text(file, "mimeType");
        if (type != NULL && strcmp(type, FOLDER) == 0 && is_asked_for(ctx, query, file))
            json_array_append_new(
                files, json_pack("{s:s, s:s}", "id", file_id(ctx, edge_json_text(request, "id")), "name",
                           edge_json_text(file, "name")));
    }
    return json_pack("{s:o}", "files", files);
}

/* A file has one parent (https://developers.google.com/workspace/drive/api/guides/ref-single-parent): new ones
 * the root. */
static json_t *move_file(edge_ctx *ctx, const char *id)
{
    const char *parent = edge_request_query(ctx, "addParents");
    json_t *missing = missing_file(ctx, parent);
    if (missing != NULL)
        return missing;
    if (parent != NULL && edge_request_query(ctx, "removeParents") == NULL)
        return sandbox_google_error(ctx, 403, "cannotAddParent", "PERMISSION_DENIED",
            "Increasing the number of parents is not allowed");
    return json_pack("{s:s, s:[s]}", "id", id, "parents", parent != NULL ? parent : "root");
}

static json_t *event_of(edge_ctx *ctx, json_t *request, const char *id)
{
    json_t *event = json_copy(request);
    json_object_set_new(event, "id", json_string(id));
    json_object_set_new(event, "kind", json_string("calendar#event"));
    json_object_set_new(event, "status", json_string("confirmed"));
    json_object_set_new(
        event, "htmlLink", json_string(edge_format(ctx, "https://www.google.com/calendar/event?eid=%s", id)));
    if (json_object_get(request, "conferenceData") != NULL)
        json_object_set_new(event, "hangoutLink", json_string("https://meet.google.com/abc-mnop-xyz"));
    return event;
}

/* What an earlier request has inserted under an id; NULL: nothing. */
static json_t *inserted(edge_ctx *ctx, const char *id)
{
    json_t *request;
    size_t i;
    json_array_foreach(sandbox_requests(ctx, "google_apis"), i, request)
    {
        json_t *body = json_object_get(request, "body");
        const char *taken = edge_json_text(body, "id"), *path = edge_json_text(request, "path");
        bool is_this = strcmp(edge_json_text(request, "id"), edge_request_id(ctx)) == 0;
        if (!is_this && taken != NULL && strcmp(path, EVENTS) == 0 && strcmp(taken, id) == 0)
            return body;
    }
    return NULL;
}

static bool is_event_id(const char *id)
{
    size_t length = strlen(id);
    return length >= 5 && length <= 1024 && strspn(id, "abcdefghijklmnopqrstuv0123456789") == length;
}

static json_t *insert_event(edge_ctx *ctx, json_t *request)
{
    const char *id = edge_json_text(request, "id");
    if (json_object_get(request, "start") == NULL || json_object_get(request, "end") == NULL)
        return sandbox_google_error(ctx, 400, "required", "INVALID_ARGUMENT", "Missing end time.");
    if (id != NULL && !is_event_id(id))
        return sandbox_google_error(ctx, 400, "invalid", "INVALID_ARGUMENT", "Invalid resource id value.");
    if (id != NULL && inserted(ctx, id) != NULL)
        return sandbox_google_error(
            ctx, 409, "duplicate", "ALREADY_EXISTS", "The requested identifier already exists.");
    return event_of(ctx, request, id != NULL ? id : edge_format(ctx, "event%.20s", edge_request_id(ctx)));
}

static json_t *get_event(edge_ctx *ctx, const char *id)
{
    json_t *request = inserted(ctx, id);
    return request != NULL ? event_of(ctx, request, id) : not_found(ctx, "Not Found");
}

/* Nobody is busy; calendars whose address begins with "unknown" cannot be seen. */
static json_t *free_busy(edge_ctx *ctx, json_t *request)
{
    json_t *calendars = json_object(), *item;
    size_t i;
    if (edge_json_text(request, "timeMin") == NULL || edge_json_text(request, "timeMax") == NULL)
        return sandbox_google_error(ctx, 400, "required", "INVALID_ARGUMENT", "Missing timeMin parameter.");
    json_array_foreach(json_object_get(request, "items"), i, item)
    {
        const char *id = edge_json_text(item, "id");
        json_t *calendar = json_pack("{s:[]}", "busy");
        if (id != NULL && strncmp(id, "unknown", 7) == 0)
            json_object_set_new(
                calendar, "errors", json_pack("[{s:s, s:s}]", "domain", "global", "reason", "notFound"));
        json_object_set_new(calendars, id != NULL ? id : "", calendar);
    }
    return json_pack("{s:s, s:O, s:O, s:o}", "kind", "calendar#freeBusy", "timeMin",
        json_object_get(request, "timeMin"), "timeMax", json_object_get(request, "timeMax"), "calendars",
        calendars);
}

static json_t *answer(edge_ctx *ctx, const char *method, const char *path, json_t *request)
{
    bool post = strcmp(method, "POST") == 0, get = strcmp(method, "GET") == 0;
    if (get && strcmp(path, "/oauth2/v3/userinfo") == 0)
        return json_pack("{s:s, s:s, s:b, s:s}", "sub", "104216813510000000001", "email",
            "agent.sandbox@gmail.com", "email_verified", 1, "name", "Sandbox Agent");
    if (get && strcmp(path, FILES) == 0)
        return list_files(ctx);
    if (get && strncmp(path, EVENTS "/", sizeof EVENTS) == 0)
        return get_event(ctx, path + sizeof EVENTS);
    if (!get && !json_is_object(request))
        return sandbox_google_bad_body(ctx);
    if (post && strcmp(path, FILES) == 0)
        return create_file(ctx, request);
    if (strcmp(method, "PATCH") == 0 && strncmp(path, FILES "/", sizeof FILES) == 0)
        return move_file(ctx, path + sizeof FILES);
    if (post && strcmp(path, EVENTS) == 0)
        return insert_event(ctx, request);
    if (post && strcmp(path, "/calendar/v3/freeBusy") == 0)
        return free_busy(ctx, request);
    return not_found(ctx, "Not Found");
}

static json_t *sandbox_google_apis(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "google_apis"), *refusal;
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if ((refusal = sandbox_google_refusal(ctx)) != NULL)
        return refusal;
    return answer(ctx, edge_request_method(ctx), edge_request_rest(ctx), sandbox_body(ctx));
}

EDGE_FUNCTION(sandbox_google_apis,
    .summary = "Stand-in for Google Drive, Calendar and userinfo",
    .handle = sandbox_google_apis,
    .methods = "GET POST PATCH",
    .raw_body = true,
    .streams = true);
