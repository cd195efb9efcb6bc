/*
 * Verifiers of signed events. A scheme is one file: webhook_<name>.c defines a struct webhook_scheme, and is
 * listed in webhook.c and, for functions.toml, in config/schema.c.
 *
 * Verifiers look at headers and at the body's raw bytes, before anything is parsed, and fail the invocation:
 *   503 "not_configured"     the secret's variable is unset, or holds nothing that can be a secret
 *   401 "missing_signature"  a header that the scheme needs is absent
 *   401 "invalid_signature"  it is malformed, or does not fit the body
 *   401 "stale_timestamp"    the event was signed too long ago, or in the future
 *
 * Secrets and settings are the function's environment (ctx->env): the variable that webhook_secret names (when
 * it is unset, the one that webhook_secret_fallback names), which may hold several secrets separated by commas
 * while one is being replaced by another, and WEBHOOK_TOLERANCE_SECONDS.
 */
#ifndef HTTP_WEBHOOK_H
#define HTTP_WEBHOOK_H

#include <config/config.h>
#include <context.h>

#include <sys/uio.h>

struct webhook_scheme {
    const char *name; /* as in auth = "webhook:<name>" */
    void (*verify)(edge_ctx *ctx, const struct function_config *function);
};

extern const struct webhook_scheme webhook_elevenlabs;
extern const struct webhook_scheme webhook_gohighlevel;
extern const struct webhook_scheme webhook_shopify;
extern const struct webhook_scheme webhook_svix;

/* Verifies by the function's scheme; returns when the event is genuine. Fiber only. */
void webhook_verify(edge_ctx *ctx, const struct function_config *function);

/* Tools of the verifiers. */

/* The n-th of the comma-separated secrets, blanks cut off; NULL behind the last one. Unset: 503. */
const char *webhook_secret(edge_ctx *ctx, const struct function_config *function, size_t n);

/* Whether there is a secret; the second one ends the invocation with 503 when there is none. */
bool webhook_has_secret(edge_ctx *ctx, const struct function_config *function);
void webhook_require_secret(edge_ctx *ctx, const struct function_config *function);

/* HMAC-SHA256 over parts one after the other, so that a large body need not be copied. */
void webhook_hmac_sha256(
    const void *key, size_t key_length, const struct iovec *parts, size_t count, uint8_t out[32]);

/* A header's value, NULL when it is absent or blank. */
const char *webhook_header(edge_ctx *ctx, const char *name);

/* Reads Unix seconds: digits only. False when text is no such number. */
bool webhook_timestamp(const char *text, int64_t *seconds);

/* Fails with stale_timestamp when the event's time is further from now than the tolerance, either way. */
void webhook_check_time(edge_ctx *ctx, int64_t seconds);

EDGE_NORETURN void webhook_missing(edge_ctx *ctx, const char *detail);
EDGE_NORETURN void webhook_invalid(edge_ctx *ctx, const char *detail);
EDGE_NORETURN void webhook_unconfigured(
    edge_ctx *ctx, const struct function_config *function, const char *detail);

#endif
