/*
 * GoHighLevel has two kinds of sender.
 *
 * A workflow's webhook action signs nothing; its author adds a header with a secret that is ours.
 *
 * A marketplace app's event is signed with Ed25519 over the body, by one key for all apps of all customers, so
 * a valid signature says nothing about whose event it is: the location in it has to be one of
 * GOHIGHLEVEL_LOCATION_IDS (separated by commas). GOHIGHLEVEL_PUBLIC_KEY replaces the published key.
 * https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide
 */
#include "webhook.h"

#include <edge/crypto.h>
#include <edge/json.h>
#include <edge/request.h>

#include <string.h>

#define PUBLISHED_KEY "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg="

static bool list_has(const char *list, const char *wanted)
{
    bool found = false;
    for (size_t length; *list != '\0'; list += length) {
        list += strspn(list, ", \t");
        length = strcspn(list, ",");
        size_t end = length;
        while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
            end--;
        found |= end > 0 && edge_equal(list, end, wanted, strlen(wanted));
    }
    return found;
}

static const char *location_of(edge_ctx *ctx, const void *body, size_t length)
{
    json_t *event = edge_json_parse(ctx, body, length);
    const char *location = edge_json_text(event, "locationId");
    return location != NULL ? location : edge_json_text(edge_json_path(event, "location"), "id");
}

static void verify_app(edge_ctx *ctx, const char *header)
{
    const char *key = edge_env(ctx, "GOHIGHLEVEL_PUBLIC_KEY");
    const char *locations = edge_env(ctx, "GOHIGHLEVEL_LOCATION_IDS");
    size_t signature_length = 0, length = 0;
    const void *body = edge_request_body(ctx, &length);
    const uint8_t *signature = edge_base64_decode(ctx, header, &signature_length);
    if (signature == NULL ||
        !edge_ed25519_verify(ctx, key != NULL ? key : PUBLISHED_KEY, signature, signature_length, body, length))
        webhook_invalid(ctx, "X-GHL-Signature does not fit");

    const char *location = location_of(ctx, body, length);
    if (locations == NULL || location == NULL || !list_has(locations, location))
        webhook_invalid(ctx, "the event's location is not one of GOHIGHLEVEL_LOCATION_IDS");
}

static const char *shared_secret(edge_ctx *ctx)
{
    static const char *const names[] = { "x-gohighlevel-secret", "x-webhook-secret", "x-api-key" };
    const char *value = NULL;
    for (size_t i = 0; value == NULL && i < sizeof names / sizeof *names; i++)
        value = webhook_header(ctx, names[i]);
    return value;
}

/* Digests are compared, so that not even the secret's length can be found out by trying. */
static void verify_workflow(edge_ctx *ctx, const struct function_config *function)
{
    const char *given = shared_secret(ctx);
    if (given == NULL)
        webhook_missing(ctx, "there is neither X-GHL-Signature nor a header with the secret");

    uint8_t given_digest[EDGE_SHA256_BYTES], digest[EDGE_SHA256_BYTES];
    edge_sha256(given, strlen(given), given_digest);
    bool valid = false;
    const char *secret = NULL;
    for (size_t i = 0; (secret = webhook_secret(ctx, function, i)) != NULL; i++) {
        edge_sha256(secret, strlen(secret), digest);
        valid |= edge_equal(given_digest, sizeof given_digest, digest, sizeof digest);
    }
    if (!valid)
        webhook_invalid(ctx, "the secret is another one");
}

static void gohighlevel_verify(edge_ctx *ctx, const struct function_config *function)
{
    bool has_apps = edge_env(ctx, "GOHIGHLEVEL_LOCATION_IDS") != NULL;
    bool has_workflows = webhook_has_secret(ctx, function);
    if (!has_apps)
        webhook_require_secret(ctx, function);

    const char *signature = webhook_header(ctx, "x-ghl-signature");
    if (signature != NULL && strcmp(signature, "N/A") != 0)
        verify_app(ctx, signature);
    else if (has_workflows)
        verify_workflow(ctx, function);
    else
        webhook_missing(ctx, "there is no X-GHL-Signature, and no secret of workflows is configured");
}

const struct webhook_scheme webhook_gohighlevel = { .name = "gohighlevel", .verify = gohighlevel_verify };
