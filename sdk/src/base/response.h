/*
 * Answering, between its files.
 */
#ifndef BASE_RESPONSE_H
#define BASE_RESPONSE_H

#include <edge/response.h>

/* RFC 9110 5.6.2: what a header or a cookie may be called. */
bool response_is_token(const char *name);

/* The type as which a body can go out without harm. */
const char *response_safe_type(edge_ctx *ctx, const char *media_type);

/* Sends the head of the one answer there is. */
void response_begin(edge_ctx *ctx, int status, const char *media_type, int64_t length);

/* Content-Disposition of what is to be saved under a name. */
const char *response_disposition(edge_ctx *ctx, const char *name);

#endif
