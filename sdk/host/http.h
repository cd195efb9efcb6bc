/*
 * The worker's HTTP client from the host's side.
 */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct curl_slist;

struct provider_settings {
    const char *name;
    const char *base_url; /* one trailing "/" is dropped; NULL: none configured, calls answer not_configured */
    const char *key; /* sent as Authorization: Bearer unless key_header names another header; may be NULL */
    const char *key_header;   /* "xi-api-key", "apikey" …; NULL: Authorization */
    const char *key_variable; /* name of the environment variable the key comes from, for messages */
    /* As CURLOPT_AWS_SIGV4 takes it, "aws:amz:<region>:s3": calls are signed, key is "<id>:<secret>". */
    const char *aws_sigv4;
    /*
     * 0: 30 s for the whole call, repeats and queue included; 5 s to connect; no limit until the first byte,
     * none on the silence of a stream. Negative: no limit.
     */
    int64_t timeout_ms, connect_timeout_ms, first_byte_timeout_ms, silence_timeout_ms;
    /*
     * Whether calls may name a URL instead of a path: one under this host, or any public one (then every
     * address is checked, and the key stays here). With a base_url, path and query go there instead.
     */
    const char *url_host;
    bool public_urls;
    bool http_urls;      /* URLs may be http */
    int max_concurrency; /* 0: no cap */
    int retries;
};

/* For tests of the guard: a network of their own. */
struct http_test_network {
    struct curl_slist *addresses; /* of names, as CURLOPT_RESOLVE takes them; NULL: as they are */
    int port; /* of this machine, where connections go that may be made; 0: where they wanted to go */
};

/* From now on; NULL: the real one. The entries are the test's. */
void http_use_test_network(const struct http_test_network *network);

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
