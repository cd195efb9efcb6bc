/*
 * Client address and origin; see forwarded.h.
 */
#include "forwarded.h"

#include "connection.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct address {
    unsigned char bytes[16];
    int family, bits;
};

static bool read_address(const char *text, struct address *address)
{
    address->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    address->bits = address->family == AF_INET6 ? 128 : 32;
    return inet_pton(address->family, text, address->bytes) == 1;
}

/* "10.0.0.0/8", or an address alone. */
static bool in_block(const struct address *address, const char *block)
{
    char text[64];
    size_t length = strcspn(block, "/");
    struct address network;
    if (length >= sizeof text)
        return false;
    memcpy(text, block, length);
    text[length] = '\0';
    if (!read_address(text, &network) || network.family != address->family)
        return false;
    int bits = block[length] == '/' ? atoi(block + length + 1) : network.bits;
    if (memcmp(network.bytes, address->bytes, (size_t)bits / 8) != 0)
        return false;
    unsigned mask = 0xff00u >> (bits % 8) & 0xffu;
    return bits % 8 == 0 || ((network.bytes[bits / 8] ^ address->bytes[bits / 8]) & mask) == 0;
}

static bool trusted(const struct exchange *exchange, const char *text)
{
    struct address address;
    const char **block = exchange->server->config->server.trusted_proxies;
    if (block == NULL || !read_address(text, &address))
        return false;
    for (; *block != NULL; block++)
        if (in_block(&address, *block))
            return true;
    return false;
}

static char *trimmed(edge_ctx *ctx, const char *start, size_t length)
{
    while (length > 0 && (*start == ' ' || *start == '\t')) {
        start++;
        length--;
    }
    while (length > 0 && (start[length - 1] == ' ' || start[length - 1] == '\t'))
        length--;
    return edge_copy_bytes(ctx, start, length);
}

const char *forwarded_ip(edge_ctx *ctx, const struct exchange *exchange)
{
    const char *ip = exchange->connection != NULL ? exchange->connection->peer : "";
    ip = edge_copy(ctx, ip);
    const char *list = exchange_header(exchange, "x-forwarded-for");
    if (list == NULL || !trusted(exchange, ip))
        return ip;

    /* From the right: each hop appended the address it saw. */
    size_t end = strlen(list);
    while (end > 0) {
        size_t start = end;
        while (start > 0 && list[start - 1] != ',')
            start--;
        char *hop = trimmed(ctx, list + start, end - start);
        struct address address;
        if (!read_address(hop, &address))
            return ip;
        ip = hop;
        if (!trusted(exchange, hop))
            return ip;
        end = start > 0 ? start - 1 : 0;
    }
    return ip;
}

/* "scheme://host": once a request, so not by edge_format, which takes ten times as long. */
static const char *joined(edge_ctx *ctx, const char *scheme, const char *host)
{
    size_t scheme_length = strlen(scheme), host_length = strlen(host);
    char *text = edge_alloc(ctx, scheme_length + host_length + 4);
    char *at = mempcpy(text, scheme, scheme_length);
    at = mempcpy(at, "://", 3);
    memcpy(at, host, host_length);
    return text;
}

const char *forwarded_origin(edge_ctx *ctx, const struct exchange *exchange)
{
    const struct connection *connection = exchange->connection;
    const char *scheme = connection != NULL && connection->tls != NULL ? "https" : "http";
    const char *host = exchange_header(exchange, "host");
    if (connection != NULL && trusted(exchange, connection->peer)) {
        const char *proto = exchange_header(exchange, "x-forwarded-proto");
        const char *forwarded = exchange_header(exchange, "x-forwarded-host");
        if (proto != NULL)
            scheme = strcmp(proto, "https") == 0 ? "https" : "http";
        host = forwarded != NULL ? forwarded : host;
    }
    return joined(ctx, scheme, host != NULL ? host : "localhost");
}
