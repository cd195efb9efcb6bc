/*
 * edge sandbox send: an event of a provider, signed as the provider signs it, posted to the running host.
 */
#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/host_call.h"
#include "cli/input.h"
#include "cli/webhook_sign.h"
#include "config/config.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SECRET_MAX = 512,
    ID_BYTES = 64,
    EVENT_MAX = 64 << 20
};

/* What a call of the command says. */
struct request {
    const char *config_path, *provider, *file, *function, *url, *topic, *id, *cacert;
    bool insecure;
};

/* An event on its way. */
struct delivery {
    const struct request *request;
    const struct function_config *function;
    char secret[SECRET_MAX], id[ID_BYTES];
    char *body;
    size_t length;
    struct curl_slist *headers;
};

static void add_header(struct delivery *delivery, const char *name, const char *value)
{
    char line[1024];
    snprintf(line, sizeof line, "%s: %s", name, value);
    delivery->headers = curl_slist_append(delivery->headers, line);
}

static bool sign_clerk(struct delivery *delivery)
{
    char signature[SIGNATURE_BYTES], now[32];
    long long seconds = time(NULL);
    snprintf(now, sizeof now, "%lld", seconds);
    if (!webhook_sign_svix(
            delivery->secret, delivery->id, seconds, delivery->body, delivery->length, signature))
        return false;
    add_header(delivery, "svix-id", delivery->id);
    add_header(delivery, "svix-timestamp", now);
    add_header(delivery, "svix-signature", signature);
    return true;
}

static bool sign_elevenlabs(struct delivery *delivery)
{
    char signature[SIGNATURE_BYTES];
    webhook_sign_elevenlabs(delivery->secret, time(NULL), delivery->body, delivery->length, signature);
    add_header(delivery, "ElevenLabs-Signature", signature);
    return true;
}

static bool sign_shopify(struct delivery *delivery)
{
    char signature[SIGNATURE_BYTES];
    const char *shop = getenv("SHOPIFY_SHOP_DOMAIN"), *topic = delivery->request->topic;
    webhook_sign_shopify(delivery->secret, delivery->body, delivery->length, signature);
    add_header(delivery, "X-Shopify-Hmac-Sha256", signature);
    add_header(delivery, "X-Shopify-Webhook-Id", delivery->id);
    add_header(delivery, "X-Shopify-Topic", topic != NULL ? topic : "orders/paid");
    add_header(delivery, "X-Shopify-Shop-Domain",
        shop != NULL && *shop != '\0' ? shop : "pulse-edge-dev.myshopify.com");
    return true;
}

/* A workflow signs nothing: it carries the secret. */
static bool sign_gohighlevel(struct delivery *delivery)
{
    add_header(delivery, "x-webhook-secret", delivery->secret);
    return true;
}

/* Who sends, by which scheme, with what. */
static const struct sender {
    const char *provider, *scheme;
    bool (*sign)(struct delivery *delivery);
} senders[] = {
    { "clerk", "svix", sign_clerk },
    { "elevenlabs", "elevenlabs", sign_elevenlabs },
    { "shopify", "shopify", sign_shopify },
    { "gohighlevel", "gohighlevel", sign_gohighlevel },
};

static const struct sender *sender_find(const char *provider)
{
    for (size_t i = 0; provider != NULL && i < sizeof senders / sizeof *senders; i++)
        if (strcmp(senders[i].provider, provider) == 0)
            return &senders[i];
    return NULL;
}

/* The function that takes the sender's events: the one that was named, else the first in the file. */
static const struct function_config *receiver_find(
    const struct config *config, const struct sender *sender, const char *name)
{
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        bool takes = function->enabled && function->auth == AUTH_WEBHOOK &&
                     strcmp(function->webhook_scheme, sender->scheme) == 0;
        if (takes && (name == NULL || strcmp(function->name, name) == 0))
            return function;
    }
    return NULL;
}

/* The first of a function's secrets; false when there is none. */
static bool secret_read(const struct function_config *function, char secret[SECRET_MAX])
{
    const char *list = getenv(function->webhook_secret);
    if ((list == NULL || *list == '\0') && function->webhook_secret_fallback != NULL)
        list = getenv(function->webhook_secret_fallback);
    if (list == NULL)
        return false;
    list += strspn(list, ", \t");
    size_t length = strcspn(list, ", \t");
    if (length == 0 || length >= SECRET_MAX)
        return false;
    memcpy(secret, list, length);
    secret[length] = '\0';
    return true;
}

