/*
 * Opening a WebSocket: the handshake's rules, who calls, and handing the socket to libwebsockets.
 *
 * The caller is identified in an invocation of its own, which holds the exchange as any other does. It starts
 * at the loop's next turn, not from the stack on which the request was parsed: what the client has sent
 * behind its request is the connection's by then (connection->kept), and goes to libwebsockets with it.
 */
#include "websocket.h"
#include "websocket_deflate.h"
#include "websocket_session.h"

#include "auth.h"
#include "connection.h"
#include "cors.h"
#include "exchange.h"
#include "http1.h"
#include "plugin/generation.h"
#include "plugin/invoke.h"
#include "pump.h"
#include "rate.h"
#include "respond.h"
#include "telemetry/metrics.h"
#include "worker/state.h"

#include <edge/auth.h>
#include <edge/json.h>
#include <edge/request.h>

#include <context.h>
#include <log.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct upgrade {
    struct upgrade *previous, *next; /* waiting for the turn */
    bool waits;
    struct exchange *exchange;
    struct generation *generation;
    edge_ctx *ctx;
    bool bearer;             /* the client offers the subprotocol, and gets it without another one */
    const char *subprotocol; /* of the function, which the client offers, too */
    int64_t valid_until_us;
};

static struct upgrade *waiting;

static void put_on_list(struct upgrade *upgrade)
{
    upgrade->waits = true;
    upgrade->next = waiting;
    if (waiting != NULL)
        waiting->previous = upgrade;
    waiting = upgrade;
}

static void take_off_list(struct upgrade *upgrade)
{
    if (!upgrade->waits)
        return;
    upgrade->waits = false;
    if (upgrade->previous != NULL)
        upgrade->previous->next = upgrade->next;
    else
        waiting = upgrade->next;
    if (upgrade->next != NULL)
        upgrade->next->previous = upgrade->previous;
}

/* The next item of a comma-separated list, without blanks; false at its end. */
static bool next_item(const char **at, const char **item, size_t *length)
{
    *item = *at + strspn(*at, " \t,");
    *length = strcspn(*item, ",");
    *at = *item + *length;
    while (*length > 0 && ((*item)[*length - 1] == ' ' || (*item)[*length - 1] == '\t'))
        (*length)--;
    return *length > 0;
}

/* The credential as a header, in front of the request's own: at its end there is no room. */
static void add_authorization(edge_ctx *ctx, const char *token, size_t length)
{
    const edge_header *old = ctx->request.headers;
    size_t count = 0;
    while (old[count].name != NULL)
        count++;
    edge_header *headers = edge_alloc(ctx, (count + 2) * sizeof *headers);
    headers[0] = (edge_header){ "authorization", edge_format(ctx, "Bearer %.*s", (int)length, token) };
    memcpy(headers + 1, old, count * sizeof *headers);
    ctx->request.headers = headers;
}

/*
 * Browsers can set no header here, but subprotocols: "bearer, <token>" is a credential like Authorization,
 * which goes before it.
 */
static void read_subprotocol(edge_ctx *ctx, struct upgrade *upgrade)
{
    const char *at = edge_request_header(ctx, "sec-websocket-protocol"), *item = NULL;
    size_t length = 0;
    while (at != NULL && !upgrade->bearer && next_item(&at, &item, &length))
        upgrade->bearer = length == strlen("bearer") && memcmp(item, "bearer", length) == 0;
    if (upgrade->bearer && next_item(&at, &item, &length) && edge_request_header(ctx, "authorization") == NULL)
        add_authorization(ctx, item, length);
}

static bool offers(const char *header, const char *subprotocol)
{
    const char *item = NULL;
    size_t length = 0;
    while (header != NULL && next_item(&header, &item, &length))
        if (length == strlen(subprotocol) && memcmp(item, subprotocol, length) == 0)
            return true;
    return false;
}

/* The first that both have, in the function's order. */
static const char *agree_on_subprotocol(edge_ctx *ctx)
{
    const char *const *known = ctx->function->session != NULL ? ctx->function->subprotocols : NULL;
    const char *header = edge_request_header(ctx, "sec-websocket-protocol");
    for (; known != NULL && *known != NULL; known++)
        if (offers(header, *known))
            return *known;
    return NULL;
}

