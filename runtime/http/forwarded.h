/*
 * Who the client is and how it addressed us, seen through the proxies that functions.toml trusts.
 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "exchange.h"

/* The client's address: the peer's, or the last one of X-Forwarded-For that no trusted proxy added. */
const char *forwarded_ip(edge_ctx *ctx, const struct exchange *exchange);

/* Scheme and authority, "https://api.example.com"; X-Forwarded-Proto and -Host count from a trusted proxy. */
const char *forwarded_origin(edge_ctx *ctx, const struct exchange *exchange);

#endif
