/*
 * Encryption keys, object storage and cache of a worker; see modules.h. An empty variable counts as unset.
 */
#include "modules.h"

#include "state.h"

#include <cache.h>
#include <crypto.h>
#include <http.h>
#include <storage.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int start_storage(struct worker *worker)
{
    const char *directory = variable("STORAGE_DIR"), *public_url = variable("STORAGE_PUBLIC_URL");
    return storage_start(
        worker->server.loop, &(struct storage_settings){
                                 .directory = directory != NULL ? directory : ".edge/storage",
                                 .s3 = variable("STORAGE_S3_ENDPOINT") != NULL,
                                 .signing_key = variable("STORAGE_SIGNING_KEY"),
                                 .service_key = worker->boot->config->auth.service_key,
                                 .public_url = public_url != NULL ? public_url : variable("SUPABASE_URL"),
                             });
}

static int start_cache(struct worker *worker)
{
    const struct database_config *database = &worker->boot->config->database;
    const char *budget = variable("EDGE_CACHE_BYTES"), *url = variable("DATABASE_LISTEN_URL");
    return cache_start(worker->server.loop, &(struct cache_settings){
                                                .budget_bytes = budget != NULL ? strtoul(budget, NULL, 10) : 0,
                                                .url = database->url == NULL ? NULL
                                                       : url != NULL         ? url
                                                                             : database->url,
                                            });
}

int modules_start(struct worker *worker)
{
    int result = crypto_start();
    if (result == 0)
        result = start_storage(worker);
    return result == 0 ? start_cache(worker) : result;
}

void modules_stop(void)
{
    cache_stop();
    storage_stop();
    crypto_stop();
}

void modules_add_provider(struct provider_settings *settings, size_t *count)
{
    static char key[512], signature[128];
    const char *endpoint = variable("STORAGE_S3_ENDPOINT"), *region = variable("STORAGE_S3_REGION");
    const char *id = variable("STORAGE_S3_ACCESS_KEY_ID"), *secret = variable("STORAGE_S3_SECRET_ACCESS_KEY");
    if (endpoint == NULL)
        return;
    struct provider_settings *store = settings;
    while (store < settings + *count && strcmp(store->name, STORAGE_PROVIDER) != 0)
        store++;
    if (store == settings + *count) {
        *store = (struct provider_settings){ .name = STORAGE_PROVIDER, .base_url = endpoint };
        ++*count;
    }
    snprintf(key, sizeof key, "%s:%s", id != NULL ? id : "", secret != NULL ? secret : "");
    snprintf(signature, sizeof signature, "aws:amz:%s:s3", region != NULL ? region : "us-east-1");
    store->key = id != NULL && secret != NULL ? key : NULL;
    store->key_variable = id == NULL ? "STORAGE_S3_ACCESS_KEY_ID" : "STORAGE_S3_SECRET_ACCESS_KEY";
    store->key_header = NULL;
    store->aws_sigv4 = signature;
}
