/*
 * HTTP/1.1; see http1.h. The parser is http_parser (what Node.js stood on); what it lets pass and RFC 9112 does
 * not is refused here.
 */
#include "http1.h"

#include "connection.h"
#include "exchange.h"
#include "http1_write.h"
#include "respond.h"

#include <context.h>
#include <http_parser.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    DROP_MAX = 64 * 1024,
    RATE_BYTES = 64 * 1024
};

struct http1 {
    http_parser parser;
    struct exchange *exchange; /* being read or answered */
    bool running;              /* handed to the server */
    bool answer_early;         /* refused, and its body is too long to wait for */
    size_t body_since;         /* bytes since the body's deadline was set */
    size_t input_length;       /* of what is being parsed */
};

static int on_message_begin(http_parser *parser);
static int on_url(http_parser *parser, const char *data, size_t length);
static int on_name(http_parser *parser, const char *data, size_t length);
static int on_value(http_parser *parser, const char *data, size_t length);
static int on_head(http_parser *parser);
static int on_body(http_parser *parser, const char *data, size_t length);
static int on_message(http_parser *parser);

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_message,
};

static int on_message_begin(http_parser *parser)
{
    struct connection *connection = parser->data;
    struct http1 *session = connection->session;
    session->exchange = exchange_create(connection, &http1_ops);
    if (session->exchange != NULL)
        session->exchange->head_expected = session->input_length;
    deadline_set(&connection->deadline, connection->server->config->server.header_timeout_ms);
    return session->exchange == NULL;
}

static struct exchange *exchange_of(http_parser *parser)
{
    struct connection *connection = parser->data;
    return ((struct http1 *)connection->session)->exchange;
}

static int on_url(http_parser *parser, const char *data, size_t length)
{
    return !exchange_add_target(exchange_of(parser), data, length);
}

static int on_name(http_parser *parser, const char *data, size_t length)
{
    return !exchange_add_name(exchange_of(parser), data, length);
}

static int on_value(http_parser *parser, const char *data, size_t length)
{
    return !exchange_add_value(exchange_of(parser), data, length);
}

static void refuse(struct exchange *exchange, int status, const char *code, const char *message)
{
    exchange->refused = (struct refusal){ .status = status, .code = code, .message = message };
}

/* What RFC 9112 asks of a head and the parser does not look at. */
static void check_head(struct exchange *exchange, const http_parser *parser)
{
    if (parser->http_major != 1)
        refuse(exchange, 505, "http_version_not_supported", "The HTTP version is not supported");
    else if (exchange_header_count(exchange, "host") > 1 ||
             (parser->http_minor >= 1 && exchange_header(exchange, "host") == NULL))
        refuse(exchange, 400, "bad_request", "A request needs exactly one Host header");
    else if (exchange->target[0] != '/' && strcmp(exchange->target, "*") != 0)
        refuse(exchange, 400, "bad_request", "The request target must be a path");
}

static bool asks_for_websocket(const struct exchange *exchange, const http_parser *parser)
{
    const char *upgrade = exchange_header(exchange, "upgrade");
    return parser->upgrade && upgrade != NULL && strncasecmp(upgrade, "websocket", 9) == 0 &&
           upgrade[9 + strspn(upgrade + 9, " \t")] == '\0' && parser->method == HTTP_GET;
}

/* Returns 1 when no body follows, as http_parser wants it. */
static int on_head(http_parser *parser)
{
    struct connection *connection = parser->data;
    struct http1 *session = connection->session;
    struct exchange *exchange = session->exchange;
    exchange->method = http_method_str((enum http_method)parser->method);
    exchange->keep_alive = http_should_keep_alive(parser) != 0;
    exchange->chunks = parser->http_major == 1 && parser->http_minor >= 1;
    if ((parser->flags & F_CONTENTLENGTH) != 0)
        exchange->content_length = (int64_t)parser->content_length;
    exchange->upgrade = asks_for_websocket(exchange, parser);
    exchange_head_complete(exchange);
    check_head(exchange, parser);
    exchange->upgrade = exchange->upgrade && exchange->refused.status == 0;
    parser->upgrade = exchange->upgrade; /* Upgrade: h2c and others are declined by ignoring them */

    if (exchange->refused.status == 0 && exchange->content_length > (int64_t)exchange->body.limit)
        refuse(exchange, 413, "body_too_large", "The request body is larger than its limit");
    const char *expect = exchange_header(exchange, "expect");
    bool waits = expect != NULL && strcasecmp(expect, "100-continue") == 0 && exchange->content_length != 0;
    bool chunked = (parser->flags & F_CHUNKED) != 0;
    session->answer_early =
        exchange->refused.status != 0 && (waits || exchange->content_length > DROP_MAX || chunked);
    if (session->answer_early)
        http_parser_pause(parser, 1);
    else if (waits)
        http1_send_continue(exchange);

    session->body_since = 0;
    deadline_set(&connection->deadline, connection->server->config->server.body_timeout_ms);
    return 0;
}

static int on_body(http_parser *parser, const char *data, size_t length)
{
    struct connection *connection = parser->data;
    struct http1 *session = connection->session;
    session->body_since += length;
    if (session->body_since >= RATE_BYTES) {
        session->body_since = 0;
        deadline_set(&connection->deadline, connection->server->config->server.body_timeout_ms);
    }
    return !exchange_add_body(session->exchange, data, length);
}

