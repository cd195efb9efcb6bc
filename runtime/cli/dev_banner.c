/*
 * The calls that `edge dev` prints; see dev_banner.h. Each is one line that works when pasted: the token is in
 * it, and the webhook's signature is of this moment (receivers refuse one that is older than five minutes).
 */
#include "cli/dev_banner.h"

#include "cli/development_token.h"
#include "cli/webhook_sign.h"
#include "config/config.h"
#include "config/interpolate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USER "user_demo"
#define WEBHOOK_BODY                                                                                           \
    "{\"type\":\"user.created\",\"data\":{\"id\":\"user_webhook\",\"first_name\":\"Robin\","                   \
    "\"last_name\":\"Example\",\"email_addresses\":[{\"id\":\"idn_1\","                                        \
    "\"email_address\":\"robin@example.com\"}],\"primary_email_address_id\":\"idn_1\"}}"

enum {
    OWN_MAX = 3,
    SECRET_MAX = 256,
    TOKEN_LIFETIME_MS = 24 * 60 * 60 * 1000
};

static const struct function_config *served(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->function_count; i++)
        if (config->functions[i].enabled && strcmp(config->functions[i].name, name) == 0)
            return &config->functions[i];
    return NULL;
}

static void print_call(
    const char *origin, const struct function_config *function, const char *token, const char *options)
{
    if (function != NULL)
        printf("  curl -s -w '\\n' %s%s -H 'x-clerk-auth: %s' -H 'content-type: application/json' %s\n\n",
            origin, function->route, token, options);
}

/* For a project: the functions of its own that it names first. */
static void print_own(const struct config *config)
{
    int printed = 0;
    for (size_t i = 0; i < config->function_count && printed < OWN_MAX; i++)
        if (config->functions[i].enabled && !config->functions[i].sandbox) {
            printf("  edge invoke %s\n", config->functions[i].name);
            printed++;
        }
    printf(printed > 0 ? "\n" : "  edge new myFunction\n\n");
}

static void print_webhook(const char *origin, const struct function_config *function)
{
    const char *secret = function == NULL ? NULL : environment_get(function->webhook_secret);
    long long now = time(NULL);
    char id[64], signature[SIGNATURE_BYTES], first[SECRET_MAX] = "";
    snprintf(id, sizeof id, "msg_dev_%lld", now);
    if (secret != NULL)
        snprintf(first, sizeof first, "%.*s", (int)strcspn(secret, ","), secret);
    if (webhook_sign_svix(first, id, now, WEBHOOK_BODY, strlen(WEBHOOK_BODY), signature))
        printf("  curl -s -w '\\n' %s%s -H 'content-type: application/json' -H 'svix-id: %s' -H "
               "'svix-timestamp: %lld' "
               "-H 'svix-signature: %s' -d '%s'\n\n",
            origin, function->route, id, now, signature, WEBHOOK_BODY);
}

void dev_banner_print(const struct config *config, const char *origin)
{
    char *token = development_token(config, USER, TOKEN_LIFETIME_MS);
    if (token == NULL)
        return;
    printf("\nPulse Edge runs at %s\n\nToken of %s, valid for a day (`edge token` makes others):\n\n  "
           "%s\n\nTry:\n\n",
        origin, USER, token);
    if (served(config, "computePulse") == NULL)
        print_own(config);
    print_call(origin, served(config, "computePulse"), token, "-d '{}'");
    print_call(origin, served(config, "copilotChat"), token,
        "-N -H 'accept: text/event-stream' -d '{\"userPrompt\":\"How do I win my next listing?\"}'");
    print_webhook(origin, served(config, "clerkWebhook"));
    fflush(stdout);
    free(token);
}