/* When the session's token expires; 0 for callers without one. */
static int64_t expiry_us(edge_ctx *ctx, const struct upgrade *upgrade)
{
    if (ctx->identity.claims_json == NULL)
        return 0;
    double seconds = edge_json_number(edge_auth_claims(ctx), "exp", 0);
    int64_t skew_ms = upgrade->exchange->server->config->auth.clock_skew_ms;
    return seconds > 0 ? (int64_t)(seconds * 1000000) + skew_ms * 1000 : 0;
}

static void on_main(edge_ctx *ctx)
{
    struct upgrade *upgrade = ctx->host;
    invoke_fill_request(ctx, upgrade->exchange);
    const struct function_config *config = upgrade->generation->config;
    bool counts = ctx->function->session != NULL; /* else every message does */
    upgrade->subprotocol = agree_on_subprotocol(ctx);
    read_subprotocol(ctx, upgrade);
    if (counts)
        rate_admit(ctx, config);
    auth_identify(ctx, config);
    if (counts) {
        rate_enforce(ctx, config);
        invoke_choose(ctx, &upgrade->generation);
    }
    upgrade->valid_until_us = expiry_us(ctx, upgrade);
}

/*
 * The head that libwebsockets is to see: the path and the headers are this host's business, and the offers
 * are those it may accept. Then what came behind the client's own. malloc'ed; NULL when memory is short.
 */
static char *received_bytes(const struct upgrade *upgrade, size_t *length)
{
    const struct exchange *exchange = upgrade->exchange;
    const struct connection *connection = exchange->connection;
    bool deflate = websocket_deflate_offered(exchange_header(exchange, "sec-websocket-extensions"));
    char head[512];
    int size = snprintf(head, sizeof head,
        "GET / HTTP/1.1\r\nHost: edge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s%s\r\n",
        exchange_header(exchange, "sec-websocket-key"),
        upgrade->bearer && upgrade->subprotocol == NULL ? "Sec-WebSocket-Protocol: bearer\r\n" : "",
        deflate ? "Sec-WebSocket-Extensions: " WEBSOCKET_DEFLATE_OFFER "\r\n" : "");
    char *bytes = malloc((size_t)size + connection->kept_length);
    if (bytes == NULL)
        return NULL;
    memcpy(bytes, head, (size_t)size);
    *length = (size_t)size;
    if (connection->tls == NULL && connection->kept_length > 0) {
        memcpy(bytes + size, connection->kept, connection->kept_length);
        *length += connection->kept_length;
    }
    return bytes;
}

/* The session owns a plain socket; under TLS the connection keeps it, and is pumped. Negative: no socket. */
static int take_socket(struct connection *connection, struct websocket_session *session)
{
    if (connection->tls == NULL) {
        session->owns_connection = true;
        session->server->connection_count++;
        return connection_take_fd(connection);
    }
    int fd = -1;
    int result = pump_open(connection, &fd);
    if (result < 0)
        connection_close(connection);
    return result < 0 ? result : fd;
}

static void fail_open(struct exchange *exchange)
{
    exchange->keep_alive = false;
    respond_error(exchange, 503, "overloaded", "The host is out of memory");
}

/* From here on the request is answered: by libwebsockets, or not at all. */
static void hand_over(edge_ctx *ctx, struct upgrade *upgrade)
{
    struct exchange *exchange = upgrade->exchange;
    struct connection *connection = exchange->connection;
    struct websocket_caller *caller = websocket_caller_copy(ctx, upgrade->valid_until_us);
    if (caller != NULL)
        caller->auth = upgrade->generation->config->auth;
    struct websocket_session *session = websocket_session_create(exchange->server, upgrade->generation, caller);
    size_t length = 0;
    char *bytes = session != NULL ? received_bytes(upgrade, &length) : NULL;
    if (bytes == NULL) {
        if (session != NULL)
            websocket_session_release(session);
        fail_open(exchange);
        return;
    }
    session->subprotocol = upgrade->subprotocol;
    session->stale = exchange->stale;
    exchange->status = 101;
    http1_leave(connection);
    int fd = take_socket(connection, session);
    if (fd < 0)
        websocket_session_release(session);
    else if (websocket_adopt(session, fd, bytes, length) && connection->state == CONNECTION_OPEN)
        connection_resume(connection);
    free(bytes);
}

static void refuse(struct exchange *exchange, int status, const char *code, const char *message)
{
    exchange->keep_alive = false; /* the parser is in no state to take another request */
    respond_error(exchange, status, code, message);
}

