/*
 * Shopify: X-Shopify-Hmac-Sha256 is the body's HMAC-SHA256, base64, with the app's secret. Nothing says when it
 * was signed, so a replay is for the function to know, by the delivery's id.
 * https://shopify.dev/docs/apps/build/webhooks/subscribe/https
 */
#include "webhook.h"

#include <edge/crypto.h>
#include <edge/request.h>

#include <string.h>

static void shopify_verify(edge_ctx *ctx, const struct function_config *function)
{
    webhook_require_secret(ctx, function);

    const char *header = webhook_header(ctx, "x-shopify-hmac-sha256");
    if (header == NULL)
        webhook_missing(ctx, "there is no X-Shopify-Hmac-Sha256");

    size_t given_length = 0, body_length = 0;
    const uint8_t *given = edge_base64_decode(ctx, header, &given_length);
    if (given == NULL || given_length != 32)
        webhook_invalid(ctx, "X-Shopify-Hmac-Sha256 is not the base64 of 32 bytes");

    const void *body = edge_request_body(ctx, &body_length);
    const struct iovec part = { (void *)body, body_length };
    bool valid = false;
    const char *secret = NULL;
    for (size_t i = 0; (secret = webhook_secret(ctx, function, i)) != NULL; i++) {
        uint8_t mac[32];
        webhook_hmac_sha256(secret, strlen(secret), &part, 1, mac);
        valid |= edge_equal(given, given_length, mac, sizeof mac);
    }
    if (!valid)
        webhook_invalid(ctx, "the signature does not fit");
}

const struct webhook_scheme webhook_shopify = { .name = "shopify", .verify = shopify_verify };