/* Posts it and prints the answer's body. */
static int post(const struct delivery *delivery, const struct host_place *place)
{
    struct host_call call = { .place = place,
        .path = delivery->function->route,
        .method = "POST",
        .headers = delivery->headers,
        .body = delivery->body,
        .length = delivery->length };
    int code = host_call_make(&call);
    if (code == 0)
        printf("%s\n", call.text != NULL ? call.text : "");
    host_call_free(&call);
    if (code != 0)
        return STATUS_FAILED;
    fflush(stdout);
    return call.status < 400 ? STATUS_DONE : failure("%s answered %ld", delivery->function->name, call.status);
}

static int deliver(struct delivery *delivery, const struct sender *sender, const struct host_place *place)
{
    const struct request *request = delivery->request;
    if (request->id != NULL)
        snprintf(delivery->id, sizeof delivery->id, "%s", request->id);
    else
        snprintf(
            delivery->id, sizeof delivery->id, "msg_sandbox_%lld_%ld", (long long)time(NULL), (long)getpid());
    delivery->body = input_read(request->file, EVENT_MAX, &delivery->length);
    if (delivery->body == NULL)
        return STATUS_FAILED;
    add_header(delivery, "content-type", "application/json");
    if (!sender->sign(delivery))
        return failure("%s is no secret of %s", delivery->function->webhook_secret, sender->provider);
    return post(delivery, place);
}

static int send_event(const struct config *config, const struct request *request, const struct sender *sender)
{
    struct host_place place = { .cacert = request->cacert, .insecure = request->insecure };
    struct delivery delivery = { .request = request };
    delivery.function = receiver_find(config, sender, request->function);
    if (delivery.function == NULL)
        return failure("no function of \"%s\" takes events of %s", request->config_path, sender->provider);
    if (!secret_read(delivery.function, delivery.secret) &&
        !(development_environment_load(request->config_path) &&
            secret_read(delivery.function, delivery.secret)))
        return failure("%s is not set. `edge dev` makes one", delivery.function->webhook_secret);
    if (!host_place_find(request->config_path, request->url, &place))
        return STATUS_FAILED;
    int status = deliver(&delivery, sender, &place);
    curl_slist_free_all(delivery.headers);
    free(delivery.body);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request = { .config_path = "functions.toml" };
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration (functions.toml)", .text = &request.config_path },
        { "function", "NAME", "which function, when several take the provider's events",
            .text = &request.function },
        { "url", "ORIGIN", "where the host is (the running host of the configuration)", .text = &request.url },
        { "cacert", "FILE", "trust the certificates in this file, PEM", .text = &request.cacert },
        { "insecure", NULL, "trust any certificate", .flag = &request.insecure },
        { "topic", "TOPIC", "shopify: orders/paid (default), orders/cancelled, …", .text = &request.topic },
        { "id", "ID", "clerk, shopify: the delivery's id; the same one again is a duplicate",
            .text = &request.id },
        { NULL, "send PROVIDER FILE",
            "the event: clerk, elevenlabs, gohighlevel or shopify; a JSON file, - for input",
            .text = &request.file },
        { 0 },
    };
    bool sends = argc > 1 && strcmp(argv[1], "send") == 0;
    int skipped = sends ? 1 : 0;
    if (sends && argc > 2 && strncmp(argv[2], "--", 2) != 0) {
        request.provider = argv[2];
        skipped = 2;
    }
    int status = options_read(&sandbox_command, options, argc - skipped, argv + skipped);
    if (status != OPTIONS_READ)
        return status;
    const struct sender *sender = sender_find(request.provider);
    if (!sends || request.provider == NULL || (sender != NULL && request.file == NULL))
        return usage_error(&sandbox_command, "say what to send: send PROVIDER FILE");
    if (sender == NULL)
        return usage_error(&sandbox_command,
            "\"%s\" sends no events; clerk, elevenlabs, gohighlevel and shopify do", request.provider);

    struct config *config;
    if (!config_open(request.config_path, &config))
        return STATUS_FAILED;
    status = send_event(config, &request, sender);
    config_free(config);
    return status;
}

const struct command sandbox_command = {
    .name = "sandbox",
    .summary = "Send an event to the running host as a provider would",
    .details = "The event is signed with the secret that the function's webhook_secret names: from the "
               "environment, else\n"
               "the one that `edge dev` keeps. The function's answer is printed; the status is 1 when it is an "
               "error.\n",
    .examples = "  edge sandbox send shopify order.json\n"
                "  edge sandbox send shopify order.json --topic orders/cancelled\n"
                "  edge sandbox send clerk user.json --id msg_1\n"
                "  edge sandbox send elevenlabs call.json --function elevenLabsRolePlayWebhook\n"
                "  echo '{\"email\": \"ann@example.com\"}' | edge sandbox send gohighlevel -\n",
    .run = run,
};
