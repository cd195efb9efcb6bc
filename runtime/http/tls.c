/*
 * TLS; see tls.h. TLS 1.2 with forward secrecy and 1.3 (RFC 9325); session buffers are released while idle.
 */
#include "tls.h"

#include "connection.h"
#include "http1.h"
#include "http2.h"
#include "server.h"

#include <log.h>

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>

enum {
    READS_A_TURN = 8,
    LOOK_SECONDS = 2
};

/* Wire format of RFC 7301: each name with its length before it. */
static const unsigned char protocols[] = "\x02h2\x08http/1.1";

static int choose_protocol(SSL *tls, const unsigned char **out, unsigned char *out_length,
    const unsigned char *in, unsigned int in_length, void *arg)
{
    (void)tls, (void)arg;
    unsigned char *chosen = NULL;
    int result = SSL_select_next_proto(&chosen, out_length, protocols, sizeof protocols - 1, in, in_length);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static void log_tls_error(const char *event, const char *file)
{
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    log_event(EDGE_LOG_ERROR, event, { "file", edge_text(file) }, { "reason", edge_text(text) });
    ERR_clear_error();
}

SSL_CTX *tls_context_create(const char *certificate, const char *key)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_mode(context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(context) == 1)
        return context;
    log_tls_error("tls_certificate_refused", certificate);
    SSL_CTX_free(context);
    return NULL;
}

static void look_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct http_server *server = timer->data;
    struct stat certificate, key;
    const struct server_config *config = &server->config->server;
    if (stat(config->tls_cert, &certificate) < 0 || stat(config->tls_key, &key) < 0)
        return;
    int64_t stamp = certificate.st_mtim.tv_sec * 1000000000 + certificate.st_mtim.tv_nsec +
                    certificate.st_size + (int64_t)certificate.st_ino + key.st_mtim.tv_sec * 1000000000 +
                    key.st_mtim.tv_nsec;
    if (stamp == server->tls_stamp)
        return;
    bool first = server->tls_stamp == 0;
    server->tls_stamp = stamp;
    SSL_CTX *context = first ? NULL : tls_context_create(config->tls_cert, config->tls_key);
    if (context == NULL)
        return;
    SSL_CTX_free(server->tls); /* open connections hold their own reference */
    server->tls = context;
    log_event(EDGE_LOG_INFO, "tls_certificate_reloaded", { "file", edge_text(config->tls_cert) });
}

void tls_watch(struct http_server *server)
{
    ev_timer_init(&server->tls_look, look_again, 0, LOOK_SECONDS);
    server->tls_look.data = server;
    look_again(server->loop, &server->tls_look, 0);
    ev_timer_again(server->loop, &server->tls_look);
}

void tls_watch_stop(struct http_server *server)
{
    ev_timer_stop(server->loop, &server->tls_look);
}

void tls_accept(struct connection *connection)
{
    connection->tls = SSL_new(connection->server->tls);
    if (connection->tls == NULL || SSL_set_fd(connection->tls, connection->readable.fd) != 1)
        connection_close(connection);
    else
        SSL_set_accept_state(connection->tls);
}

static void handshake_done(struct connection *connection)
{
    const unsigned char *name = NULL;
    unsigned int length = 0;
    SSL_get0_alpn_selected(connection->tls, &name, &length);
    connection->state = CONNECTION_OPEN;
    if (length == 2 && memcmp(name, "h2", 2) == 0)
        http2_open(connection);
    else
        http1_open(connection);
}

static bool shake_hands(struct connection *connection)
{
    ERR_clear_error();
    int result = SSL_do_handshake(connection->tls);
    if (result == 1) {
        ev_io_stop(connection->server->loop, &connection->writable);
        handshake_done(connection);
        return true;
    }
    int reason = SSL_get_error(connection->tls, result);
    if (reason == SSL_ERROR_WANT_WRITE)
        ev_io_start(connection->server->loop, &connection->writable);
    else if (reason != SSL_ERROR_WANT_READ)
        connection_close(connection);
    return false;
}

void tls_readable(struct connection *connection)
{
    if (connection->state == CONNECTION_HANDSHAKE && !shake_hands(connection))
        return;

    char *buffer = connection->server->buffer;
    for (int i = 0; i < READS_A_TURN && connection->state == CONNECTION_OPEN; i++) {
        ERR_clear_error();
        int got = SSL_read(connection->tls, buffer, READ_BUFFER);
        if (got > 0) {
            connection_deliver(connection, buffer, (size_t)got);
            continue;
        }
        int reason = SSL_get_error(connection->tls, got);
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
            connection_close(connection);
        return;
    }
    /* OpenSSL may hold decrypted bytes that the socket will not announce again. */
    if (connection->state == CONNECTION_OPEN && ev_is_active(&connection->readable))
        ev_feed_event(connection->server->loop, &connection->readable, EV_READ);
}

ssize_t tls_write(struct connection *connection, const char *data, size_t length)
{
    ERR_clear_error();
    size_t written = 0;
    if (SSL_write_ex(connection->tls, data, length, &written) == 1)
        return (ssize_t)written;
    int reason = SSL_get_error(connection->tls, 0);
    errno = reason == SSL_ERROR_WANT_WRITE || reason == SSL_ERROR_WANT_READ ? EAGAIN : EPIPE;
    return -1;
}
