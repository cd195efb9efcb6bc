/*
 * What the stand-ins for Google's APIs share: access tokens, and errors in Google's shape
 * (https://cloud.google.com/apis/design/errors, and for APIs of version 3 the list "errors" beside it:
 * https://developers.google.com/workspace/drive/api/guides/handle-errors).
 */
#ifndef LIB_SANDBOX_GOOGLE_H
#define LIB_SANDBOX_GOOGLE_H

#include <edge/edge.h>

/* An error answer; reason is the one of errors[0], status as google.rpc.Code names it. */
json_t *sandbox_google_error(
    edge_ctx *ctx, int code, const char *reason, const char *status, const char *message);

/* 401 unless the request has an access token that counts; else NULL. */
json_t *sandbox_google_refusal(edge_ctx *ctx);

/* 400: the body is no JSON object. */
json_t *sandbox_google_bad_body(edge_ctx *ctx);

/* An id as Google makes them, another one for each request. */
EDGE_RETURNS_NONNULL const char *sandbox_google_id(edge_ctx *ctx);

#endif
