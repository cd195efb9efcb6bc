/*
 * Svix, and the Standard Webhooks that came of it: <id>.<timestamp>.<body> under HMAC-SHA256.
 * https://docs.svix.com/receiving/verifying-payloads/how-manual, https://www.standardwebhooks.com
 */
#include "webhook.h"

#include <edge/crypto.h>
#include <edge/log.h>
#include <edge/request.h>

#include <string.h>

/* The three headers of one family, Svix's own or the standard's. */
struct envelope {
    const char *id, *timestamp, *signatures;
};

static bool read_family(edge_ctx *ctx, const char *family, struct envelope *envelope)
{
    envelope->id = webhook_header(ctx, edge_format(ctx, "%s-id", family));
    envelope->timestamp = webhook_header(ctx, edge_format(ctx, "%s-timestamp", family));
    envelope->signatures = webhook_header(ctx, edge_format(ctx, "%s-signature", family));
    return envelope->id != NULL && envelope->timestamp != NULL && envelope->signatures != NULL;
}

/* A secret's key: base64 behind an optional prefix. NULL when it is none. */
static const uint8_t *key_of(edge_ctx *ctx, const char *secret, size_t *length)
{
    static const char prefix[] = "whsec_";
    if (strncmp(secret, prefix, sizeof prefix - 1) == 0)
        secret += sizeof prefix - 1;
    const uint8_t *key = edge_base64_decode(ctx, secret, length);
    return key != NULL && *length > 0 ? key : NULL;
}

/* True when one of the space-separated "version,signature" entries is version 1's of this MAC. */
static bool signature_listed(const char *list, const char *expected)
{
    bool listed = false;
    while (*list != '\0') {
        size_t length = strcspn(list, " ");
        if (length > 3 && memcmp(list, "v1,", 3) == 0)
            listed |= edge_equal(list + 3, length - 3, expected, strlen(expected));
        list += length;
        list += strspn(list, " ");
    }
    return listed;
}

/* A variable without one usable secret is the operator's mistake, whatever the event says. */
static void check_secrets(edge_ctx *ctx, const struct function_config *function)
{
    size_t usable = 0, length = 0, i = 0;
    for (const char *secret = NULL; (secret = webhook_secret(ctx, function, i)) != NULL; i++)
        usable += key_of(ctx, secret, &length) != NULL;
    if (usable == 0)
        webhook_unconfigured(ctx, function, "not \"whsec_\" and base64");
    if (usable < i)
        edge_log(ctx, EDGE_LOG_WARN, "webhook_secret_unusable",
            { "variable", edge_text(function->webhook_secret) },
            { "unusable", edge_int((int64_t)(i - usable)) });
}

static bool signed_by_any(
    edge_ctx *ctx, const struct function_config *function, const struct envelope *envelope, int64_t seconds)
{
    /* The timestamp is signed as the number it stands for, so one written differently does not verify. */
    const char *head = edge_format(ctx, "%s.%lld.", envelope->id, (long long)seconds);
    size_t body_length = 0, key_length = 0;
    const void *body = edge_request_body(ctx, &body_length);
    const struct iovec parts[] = { { (void *)head, strlen(head) }, { (void *)body, body_length } };

    bool valid = false;
    const char *secret = NULL;
    for (size_t i = 0; (secret = webhook_secret(ctx, function, i)) != NULL; i++) {
        const uint8_t *key = key_of(ctx, secret, &key_length);
        if (key == NULL)
            continue;
        uint8_t mac[32];
        webhook_hmac_sha256(key, key_length, parts, 2, mac);
        valid |= signature_listed(envelope->signatures, edge_base64(ctx, mac, sizeof mac));
    }
    return valid;
}

static void svix_verify(edge_ctx *ctx, const struct function_config *function)
{
    check_secrets(ctx, function);

    struct envelope envelope;
    if (!read_family(ctx, "svix", &envelope) && !read_family(ctx, "webhook", &envelope))
        webhook_missing(ctx, "svix-id, svix-timestamp and svix-signature are not all present");

    int64_t seconds = 0;
    if (!webhook_timestamp(envelope.timestamp, &seconds))
        webhook_invalid(ctx, "the timestamp is no number");
    webhook_check_time(ctx, seconds);

    if (!signed_by_any(ctx, function, &envelope, seconds))
        webhook_invalid(ctx, "no version 1 signature fits");
}

const struct webhook_scheme webhook_svix = { .name = "svix", .verify = svix_verify };
