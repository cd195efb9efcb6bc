/*
 * The sandbox's orders and its record of requests.
 */
#include "lib/sandbox.h"

#include "lib/sandbox_files.h"

#include <string.h>

enum {
    TIMES_MAX = 1000,
};

/* What a record keeps of the headers: what providers ask for, and what our side is meant to send. */
static const char *const recorded_headers[] = { "accept", "apikey", "authorization", "content-type",
    "idempotency-key", "linkedin-version", "prefer", "session", "timestamp", "traceparent", "user-agent",
    "x-api-key", "x-restli-protocol-version", "x-system", "x-system-key", "xi-api-key", NULL };

/* The end of a request, written when its invocation is over. */
struct ending {
    const char *path, *line;
    size_t length;
};

bool sandbox_is_provider(const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;
    return length > 0 && length <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static json_t *headers_json(edge_ctx *ctx)
{
    json_t *headers = json_object();
    for (const char *const *name = recorded_headers; *name != NULL; name++) {
        const char *value = edge_request_header(ctx, *name);
        if (value != NULL)
            json_object_set_new(headers, *name, json_string(value));
    }
    return headers;
}

/* Decoded; of a repeated name the last value. */
static json_t *query_json(edge_ctx *ctx)
{
    json_t *query = json_object();
    for (const edge_header *one = edge_request_queries(ctx); one->name != NULL; one++)
        json_object_set_new(query, one->name, json_string(one->value));
    return query;
}

/* A form's parts; of a file its size and digest. */
static json_t *parts_json(edge_ctx *ctx)
{
    json_t *list = json_array();
    size_t count;
    const edge_part *parts = edge_request_parts(ctx, &count);
    for (const edge_part *part = parts; part < parts + count; part++) {
        json_t *entry = json_pack("{s:s, s:s?, s:s, s:I}", "name", part->name, "filename", part->filename,
            "mediaType", part->media_type, "length", (json_int_t)part->length);
        uint8_t digest[EDGE_SHA256_BYTES];
        edge_sha256(part->data, part->length, digest);
        if (part->filename != NULL)
            json_object_set_new(entry, "sha256", json_string(edge_hex(ctx, digest, sizeof digest)));
        else
            json_object_set_new(entry, "text", json_stringn(part->data, part->length));
        json_array_append_new(list, entry);
    }
    return json_pack("{s:o}", "parts", list);
}

/* JSON, else a form, else text, else what JSON cannot hold: bytes. */
static json_t *body_json(edge_ctx *ctx)
{
    if (edge_request_has_parts(ctx))
        return parts_json(ctx);
    size_t length;
    const char *raw = edge_request_body(ctx, &length);
    json_t *body = edge_json_parse(ctx, raw, length);
    if (body == NULL)
        body = json_stringn(raw, length);
    return body != NULL ? body : json_pack("{s:s}", "base64", edge_base64(ctx, raw, length));
}

static void append_line(edge_ctx *ctx, const char *path, const json_t *line)
{
    size_t length;
    char *text = edge_json_dump(ctx, line, &length);
    sandbox_append(path, edge_format(ctx, "%s\n", text), length + 1);
}

static void write_ending(void *arg)
{
    const struct ending *ending = arg;
    sandbox_append(ending->path, ending->line, ending->length);
}

static void record(edge_ctx *ctx, const char *provider)
{
    const char *path = sandbox_path(ctx, provider, "requests.jsonl");

    append_line(ctx, path,
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", edge_request_id(ctx), "at",
            edge_iso_time(ctx, edge_now(ctx)), "method", edge_request_method(ctx), "path",
            edge_request_rest(ctx), "query", query_json(ctx), "headers", headers_json(ctx), "body",
            body_json(ctx)));

    /* Orders that break off and callers that leave end the invocation early; only the defer sees every end. */
    struct ending *ending = edge_alloc(ctx, sizeof *ending);
    ending->path = path;
    ending->line = edge_format(ctx, "{\"end\":\"%s\"}\n", edge_request_id(ctx));
    ending->length = strlen(ending->line);
    edge_defer(ctx, write_ending, ending);
}