static void on_finished(edge_ctx *ctx)
{
    struct upgrade *upgrade = ctx->host;
    struct exchange *exchange = upgrade->exchange;
    struct worker *worker = worker_of(exchange->server);
    int status = ctx->failure != NULL ? invoke_error_status(ctx->failure) : 101;
    bool reachable = exchange->connection != NULL && exchange->connection->state == CONNECTION_OPEN;
    if (reachable && ctx->failure != NULL) {
        exchange->keep_alive = false;
        invoke_send_failure(ctx, exchange);
    } else if (reachable && worker->server.draining) {
        status = 503;
        refuse(exchange, status, "draining", "The host is about to stop");
    } else if (reachable) {
        hand_over(ctx, upgrade);
        status = exchange->status;
    }

    int64_t duration_us = log_invocation(ctx, status);
    if (status >= 400) /* an opened socket is no call yet */
        metrics_record(worker->boot->slot, upgrade->generation->index, status, duration_us, &ctx->usage);
}

static void on_released(edge_ctx *ctx)
{
    struct upgrade *upgrade = ctx->host;
    take_off_list(upgrade);
    generation_release(upgrade->generation);
    exchange_release(upgrade->exchange);
    free(upgrade);
}

static const struct context_ops upgrade_ops = {
    .main = on_main,
    .finished = on_finished,
    .released = on_released,
};

bool websocket_upgrade_turn(void)
{
    bool any = waiting != NULL;
    while (waiting != NULL) {
        struct upgrade *upgrade = waiting;
        take_off_list(upgrade);
        context_run(upgrade->ctx);
    }
    return any;
}

/* RFC 6455 4.1: 16 bytes, base64-encoded. */
static bool is_key(const char *key)
{
    unsigned char bytes[18];
    if (key == NULL || strlen(key) != 24 || strcmp(key + 22, "==") != 0 || strchr(key, '=') != key + 22)
        return false;
    return EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18;
}

/* A request without Origin comes from no browser, so that no page is behind it. */
static bool origin_allowed(const struct exchange *exchange)
{
    const char *origin = exchange_header(exchange, "origin");
    edge_header request[] = { { "origin", origin }, { 0 } }, answer[CORS_HEADER_MAX];
    if (origin == NULL)
        return true;
    size_t count =
        cors_answer((const char *const *)exchange->server->config->server.cors_origins, request, answer);
    return count > 0 && strcmp(answer[0].name, "access-control-allow-origin") == 0;
}

static void refuse_version(struct exchange *exchange)
{
    static const struct header_node version = { .name = "sec-websocket-version", .value = "13" };
    char text[256];
    int length = snprintf(text, sizeof text,
        "{\"error\":\"The host speaks version 13 of the WebSocket protocol\","
        "\"code\":\"upgrade_required\",\"requestId\":\"%s\"}",
        exchange->request_id);
    exchange->keep_alive = false;
    respond_json(exchange,
        &(const struct answer){
            .status = 426, .media_type = "application/json", .code = "upgrade_required", .more = &version },
        text, (size_t)length);
}

/* False when it has been answered. */
static bool check_handshake(struct exchange *exchange)
{
    const char *version = exchange_header(exchange, "sec-websocket-version");
    if (version == NULL || strcmp(version, "13") != 0)
        refuse_version(exchange);
    else if (exchange_header_count(exchange, "sec-websocket-key") != 1 ||
             !is_key(exchange_header(exchange, "sec-websocket-key")))
        refuse(exchange, 400, "bad_request", "Sec-WebSocket-Key must be 16 bytes in base64");
    else if (exchange->body.length > 0)
        refuse(exchange, 400, "bad_request", "A WebSocket's opening request has no body");
    else if (!origin_allowed(exchange))
        refuse(exchange, 403, "forbidden", "This origin may not open a WebSocket here");
    else if (exchange->server->draining)
        refuse(exchange, 503, "draining", "The host is about to stop");
    else
        return true;
    return false;
}

void websocket_upgrade(struct exchange *exchange, struct generation *generation)
{
    if (!check_handshake(exchange))
        return;
    struct upgrade *upgrade = calloc(1, sizeof *upgrade);
    edge_ctx *ctx = upgrade != NULL ? invoke_create(worker_of(exchange->server), generation, &upgrade_ops,
                                          upgrade, exchange->request_id)
                                    : NULL;
    if (ctx == NULL) {
        free(upgrade);
        fail_open(exchange);
        return;
    }
    upgrade->exchange = exchange;
    upgrade->generation = generation;
    upgrade->ctx = ctx;
    exchange->ctx = ctx;
    generation_hold(generation);
    put_on_list(upgrade);
}
