/*
 * Exchanges; see exchange.h.
 */
#include "exchange.h"

#include "connection.h"
#include "plugin/generation.h"

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_HEAD_MAX = 1024,
    HEAD_SLACK_MAX = 128
};

struct exchange *exchange_create(struct connection *connection, const struct exchange_ops *ops)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->server = connection->server;
    exchange->connection = connection;
    exchange->ops = ops;
    exchange->content_length = -1;
    body_init(&exchange->body, connection->server->config->server.max_body_bytes);
    exchange->server->exchange_count++;
    return exchange;
}

static void destroy(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (exchange->generation != NULL)
        generation_release(exchange->generation);
    body_free(&exchange->body);
    free(exchange->head);
    free(exchange->headers);
    free(exchange->scratch);
    free(exchange);
    server->exchange_count--;
    http_server_check_drained(server);
}

void exchange_detach(struct exchange *exchange, bool client_gone)
{
    exchange->connection = NULL;
    exchange->detached = true;
    if (exchange->ctx == NULL)
        destroy(exchange);
    else if (client_gone)
        context_client_gone(exchange->ctx);
}

void exchange_release(struct exchange *exchange)
{
    exchange->ctx = NULL;
    if (exchange->detached)
        destroy(exchange);
}

/*
 * What one read has brought is nearly always the whole head, and never less than it takes here: each name and
 * value is followed by two bytes or more on the wire, and by one here.
 */
static size_t first_capacity(const struct exchange *exchange)
{
    size_t expected = exchange->head_expected;
    return expected == 0 || expected > FIRST_HEAD_MAX ? FIRST_HEAD_MAX : expected;
}

static bool head_append(struct exchange *exchange, const char *data, size_t length)
{
    if (exchange->head_length + length + 1 > exchange->server->config->server.max_header_bytes) {
        exchange->head_too_large = true;
        return false;
    }
    if (exchange->head_length + length + 1 > exchange->head_capacity) {
        size_t capacity = exchange->head_capacity == 0 ? first_capacity(exchange) : exchange->head_capacity;
        while (capacity < exchange->head_length + length + 1)
            capacity *= 2;
        char *head = realloc(exchange->head, capacity);
        if (head == NULL) {
            exchange->head_too_large = true;
            return false;
        }
        exchange->head = head;
        exchange->head_capacity = capacity;
    }
    memcpy(exchange->head + exchange->head_length, data, length);
    exchange->head_length += length;
    exchange->head[exchange->head_length] = '\0';
    return true;
}

bool exchange_add_target(struct exchange *exchange, const char *data, size_t length)
{
    if (exchange->head_length + length > exchange->server->config->server.max_url_bytes) {
        exchange->url_too_large = true;
        return false;
    }
    return head_append(exchange, data, length);
}

static bool next_header(struct exchange *exchange)
{
    enum {
        HEADERS_MAX = 256
    };
    if (exchange->header_count >= HEADERS_MAX) {
        exchange->head_too_large = true;
        return false;
    }
    if (exchange->header_count == exchange->header_capacity) {
        size_t capacity = exchange->header_capacity == 0 ? 16 : exchange->header_capacity * 2;
        uint32_t *headers = realloc(exchange->headers, capacity * 2 * sizeof *headers);
        if (headers == NULL) {
            exchange->head_too_large = true;
            return false;
        }
        exchange->headers = headers;
        exchange->header_capacity = capacity;
    }
    exchange->header_count++;
    return true;
}

/* RFC 9110 5.6.2, upper case made lower; 0 for what no name may contain. */
static char name_character(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL))
        return (char)c;
    return 0;
}

bool exchange_add_name(struct exchange *exchange, const char *data, size_t length)
{
    if (exchange->head_done)
        return true; /* a trailer: nobody asks for those */
    if (!exchange->in_name) {
        exchange->head_length += exchange->head_length > 0; /* behind the NUL of what came before */
        if (!next_header(exchange))
            return false;
        exchange->headers[2 * exchange->header_count - 2] = (uint32_t)exchange->head_length;
        exchange->in_name = true;
        exchange->in_value = false;
    }
    size_t start = exchange->head_length;
    bool ok = head_append(exchange, data, length);
    for (size_t i = start; ok && i < exchange->head_length; i++) {
        char c = name_character((unsigned char)exchange->head[i]);
        ok = c != 0;
        exchange->head[i] = c;
    }
    if (ok) {
        exchange->headers[2 * exchange->header_count - 1] = (uint32_t)exchange->head_length; /* "" so far */
        return true;
    }
    exchange->malformed = !exchange->head_too_large;
    exchange->header_count--; /* nobody is to look at half a header */
    return false;
}