static int on_message(http_parser *parser)
{
    exchange_of(parser)->body_complete = true;
    http_parser_pause(parser, 1); /* the next request waits until this one is answered */
    return 0;
}

static void start_exchange(struct connection *connection)
{
    struct http1 *session = connection->session;
    session->running = true;
    deadline_clear(&connection->deadline);
    if (!session->exchange->body_complete)
        session->exchange->keep_alive = false;
    exchange_dispatch(session->exchange);
}

/* The bytes are no request that can be served: says why, and closes. */
static void refuse_bytes(struct connection *connection, enum http_errno error)
{
    struct http1 *session = connection->session;
    struct exchange *exchange = session->exchange;
    if (exchange == NULL) /* nothing but the first bytes, and those are no method */
        exchange = session->exchange = exchange_create(connection, &http1_ops);
    if (exchange == NULL) {
        connection_close(connection);
        return;
    }
    if (exchange->method == NULL)
        exchange->method = "";
    if (exchange->url_too_large)
        refuse(exchange, 414, "uri_too_long", "The request target is longer than its limit");
    else if (exchange->head_too_large || error == HPE_HEADER_OVERFLOW)
        refuse(exchange, 431, "headers_too_large", "The request headers are larger than their limit");
    else if (error == HPE_INVALID_METHOD)
        refuse(exchange, 501, "not_implemented", "The request method is not known");
    else if (exchange->body_error == 0)
        refuse(exchange, 400, "bad_request", "The request is not valid HTTP/1.1");
    start_exchange(connection);
}

static size_t http1_input(struct connection *connection, const char *data, size_t length)
{
    struct http1 *session = connection->session;
    if (session->running)
        return 0;

    session->input_length = length;
    size_t used = http_parser_execute(&session->parser, &settings, data, length);
    enum http_errno error = HTTP_PARSER_ERRNO(&session->parser);
    if (error == HPE_OK && !session->parser.upgrade)
        return used;
    if (error == HPE_PAUSED)
        http_parser_pause(&session->parser, 0);
    if (error == HPE_PAUSED || (error == HPE_OK && session->parser.upgrade)) {
        if (session->exchange->body_complete || session->answer_early)
            start_exchange(connection);
        return used;
    }
    refuse_bytes(connection, error);
    return length;
}

void http1_exchange_ended(struct connection *connection)
{
    struct http1 *session = connection->session;
    struct exchange *exchange = session->exchange;
    bool keep = exchange->keep_alive && !connection->server->draining;
    session->exchange = NULL;
    session->running = false;
    session->parser.upgrade = 0; /* an upgrade that was refused is over */
    exchange_detach(exchange, false);
    if (!keep) {
        connection_finish(connection, true);
        return;
    }
    deadline_set(&connection->deadline, connection->server->config->server.idle_timeout_ms);
    connection_resume(connection);
}

static void http1_timed_out(struct connection *connection)
{
    struct http1 *session = connection->session;
    struct exchange *exchange = session->exchange;
    if (exchange == NULL) {
        connection_close(connection);
        return;
    }
    if (session->running) {
        if (exchange->event_stream)
            http1_send_comment(exchange);
        return;
    }
    if (exchange->method == NULL)
        exchange->method = "";
    refuse(exchange, 408, "request_timeout", "The request did not arrive in time");
    exchange->body_error = 0;
    start_exchange(connection);
}

static void http1_writable(struct connection *connection)
{
    struct http1 *session = connection->session;
    if (session->exchange != NULL && session->exchange->ctx != NULL)
        context_writable(session->exchange->ctx);
}

static void http1_closed(struct connection *connection)
{
    struct http1 *session = connection->session;
    if (session == NULL)
        return;
    if (session->exchange != NULL)
        exchange_detach(session->exchange, true);
    free(session);
    connection->session = NULL;
}

void http1_leave(struct connection *connection)
{
    struct http1 *session = connection->session;
    exchange_detach(session->exchange, false);
    free(session);
    connection->session = NULL;
}

static void http1_drain(struct connection *connection)
{
    struct http1 *session = connection->session;
    if (session->exchange != NULL)
        return;
    if (connection->server->drain_linger_ms > 0)
        deadline_set(&connection->deadline, connection->server->drain_linger_ms);
    else
        connection_finish(connection, false);
}

static const struct protocol protocol = {
    .input = http1_input,
    .writable = http1_writable,
    .timed_out = http1_timed_out,
    .closed = http1_closed,
    .drain = http1_drain,
};

const struct exchange *http1_waiting(const struct connection *connection)
{
    const struct http1 *session = connection->session;
    bool waits = connection->protocol == &protocol && session != NULL && session->running;
    return waits ? session->exchange : NULL;
}

bool http1_listens(const struct connection *connection)
{
    const struct http1 *session = connection->session;
    return connection->protocol == &protocol && session != NULL && !session->running &&
           connection->state == CONNECTION_OPEN;
}

void http1_open(struct connection *connection)
{
    struct http1 *session = calloc(1, sizeof *session);
    if (session == NULL) {
        connection_close(connection);
        return;
    }
    http_parser_init(&session->parser, HTTP_REQUEST);
    session->parser.data = connection;
    connection->session = session;
    connection->protocol = &protocol;
}
