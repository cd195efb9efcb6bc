/*
 * The list of webhook schemes, and what their verifiers share.
 */
#include "webhook.h"

#include <edge/request.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdlib.h>
#include <string.h>

enum {
    TOLERANCE_S = 300,
    TOLERANCE_MAX_S = 86400
};

static const struct webhook_scheme *const schemes[] = {
    &webhook_svix,
    &webhook_elevenlabs,
    &webhook_shopify,
    &webhook_gohighlevel,
};

void webhook_verify(edge_ctx *ctx, const struct function_config *function)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strcmp(schemes[i]->name, function->webhook_scheme) == 0) {
            schemes[i]->verify(ctx, function);
            return;
        }
    }
    context_fail_detail(ctx, 500, "internal_error", "Something went wrong",
        edge_format(ctx, "no verifier for webhook scheme \"%s\"", function->webhook_scheme));
}

void webhook_unconfigured(edge_ctx *ctx, const struct function_config *function, const char *detail)
{
    context_fail_detail(
        ctx, 503, "not_configured", edge_format(ctx, "%s is not configured", function->webhook_secret), detail);
}

void webhook_missing(edge_ctx *ctx, const char *detail)
{
    context_fail_detail(ctx, 401, "missing_signature", "The event is not signed", detail);
}

void webhook_invalid(edge_ctx *ctx, const char *detail)
{
    context_fail_detail(ctx, 401, "invalid_signature", "The event's signature is not valid", detail);
}

static const char *secret_list(edge_ctx *ctx, const struct function_config *function)
{
    const char *list = edge_env(ctx, function->webhook_secret);
    if (list == NULL && function->webhook_secret_fallback != NULL)
        list = edge_env(ctx, function->webhook_secret_fallback);
    return list;
}

const char *webhook_secret(edge_ctx *ctx, const struct function_config *function, size_t n)
{
    const char *list = secret_list(ctx, function);
    if (list == NULL)
        webhook_unconfigured(ctx, function, "the variable is unset, or not in the function's env");

    for (;;) {
        list += strspn(list, ", \t");
        if (*list == '\0')
            return NULL;
        size_t length = strcspn(list, ",");
        if (n-- == 0) {
            while (list[length - 1] == ' ' || list[length - 1] == '\t')
                length--;
            return edge_copy_bytes(ctx, list, length);
        }
        list += length;
    }
}

bool webhook_has_secret(edge_ctx *ctx, const struct function_config *function)
{
    return secret_list(ctx, function) != NULL && webhook_secret(ctx, function, 0) != NULL;
}

void webhook_require_secret(edge_ctx *ctx, const struct function_config *function)
{
    if (!webhook_has_secret(ctx, function))
        webhook_unconfigured(ctx, function, "the variable is unset or holds no secret");
}

/* Without memory or with a broken library nothing can be verified, and nothing must pass. */
static void must(bool done)
{
    if (!done)
        abort();
}

/* The process's one context: initialising it with a key starts a new computation. */
static EVP_MAC_CTX *hmac_context(void)
{
    static EVP_MAC_CTX *context;
    if (context != NULL)
        return context;

    char name[] = "SHA256";
    const OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    must(context != NULL && EVP_MAC_CTX_set_params(context, digest) == 1);
    return context;
}

void webhook_hmac_sha256(
    const void *key, size_t key_length, const struct iovec *parts, size_t count, uint8_t out[32])
{
    EVP_MAC_CTX *context = hmac_context();
    /* A NULL key would mean the one of the call before. */
    must(EVP_MAC_init(context, key_length > 0 ? key : "", key_length, NULL) == 1);
    for (size_t i = 0; i < count; i++)
        must(EVP_MAC_update(context, parts[i].iov_base, parts[i].iov_len) == 1);
    size_t written = 0;
    must(EVP_MAC_final(context, out, &written, 32) == 1 && written == 32);
}

const char *webhook_header(edge_ctx *ctx, const char *name)
{
    const char *value = edge_request_header(ctx, name);
    if (value == NULL)
        return NULL;
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    return length > 0 ? edge_copy_bytes(ctx, value, length) : NULL;
}

bool webhook_timestamp(const char *text, int64_t *seconds)
{
    size_t length = strlen(text);
    if (length == 0 || length > 15 || strspn(text, "0123456789") < length)
        return false;
    *seconds = strtoll(text, NULL, 10);
    return true;
}

static int64_t tolerance(edge_ctx *ctx)
{
    const char *text = edge_env(ctx, "WEBHOOK_TOLERANCE_SECONDS");
    int64_t seconds = TOLERANCE_S;
    if (text != NULL && webhook_timestamp(text, &seconds) && seconds <= TOLERANCE_MAX_S)
        return seconds;
    return TOLERANCE_S;
}

void webhook_check_time(edge_ctx *ctx, int64_t seconds)
{
    int64_t distance = edge_now(ctx) / 1000000 - seconds;
    int64_t allowed = tolerance(ctx);
    if (distance <= allowed && distance >= -allowed)
        return;
    context_fail_detail(ctx, 401, "stale_timestamp", "The event's timestamp is too far from now",
        edge_format(ctx, "%lld s from now, %lld s allowed", (long long)distance, (long long)allowed));
}
