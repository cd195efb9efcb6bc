/*
 * Providers: what may be sent, and when.
 *
 * A call is admitted when the breaker lets it, the provider is below its cap, and, while the host's addresses
 * are unknown, only a few others are looking them up: libcurl's resolver takes a thread a look-up, and a burst
 * of calls to one host needs one answer. Calls that are not admitted wait in order of arrival.
 */
#include "provider.h"

#include "client.h"

#include <log.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RESOLVING_MAX = 4
};

/* A little less than libcurl's own cache keeps an address (60 s). */
#define RESOLVED_US (50 * INT64_C(1000000))

static struct provider *providers;
static size_t provider_count;

/* Scheme and host of a base URL; -EINVAL unless it is one that calls can be appended to. */
static int read_base_url(struct provider *provider)
{
    int rc = -EINVAL;
    char *scheme = NULL, *host = NULL, *query = NULL;
    CURLU *url = curl_url();
    if (url == NULL)
        return -ENOMEM;

    if (curl_url_set(url, CURLUPART_URL, provider->settings.base_url, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_NO_QUERY) {
        struct in_addr address;
        provider->tls = strcmp(scheme, "https") == 0;
        provider->resolves = host[0] != '[' && inet_pton(AF_INET, host, &address) != 1;
        rc = provider->tls || strcmp(scheme, "http") == 0 ? 0 : -EINVAL;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(query);
    curl_url_cleanup(url);
    return rc;
}

static int copy_text(const char **text)
{
    if (*text == NULL)
        return 0;
    *text = strdup(*text);
    return *text != NULL ? 0 : -ENOMEM;
}

static int copy_settings(struct provider *provider, const struct provider_settings *settings)
{
    struct provider_settings *copy = &provider->settings;
    *copy = *settings;
    /* All seven, also after a failure: what is not a copy must not be freed. */
    int rc = copy_text(&copy->name);
    rc |= copy_text(&copy->base_url);
    rc |= copy_text(&copy->key);
    rc |= copy_text(&copy->key_header);
    rc |= copy_text(&copy->key_variable);
    rc |= copy_text(&copy->aws_sigv4);
    rc |= copy_text(&copy->url_host);
    return rc == 0 ? 0 : -ENOMEM;
}

static int provider_start(struct provider *provider, const struct provider_settings *settings)
{
    int rc = copy_settings(provider, settings);
    if (rc < 0)
        return rc;

    const struct provider_settings *copy = &provider->settings;
    if (copy->key != NULL && copy->key[strcspn(copy->key, "\r\n")] != '\0') {
        log_event(EDGE_LOG_ERROR, "provider_key_malformed", { "provider", edge_text(copy->name) },
            { "variable", edge_text(copy->key_variable) }, { "reason", edge_text("it contains a line break") });
        return -EINVAL;
    }
    if (copy->base_url == NULL)
        return 0;

    char *base = (char *)copy->base_url;
    size_t length = strlen(base);
    if (length > 0 && base[length - 1] == '/')
        base[length - 1] = '\0';
    rc = read_base_url(provider);
    if (rc == -EINVAL)
        log_event(EDGE_LOG_ERROR, "provider_base_url_malformed", { "provider", edge_text(copy->name) },
            { "baseUrl", edge_text(base) },
            { "reason", edge_text("it is no http or https URL, or it has a query") });
    return rc;
}

int provider_start_all(const struct provider_settings *settings, size_t count)
{
    providers = calloc(count > 0 ? count : 1, sizeof *providers);
    if (providers == NULL)
        return -ENOMEM;
    for (provider_count = 0; provider_count < count;) {
        struct provider *provider = &providers[provider_count];
        int rc = provider_start(provider, &settings[provider_count++]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void provider_stop_all(void)
{
    for (size_t i = 0; i < provider_count; i++) {
        const struct provider_settings *settings = &providers[i].settings;
        free((char *)settings->name);
        free((char *)settings->base_url);
        free((char *)settings->key);
        free((char *)settings->key_header);
        free((char *)settings->key_variable);
        free((char *)settings->aws_sigv4);
        free((char *)settings->url_host);
    }
    free(providers);
    providers = NULL;
    provider_count = 0;
}

struct provider *provider_find(const char *name)
{
    for (size_t i = 0; i < provider_count; i++)
        if (strcmp(providers[i].settings.name, name) == 0)
            return &providers[i];
    return NULL;
}

static bool addresses_unknown(const struct provider *provider)
{
    return provider->resolves && clock_us() >= provider->resolved_until_us;
}

static bool has_room(const struct provider *provider)
{
    if (provider->settings.max_concurrency > 0 && provider->running >= provider->settings.max_concurrency)
        return false;
    return !addresses_unknown(provider) || provider->resolving < RESOLVING_MAX;
}

static void refuse(struct http_call *call)
{
    struct provider *provider = call->provider;
    call->reply.retry_after_seconds = breaker_retry_after_seconds(&provider->breaker, clock_us());
    snprintf(call->message, sizeof call->message, "the provider has been failing, next try in %d s",
        call->reply.retry_after_seconds);
    call_end(call, EDGE_HTTP_BREAKER_OPEN);
}

static void admit(struct http_call *call)
{
    struct provider *provider = call->provider;
    enum breaker_admission admission = breaker_admit(&provider->breaker, clock_us());
    if (admission == BREAKER_REFUSE) {
        refuse(call);
        return;
    }
    call->attempt.probe = admission == BREAKER_PROBE;
    call->attempt.resolving = addresses_unknown(provider);
    provider->resolving += call->attempt.resolving;
    provider->running++;
    call_begin(call);
}

static void enqueue(struct http_call *call)
{
    struct provider *provider = call->provider;
    call->state = CALL_QUEUED;
    call->next = NULL;
    if (provider->last != NULL)
        provider->last->next = call;
    else
        provider->first = call;
    provider->last = call;
    provider->queued++;
    call_watch(call);
}

void provider_unqueue(struct http_call *call)
{
    struct provider *provider = call->provider;
    struct http_call **link = &provider->first, *before = NULL;
    while (*link != call) {
        before = *link;
        link = &before->next;
    }
    *link = call->next;
    if (provider->last == call)
        provider->last = before;
    provider->queued--;
    call->next = NULL;
    call->state = CALL_IDLE;
}

void provider_submit(struct http_call *call)
{
    struct provider *provider = call->provider;
    if (breaker_refuses(&provider->breaker, clock_us()))
        refuse(call);
    else if (provider->first == NULL && has_room(provider))
        admit(call);
    else
        enqueue(call);
}

/* A refused or failed call makes room for the next one, which would begin in the middle of this one's end. */
static void provider_pump(struct provider *provider)
{
    if (provider->pumping)
        return;
    provider->pumping = true;
    while (provider->first != NULL && (has_room(provider) || breaker_refuses(&provider->breaker, clock_us()))) {
        struct http_call *call = provider->first;
        provider_unqueue(call);
        ev_timer_stop(fiber_loop(), &call->timer);
        admit(call);
    }
    provider->pumping = false;
}

void provider_pump_all(void)
{
    for (size_t i = 0; i < provider_count; i++)
        provider_pump(&providers[i]);
}

static void report(struct provider *provider, bool probe, enum breaker_verdict verdict)
{
    if (!breaker_report(&provider->breaker, probe, verdict, clock_us()))
        return;
    bool open = provider->breaker.state == BREAKER_OPEN;
    log_event(EDGE_LOG_WARN, open ? "provider_breaker_opened" : "provider_breaker_closed",
        { "provider", edge_text(provider->settings.name) });
}

/* A probe is decided by the head of its answer: its body may be a stream of minutes. */
void provider_answered(struct http_call *call, enum breaker_verdict verdict)
{
    if (!call->attempt.probe)
        return;
    report(call->provider, true, verdict);
    call->attempt.probe = false;
}

void provider_resolved(struct http_call *call)
{
    struct provider *provider = call->provider;
    if (!call->attempt.resolving)
        return;
    call->attempt.resolving = false;
    provider->resolving--;
    if (call->attempt.looked_up)
        provider->resolved_until_us = clock_us() + RESOLVED_US;
    if (provider->first != NULL)
        client_pump_later();
}

void provider_leave(struct http_call *call, enum breaker_verdict verdict)
{
    struct provider *provider = call->provider;
    provider->running--;
    provider->resolving -= call->attempt.resolving;
    call->attempt.resolving = false;
    report(provider, call->attempt.probe, verdict);
    call->attempt.probe = false;
    provider_pump(provider);
}

void http_get_stats(struct http_stats *stats)
{
    *stats = (struct http_stats){ 0 };
    for (size_t i = 0; i < provider_count; i++) {
        const struct provider *provider = &providers[i];
        stats->calls += provider->calls;
        stats->failures += provider->failures;
        stats->retries += provider->retries;
        stats->active += provider->running;
        stats->queued += provider->queued;
    }
}

size_t http_get_provider_stats(struct http_provider_stats *stats, size_t max)
{
    size_t count = provider_count < max ? provider_count : max;
    for (size_t i = 0; i < count; i++) {
        const struct provider *provider = &providers[i];
        stats[i] = (struct http_provider_stats){
            .name = provider->settings.name,
            .total = {
                .calls = provider->calls,
                .failures = provider->failures,
                .retries = provider->retries,
                .active = provider->running,
                .queued = provider->queued,
            },
            .breaker_opened = provider->breaker.opened_count,
            .breaker_open = provider->breaker.state != BREAKER_CLOSED,
        };
    }
    return count;
}
