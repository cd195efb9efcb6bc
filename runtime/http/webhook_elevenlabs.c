/*
 * ElevenLabs: "t=<seconds>,v0=<hex>" over <t>.<body>, HMAC-SHA256 with the secret as it is written.
 * https://elevenlabs.io/docs/eleven-agents/workflows/post-call-webhooks
 */
#include "webhook.h"

#include <edge/crypto.h>
#include <edge/request.h>

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next "key=value" of a comma-separated list, blanks around it cut off; NULL behind the last. */
static const char *next_entry(edge_ctx *ctx, const char **list)
{
    const char *entry = *list + strspn(*list, ", \t");
    size_t length = strcspn(entry, ",");
    *list = entry + length;
    while (length > 0 && is_blank(entry[length - 1]))
        length--;
    return length > 0 ? edge_copy_bytes(ctx, entry, length) : NULL;
}

/* The first "t" of the header, which is the one that is signed; NULL without one. */
static const char *time_of(edge_ctx *ctx, const char *header)
{
    const char *entry;
    while ((entry = next_entry(ctx, &header)) != NULL)
        if (strncmp(entry, "t=", 2) == 0)
            return entry + 2;
    return NULL;
}

/* True when one of the "v0" is this one. All are looked at, so that the time taken tells nothing. */
static bool signature_listed(edge_ctx *ctx, const char *header, const char *expected)
{
    bool listed = false;
    const char *entry;
    while ((entry = next_entry(ctx, &header)) != NULL)
        if (strncmp(entry, "v0=", 3) == 0)
            listed |= edge_equal(entry + 3, strlen(entry + 3), expected, strlen(expected));
    return listed;
}

static bool signed_by_any(
    edge_ctx *ctx, const struct function_config *function, const char *header, const char *time)
{
    const char *head = edge_format(ctx, "%s.", time);
    size_t body_length = 0;
    const void *body = edge_request_body(ctx, &body_length);
    const struct iovec parts[] = { { (void *)head, strlen(head) }, { (void *)body, body_length } };

    bool valid = false;
    const char *secret = NULL;
    for (size_t i = 0; (secret = webhook_secret(ctx, function, i)) != NULL; i++) {
        uint8_t mac[32];
        webhook_hmac_sha256(secret, strlen(secret), parts, 2, mac);
        valid |= signature_listed(ctx, header, edge_hex(ctx, mac, sizeof mac));
    }
    return valid;
}

static void elevenlabs_verify(edge_ctx *ctx, const struct function_config *function)
{
    webhook_require_secret(ctx, function);

    const char *header = webhook_header(ctx, "elevenlabs-signature");
    if (header == NULL)
        webhook_missing(ctx, "there is no ElevenLabs-Signature");

    int64_t seconds = 0;
    const char *time = time_of(ctx, header);
    if (time == NULL || !webhook_timestamp(time, &seconds))
        webhook_invalid(ctx, "t is no number");
    webhook_check_time(ctx, seconds);

    if (!signed_by_any(ctx, function, header, time))
        webhook_invalid(ctx, "no v0 signature fits");
}

const struct webhook_scheme webhook_elevenlabs = { .name = "elevenlabs", .verify = elevenlabs_verify };
