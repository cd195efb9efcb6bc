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
    /*
     * 0: 30 s for the whole call, repeats and queue included; 5 s to connect; no limit until the first byte,
     * none on the silence of a stream. Negative: no limit.
     */
    int64_t timeout_ms, connect_timeout_ms, first_byte_timeout_ms, silence_timeout_ms;
    int max_concurrency; /* 0: no cap */
    int retries;
};

struct http_stats {
    uint64_t calls, failures, retries;
    int active, queued;
};

/*
 * Starts the client; settings are copied. Returns 0 or a negative errno: -EINVAL, logged, for a base URL or key
 * that cannot be used. SSL_CERT_FILE, when set, replaces the system's certificate authorities.
 */
int http_start(struct ev_loop *loop, const struct provider_settings *providers, size_t count);
void http_stop(void);
void http_get_stats(struct http_stats *stats);

struct http_provider_stats {
    const char *name; /* valid until http_stop */
    struct http_stats total;
    uint64_t breaker_opened;
    bool breaker_open;
};

/* Fills up to max entries, in the order of http_start's settings; returns how many. */
size_t http_get_provider_stats(struct http_provider_stats *stats, size_t max);

#endif
