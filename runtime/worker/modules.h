/*
 * The SDK's modules that are set up from the environment alone: encryption keys, object storage, cache.
 */
#ifndef WORKER_MODULES_H
#define WORKER_MODULES_H

#include <stddef.h>

struct provider_settings;
struct worker;

/* Before anything reads the environment on behalf of functions. 0 or a negative errno. */
int modules_start(struct worker *worker);
void modules_stop(void);

/*
 * The object store among the providers: added when functions.toml has none and STORAGE_S3_ENDPOINT is set.
 * settings has room for one more than *count; what is filled in is valid until the next call.
 */
void modules_add_provider(struct provider_settings *settings, size_t *count);

#endif
