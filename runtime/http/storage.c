/*
 * Signed URLs; see storage.h. An invocation of the host's own serves one: it reads a piece, hands it to the
 * connection and waits for a slow client, or, on plain HTTP/1.1, lets the kernel send the file.
 */
#include "storage.h"

#include "exchange.h"
#include "plugin/invoke.h"
#include "respond.h"
#include "storage_range.h"

#include <context.h>
#include <log.h>
#include <storage.h>

#include <edge/http.h>
#include <edge/request.h>
#include <edge/stream.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    MEMORY_BYTES = 256 * 1024,
    SEND_BYTES = 256 * 1024,
    CACHE_MAX_S = 3600,
    TRIES = 3
};

bool storage_is_for(const struct exchange *exchange)
{
    return strncmp(exchange->target, STORAGE_SIGN_PATH, sizeof STORAGE_SIGN_PATH - 1) == 0;
}

bool storage_refuse(struct exchange *exchange)
{
    if (!storage_is_for(exchange))
        return false;
    if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0)
        exchange->refused = (struct refusal){
            .status = 405,
            .code = "method_not_allowed",
            .message = "A signed URL answers GET only",
            .allow = "GET, HEAD",
        };
    exchange->upgrade = false;
    return true;
}

/* What an answer says of an object, and which part of it follows. */
struct delivery {
    struct exchange *exchange;
    struct storage_target target;
    const edge_object *object;
    struct validators validators;
    struct range range;
    bool not_modified;
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "<bucket>/<path>" of the target, decoded; a NUL or a broken escape makes it one that no token names. */
static const char *object_name(edge_ctx *ctx, const struct exchange *exchange)
{
    size_t skip = sizeof STORAGE_SIGN_PATH - 1;
    char *name = edge_copy_bytes(ctx, exchange->target + skip, exchange->path_length - skip), *out = name;
    for (const char *at = name; *at != '\0'; at++) {
        int high = *at == '%' ? hex_value(at[1]) : -1, low = high >= 0 ? hex_value(at[2]) : -1;
        if (*at == '%' && (low < 0 || (high == 0 && low == 0)))
            return "";
        *out++ = low >= 0 ? (char)(high << 4 | low) : *at;
        at += low >= 0 ? 2 : 0;
    }
    *out = '\0';
    return name;
}

static void check(edge_ctx *ctx, struct delivery *delivery)
{
    const char *name = object_name(ctx, delivery->exchange), *token = edge_request_query(ctx, "token");
    switch (storage_check(ctx, name, token, &delivery->target)) {
    case STORAGE_GRANTED:
        return;
    case STORAGE_TOKEN_EXPIRED:
        edge_fail(ctx, 400, "token_expired", "The signed URL has expired");
    case STORAGE_NO_KEY:
        edge_fail(ctx, 503, "not_configured", "STORAGE_SIGNING_KEY is not configured");
    default:
        edge_fail(ctx, 400, "invalid_token", "The signed URL is not valid");
    }
}

static const char *http_date(edge_ctx *ctx, int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm utc;
    char text[40];
    gmtime_r(&when, &utc);
    strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return edge_copy(ctx, text);
}

static struct validators validators_of(edge_ctx *ctx, const edge_object *object)
{
    int64_t seconds = object->modified_us / 1000000;
    return (struct validators){
        .etag = object->etag != NULL ? edge_format(ctx, "\"%s\"", object->etag) : NULL,
        .last_modified = http_date(ctx, seconds),
        .modified_s = seconds,
    };
}

static void find_object(edge_ctx *ctx, struct delivery *delivery)
{
    const struct storage_target *target = &delivery->target;
    if (storage_open_existing(ctx, target->bucket, target->path, 0, 0, &delivery->object) == NULL)
        edge_fail(ctx, 404, "object_not_found", "The object does not exist");
    delivery->validators = validators_of(ctx, delivery->object);
    delivery->not_modified = range_not_modified(edge_request_header(ctx, "if-none-match"),
        edge_request_header(ctx, "if-modified-since"), &delivery->validators);
    bool ranges = strcmp(delivery->exchange->method, "GET") == 0 &&
                  range_applies(edge_request_header(ctx, "if-range"), &delivery->validators);
    delivery->range =
        range_read(ranges ? edge_request_header(ctx, "range") : NULL, delivery->object->size_bytes);
}

static void add(edge_ctx *ctx, struct answer *answer, const char *name, const char *value)
{
    struct header_node *node = edge_alloc(ctx, sizeof *node);
    *node = (struct header_node){ .name = name, .value = value, .next = (struct header_node *)answer->more };
    answer->more = node;
}

/* RFC 6266, with the name as RFC 8187 has it; without one the object's own. */
static const char *disposition(edge_ctx *ctx, const struct delivery *delivery, const char *asked)
{
    const char *slash = strrchr(delivery->target.path, '/');
    const char *own = slash != NULL ? slash + 1 : delivery->target.path;
    return edge_format(
        ctx, "attachment; filename*=UTF-8''%s", edge_url_encode(ctx, asked[0] != '\0' ? asked : own));
}

static void add_headers(edge_ctx *ctx, const struct delivery *delivery, struct answer *answer)
{
    int64_t left = delivery->target.expires_s - edge_now(ctx) / 1000000;
    const char *download = edge_request_query(ctx, "download");
    add(ctx, answer, "accept-ranges", "bytes");
    add(ctx, answer, "last-modified", delivery->validators.last_modified);
    if (delivery->validators.etag != NULL)
        add(ctx, answer, "etag", delivery->validators.etag);
    add(ctx, answer, "cache-control",
        edge_format(ctx, "private, max-age=%lld", (long long)(left < CACHE_MAX_S ? left : CACHE_MAX_S)));
    /* Users' files come from our origin: nothing in them is to run there. */
    add(ctx, answer, "x-content-type-options", "nosniff");
    add(ctx, answer, "content-security-policy", "sandbox; default-src 'none'");
    if (download != NULL)
        add(ctx, answer, "content-disposition", disposition(ctx, delivery, download));
}

static void send_head(edge_ctx *ctx, const struct delivery *delivery)
{
    struct answer answer = { .status = 200, .media_type = delivery->object->content_type };
    const struct range *range = &delivery->range;
    add_headers(ctx, delivery, &answer);
    if (delivery->not_modified) {
        answer.status = 304;
    } else if (range->kind == RANGE_PART) {
        answer.status = 206;
        add(ctx, &answer, "content-range",
            edge_format(ctx, "bytes %lld-%lld/%lld", (long long)range->offset,
                (long long)(range->offset + range->length - 1), (long long)delivery->object->size_bytes));
    }
    ctx->response.streaming = true;
    int64_t length = answer.status == 304 ? delivery->object->size_bytes : range->length;
    respond_head(delivery->exchange, &answer, length, NULL, 0);
}

static void refuse_range(edge_ctx *ctx, const struct delivery *delivery)
{
    struct header_node *node = edge_alloc(ctx, sizeof *node);
    node->name = "content-range";
    node->value = edge_format(ctx, "bytes */%lld", (long long)delivery->object->size_bytes);
    ctx->response.headers = node;
    edge_fail(ctx, 416, "range_not_satisfiable", "The object has no such range");
}

/*
 * False when this client's connection has no such way. The next invocation's turn comes between two pieces,
 * also when the client takes whatever it is sent.
 */
static bool send_by_kernel(edge_ctx *ctx, const struct delivery *delivery, int fd)
{
    struct exchange *exchange = delivery->exchange;
    int64_t offset = delivery->range.offset, end = offset + delivery->range.length;
    while (offset < end) {
        size_t wanted = end - offset < SEND_BYTES ? (size_t)(end - offset) : SEND_BYTES;
        ssize_t sent = exchange->ops->file(exchange, fd, offset, wanted);
        if (sent < 0)
            return false;
        offset += sent;
        if (sent == 0)
            context_await_writable(ctx);
        else if (offset < end)
            edge_sleep(ctx, 0);
    }
    return true;
}

static void send_body(edge_ctx *ctx, const struct delivery *delivery, edge_download *download)
{
    int fd = storage_download_fd(download);
    if (fd >= 0 && delivery->exchange->ops->file != NULL && send_by_kernel(ctx, delivery, fd))
        return;
    size_t length = 0;
    const void *piece = NULL;
    while ((piece = edge_storage_read(ctx, download, &length)) != NULL)
        edge_stream_bytes(ctx, piece, length);
}

/* Opens the part that was decided on; NULL when the object has been replaced since. */
static edge_download *open_part(edge_ctx *ctx, const struct delivery *delivery)
{
    const edge_object *opened = NULL, *known = delivery->object;
    edge_download *download = storage_open_existing(
        ctx, known->bucket, known->path, delivery->range.offset, delivery->range.length, &opened);
    bool same = opened != NULL && opened->size_bytes == known->size_bytes &&
                opened->modified_us / 1000000 == known->modified_us / 1000000 &&
                (known->etag == NULL || (opened->etag != NULL && strcmp(opened->etag, known->etag) == 0));
    if (!same && download != NULL)
        storage_close(download);
    return same ? download : NULL;
}

static void on_main(edge_ctx *ctx)
{
    struct delivery *delivery = edge_alloc(ctx, sizeof *delivery);
    struct exchange *exchange = delivery->exchange = ctx->host;
    ctx->request.method = exchange->method;
    ctx->request.query = exchange->query;
    ctx->request.headers = exchange_headers(exchange, ctx);
    check(ctx, delivery);

    edge_download *download = NULL;
    for (int tries = 0; download == NULL && tries < TRIES; tries++) {
        find_object(ctx, delivery);
        if (delivery->range.kind == RANGE_UNSATISFIABLE && !delivery->not_modified)
            refuse_range(ctx, delivery);
        if (delivery->not_modified || delivery->range.length == 0 || strcmp(exchange->method, "HEAD") == 0) {
            send_head(ctx, delivery);
            return;
        }
        download = open_part(ctx, delivery);
    }
    if (download == NULL)
        edge_fail(ctx, 503, "object_changes", "The object is being replaced");
    send_head(ctx, delivery);
    send_body(ctx, delivery, download);
}

static void send_failure(edge_ctx *ctx, struct exchange *exchange)
{
    const struct failure *failure = ctx->failure;
    if (exchange->head_sent) {
        exchange->ops->abort(exchange); /* cut short is the only thing left to say */
        return;
    }
    char text[512];
    /* Codes and messages are constants, but for the name of a variable. */
    int length = snprintf(text, sizeof text, "{\"error\":\"%s\",\"code\":\"%s\",\"requestId\":\"%s\"}",
        failure->said.message != NULL ? failure->said.message : "", failure->code, exchange->request_id);
    struct answer answer = {
        .status = failure->status,
        .media_type = "application/json",
        .code = failure->code,
        .more = ctx->response.headers,
    };
    respond_json(exchange, &answer, text, (size_t)length);
}

static void on_finished(edge_ctx *ctx)
{
    struct exchange *exchange = ctx->host;
    if (exchange->connection != NULL && ctx->failure != NULL)
        send_failure(ctx, exchange);
    else if (exchange->connection != NULL)
        exchange->ops->end(exchange);
    ctx->usage.bytes_out = exchange->bytes_out;
    log_invocation(ctx, exchange->head_sent    ? exchange->status
                        : ctx->failure != NULL ? ctx->failure->status
                                               : 0);
}

static void on_released(edge_ctx *ctx)
{
    exchange_release(ctx->host);
}

static size_t on_write(edge_ctx *ctx, const void *data, size_t length)
{
    struct exchange *exchange = ctx->host;
    return exchange->connection != NULL ? exchange->ops->data(exchange, data, length) : 0;
}

void storage_serve(struct exchange *exchange)
{
    static const struct context_ops ops = {
        .main = on_main,
        .finished = on_finished,
        .released = on_released,
        .write = on_write,
    };
    /* No deadline: a large object may take its time, and a client that stops reading is the connection's. */
    invoke_host(exchange, &ops, "_storage", MEMORY_BYTES, 0);
}
