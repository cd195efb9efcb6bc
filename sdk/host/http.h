/*
 * The worker's HTTP client from the host's side.
 */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provider_settings {
    const char *name;
    const char *base_url; /* one trailing "/" is dropped; NULL: none configured, calls answer not_configured */
    const char *key; /* sent as Authorization: Bearer unless key_header names another header; may be NULL */
    const char *key_header;   /* "xi-api-key", "apikey" …; NULL: Authorization */
    const char *key_variable; /* name of the environment variable the key comes from, for messages */
    int64_t timeout_ms, connect_timeout_ms, first_byte_timeout_ms, silence_timeout_ms;
    int max_concurrency; /* 0: no cap */
    int retries;
};

struct http_stats {
    uint64_t calls, failures, retries;
    int active, queued;
};

/* Starts the client; settings are copied. Returns 0 or a negative errno. */
int http_start(struct ev_loop *loop, const struct provider_settings *providers, size_t count);
void http_stop(void);
void http_get_stats(struct http_stats *stats);

#endif