bool exchange_add_value(struct exchange *exchange, const char *data, size_t length)
{
    if (exchange->head_done)
        return true;
    if (!exchange->in_value) {
        exchange->head_length++;
        exchange->headers[2 * exchange->header_count - 1] = (uint32_t)exchange->head_length;
        exchange->in_value = true;
        exchange->in_name = false;
    }
    if (memchr(data, '\0', length) != NULL) {
        exchange->malformed = true;
        return false;
    }
    return head_append(exchange, data, length);
}

/* Nearly all differ in their first character. */
static bool is_named(const struct exchange *exchange, size_t i, const char *name)
{
    const char *own = exchange->head + exchange->headers[2 * i];
    return own[0] == name[0] && strcmp(own, name) == 0;
}

const char *exchange_header(const struct exchange *exchange, const char *name)
{
    for (size_t i = 0; i < exchange->header_count; i++)
        if (is_named(exchange, i, name))
            return exchange->head + exchange->headers[2 * i + 1];
    return NULL;
}

size_t exchange_header_count(const struct exchange *exchange, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < exchange->header_count; i++)
        count += is_named(exchange, i, name);
    return count;
}

edge_header *exchange_headers(const struct exchange *exchange, edge_ctx *ctx)
{
    edge_header *headers = edge_alloc(ctx, (exchange->header_count + 1) * sizeof *headers);
    for (size_t i = 0; i < exchange->header_count; i++) {
        headers[i].name = exchange->head + exchange->headers[2 * i];
        headers[i].value = exchange->head + exchange->headers[2 * i + 1];
    }
    return headers;
}

/* Values end without blanks (RFC 9110 5.5); the parser has dropped those before them. */
static void trim_values(struct exchange *exchange)
{
    for (size_t i = 0; i < exchange->header_count; i++) {
        char *value = exchange->head + exchange->headers[2 * i + 1];
        size_t length = strlen(value);
        while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
            value[--length] = '\0';
    }
}

/* It may wait for minutes now: what the head did not need is given back, unless it is little. */
static void shrink_head(struct exchange *exchange)
{
    if (exchange->head_capacity - exchange->head_length <= HEAD_SLACK_MAX)
        return;
    char *head = exchange->head != NULL ? realloc(exchange->head, exchange->head_length + 1) : NULL;
    if (head == NULL)
        return;
    exchange->head = head;
    exchange->head_capacity = exchange->head_length + 1;
}

void exchange_head_complete(struct exchange *exchange)
{
    exchange->head_done = true;
    trim_values(exchange);
    shrink_head(exchange);
    exchange->target = exchange->head != NULL ? exchange->head : "/";
    exchange->path_length = strcspn(exchange->target, "?#");
    const char *behind = exchange->target + exchange->path_length;
    exchange->query = *behind == '?' ? behind + 1 : "";
    exchange->server->head(exchange);
}

bool exchange_add_body(struct exchange *exchange, const char *data, size_t length)
{
    if (exchange->refused.status != 0)
        return true;
    const struct server_config *config = &exchange->server->config->server;
    if (exchange->body.length == 0 && exchange->content_length > 0)
        body_expect(&exchange->body, (size_t)exchange->content_length, config->body_memory_bytes);
    int result = body_add(&exchange->body, data, length, config->body_memory_bytes, config->spool);
    if (result < 0)
        exchange->body_error = result;
    return result == 0;
}

void exchange_dispatch(struct exchange *exchange)
{
    if (exchange->body_error == 0 && exchange->refused.status == 0)
        exchange->body_error = body_finish(&exchange->body);
    if (exchange->body_error == -EFBIG)
        exchange->refused = (struct refusal){
            .status = 413, .code = "body_too_large", .message = "The request body is larger than its limit"
        };
    else if (exchange->body_error < 0)
        exchange->refused = (struct refusal){
            .status = 503, .code = "spool_failed", .message = "The request body could not be stored"
        };
    exchange->server->dispatch(exchange);
}