static json_t *take_order(edge_ctx *ctx, const char *provider)
{
    const char *queue = sandbox_path(ctx, provider, "queue/");
    const char *name;
    while ((name = sandbox_first(ctx, queue)) != NULL) {
        const char *path = edge_format(ctx, "%s%s", queue, name);
        const char *text = sandbox_read(ctx, path);
        if (sandbox_remove(path) && text != NULL)
            return edge_json_parse(ctx, text, strlen(text));
    }
    const char *always = sandbox_read(ctx, sandbox_path(ctx, provider, "always.json"));
    return always != NULL ? edge_json_parse(ctx, always, strlen(always)) : NULL;
}

json_t *sandbox_receive(edge_ctx *ctx, const char *provider)
{
    record(ctx, provider);
    json_t *order = take_order(ctx, provider);
    if (!json_is_object(order))
        return json_object();

    if (edge_json_int(order, "delayMs", 0) > 0)
        edge_sleep(ctx, edge_json_int(order, "delayMs", 0));
    if (edge_json_bool(order, "drop", false))
        edge_stream_abort(ctx);
    return order;
}

bool sandbox_has_answer(const json_t *order)
{
    return json_object_get(order, "status") != NULL || json_object_get(order, "body") != NULL;
}

void sandbox_stall(edge_ctx *ctx)
{
    for (;;)
        edge_sleep(ctx, 60000);
}

json_t *sandbox_send(edge_ctx *ctx, const json_t *order, int status, const char *media_type, const char *body)
{
    int64_t truncate = edge_json_int(order, "truncateAfter", -1),
            stall = edge_json_int(order, "stallAfter", -1);
    size_t length = strlen(body);
    edge_response_status(ctx, status);

    if (truncate < 0 && stall < 0) {
        edge_respond_bytes(ctx, media_type, body, length);
        return NULL;
    }
    size_t cut = (size_t)(truncate >= 0 ? truncate : stall);
    edge_stream_begin(ctx, status, media_type);
    edge_stream_bytes(ctx, body, cut < length ? cut : length);
    if (truncate < 0)
        sandbox_stall(ctx);
    edge_sleep(ctx, 20); /* what was written has to be on its way before the connection breaks */
    edge_stream_abort(ctx);
}

json_t *sandbox_send_json(edge_ctx *ctx, const json_t *order, int status, const json_t *body)
{
    return sandbox_send(ctx, order, status, "application/json", edge_json_dump(ctx, body, NULL));
}

json_t *sandbox_body(edge_ctx *ctx)
{
    size_t length;
    const char *body = edge_request_body(ctx, &length);
    return edge_json_parse(ctx, body, length);
}

/* With blanks behind it, which JSON does not mind: an answer beyond a reader's cap. */
static const char *padded(edge_ctx *ctx, const char *text, size_t length)
{
    size_t given = strlen(text);
    if (given >= length)
        return text;
    char *longer = edge_alloc(ctx, length + 1);
    memset(longer, ' ', length);
    memcpy(longer, text, given);
    return longer;
}

json_t *sandbox_answer(edge_ctx *ctx, const json_t *order)
{
    const json_t *body = json_object_get(order, "body");
    const char *media_type = json_is_string(body) ? "text/plain" : "application/json";
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json_object_get(order, "headers"), name, value)
    {
        if (strcasecmp(name, "content-type") == 0)
            media_type = json_string_value(value);
        else
            edge_response_header(ctx, name, json_string_value(value));
    }

    const char *text = json_is_string(body) ? json_string_value(body) : NULL;
    if (text == NULL)
        text = body != NULL ? edge_json_dump(ctx, body, NULL) : "{}";
    text = padded(ctx, text, (size_t)edge_json_int(order, "padTo", 0));
    return sandbox_send(ctx, order, (int)edge_json_int(order, "status", 200), media_type, text);
}

void sandbox_order(edge_ctx *ctx, const char *provider, const json_t *order)
{
    size_t length;
    const char *text = edge_json_dump(ctx, order, &length);
    int64_t times = edge_json_int(order, "times", 1);
    if (times == 0) {
        sandbox_replace(ctx, sandbox_path(ctx, provider, "always.json"), text, length);
        return;
    }
    int64_t now = edge_now_exact();
    for (int64_t i = 0; i < times && i < TIMES_MAX; i++) {
        const char *name = edge_format(ctx, "queue/%020lld-%04lld.json", (long long)now, (long long)i);
        sandbox_replace(ctx, sandbox_path(ctx, provider, name), text, length);
    }
}

static void clear_directory(edge_ctx *ctx, const char *directory)
{
    const char *name;
    while ((name = sandbox_first(ctx, directory)) != NULL)
        sandbox_remove(edge_format(ctx, "%s%s", directory, name));
}

void sandbox_reset(edge_ctx *ctx, const char *provider)
{
    clear_directory(ctx, sandbox_path(ctx, provider, "queue/"));
    clear_directory(ctx, sandbox_path(ctx, provider, "once/"));
    sandbox_remove(sandbox_path(ctx, provider, "always.json"));
    sandbox_remove(sandbox_path(ctx, provider, "requests.jsonl"));
    sandbox_remove(sandbox_path(ctx, provider, "kept.jsonl"));
}

/* Request lines in their order, each with "ended" once its end has been written. */
json_t *sandbox_requests(edge_ctx *ctx, const char *provider)
{
    json_t *requests = json_array(), *by_id = json_object();
    const char *at = sandbox_read(ctx, sandbox_path(ctx, provider, "requests.jsonl"));
    for (size_t length; at != NULL && *at != '\0'; at += length + (at[length] == '\n')) {
        length = strcspn(at, "\n");
        json_t *line = edge_json_parse(ctx, at, length);
        const char *ended = edge_json_text(line, "end"), *id = edge_json_text(line, "id");
        if (ended != NULL && json_object_get(by_id, ended) != NULL) {
            json_object_set_new(json_object_get(by_id, ended), "ended", json_true());
        } else if (id != NULL) {
            json_object_set_new(line, "ended", json_false());
            json_object_set(by_id, id, line);
            json_array_append(requests, line);
        }
    }
    return requests;
}

void sandbox_keep(edge_ctx *ctx, const char *provider, const json_t *object)
{
    append_line(ctx, sandbox_path(ctx, provider, "kept.jsonl"), object);
}

json_t *sandbox_kept(edge_ctx *ctx, const char *provider)
{
    json_t *kept = json_array();
    const char *at = sandbox_read(ctx, sandbox_path(ctx, provider, "kept.jsonl"));
    for (size_t length; at != NULL && *at != '\0'; at += length + (at[length] == '\n')) {
        length = strcspn(at, "\n");
        json_array_append_new(kept, edge_json_parse(ctx, at, length));
    }
    return kept;
}

static const char *once_path(edge_ctx *ctx, const char *provider, const char *name)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    edge_sha256(name, strlen(name), digest);
    return sandbox_path(ctx, provider, edge_format(ctx, "once/%s.json", edge_hex(ctx, digest, sizeof digest)));
}

/* Whoever makes the file has it; until its text is there as well, nothing is remembered for others. */
bool sandbox_keep_once(edge_ctx *ctx, const char *provider, const char *name, const json_t *object)
{
    size_t length;
    const char *path = once_path(ctx, provider, name), *text = edge_json_dump(ctx, object, &length);
    return sandbox_create(path) && sandbox_replace(ctx, path, text, length);
}

json_t *sandbox_kept_once(edge_ctx *ctx, const char *provider, const char *name)
{
    const char *text = sandbox_read(ctx, once_path(ctx, provider, name));
    return text != NULL ? edge_json_parse(ctx, text, strlen(text)) : NULL;
}
