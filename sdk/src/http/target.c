/*
 * Calls to URLs; see target.h.
 *
 * A checked call opens a connection of its own and closes it afterwards, past any proxy: only so is the address
 * that target_admits has seen the one that is spoken to. A name whose addresses change between the survey and
 * the call, or between a check somewhere else and here, gains nothing by it.
 */
#include "target.h"

#include "address.h"
#include "provider.h"
#include "url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct http_test_network test_network;

void http_use_test_network(const struct http_test_network *network)
{
    test_network = network != NULL ? *network : (struct http_test_network){ 0 };
}

const char *target_refusal(const struct call_target *target)
{
    return target != NULL ? target->refusal : NULL;
}

bool target_is_checked(const struct call_target *target)
{
    return target != NULL && target->checked;
}

/* name itself, or what is under it. */
static bool is_under(const char *host, const char *name)
{
    size_t host_length = strlen(host), length = strlen(name);
    if (host_length < length || strcasecmp(host + host_length - length, name) != 0)
        return false;
    return host_length == length || host[host_length - length - 1] == '.';
}

static const char *host_refusal(const struct provider_settings *settings, const struct url_parts *parts)
{
    if (!settings->public_urls)
        return is_under(parts->host, settings->url_host) ? NULL : "its host is not the provider's";
    if (parts->odd_host)
        return "its host is an address in an unusual spelling";
    if (address_text_refusal(parts->host) != NULL)
        return "its host is not a public address";
    /* A name that never leaves the machine (RFC 6761). */
    return is_under(parts->host, "localhost") || is_under(parts->host, "localhost.") ? "its host is local"
                                                                                     : NULL;
}

/* What can be said of a URL without looking up its host; NULL: nothing against it. */
static const char *refusal_of(const struct provider_settings *settings, const struct url_parts *parts)
{
    if (parts->malformed)
        return "it is no absolute URL of http or https";
    if (!parts->tls && !settings->http_urls)
        return "it is not https";
    if (parts->user)
        return "it has a user's name";
    if (!parts->usual_port)
        return "its port is not the scheme's";
    return host_refusal(settings, parts);
}

/* With a base URL the provider stands in for every host. */
static void map_to_base(struct http_call *call, struct call_target *target, const struct url_parts *parts)
{
    const struct provider *provider = call->provider;
    target->checked = false;
    call->request.tls = provider->tls;
    call->request.url = edge_format(call->ctx, "%s%s", provider->settings.base_url, parts->target);
}

static void point_at(struct http_call *call, const struct url_parts *parts)
{
    struct call_target *target = call->request.target;
    const struct provider_settings *settings = &call->provider->settings;
    const char *refusal = refusal_of(settings, parts);
    *target = (struct call_target){ .refusal = refusal };
    if (refusal != NULL)
        return;

    target->asked = call->request.path = call->request.url = parts->url;
    target->host = parts->host;
    target->tls = call->request.tls = parts->tls;
    target->checked = settings->public_urls;
    target->named = !parts->literal;
    if (settings->base_url != NULL)
        map_to_base(call, target, parts);
}

void target_make(struct http_call *call, const char *url)
{
    call->request.target = edge_alloc(call->ctx, sizeof *call->request.target);
    struct url_parts parts;
    url_read(call->ctx, url, NULL, &parts);
    point_at(call, &parts);
}

/* Cookies, keys and whatever else a function added are for the origin that it named. */
static void keep_harmless_headers(struct http_call *call)
{
    struct curl_slist **link = &call->request.headers;
    while (*link != NULL) {
        const char *line = (*link)->data;
        if (strncasecmp(line, "user-agent:", 11) == 0 || strncasecmp(line, "accept", 6) == 0)
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
}

void target_follow(struct http_call *call, const char *location)
{
    const struct call_target from = *call->request.target;
    struct url_parts parts;
    url_read(call->ctx, location, from.asked, &parts);
    point_at(call, &parts);
    const struct call_target *to = call->request.target;
    if (to->refusal == NULL && (to->tls != from.tls || strcasecmp(to->host, from.host) != 0))
        keep_harmless_headers(call);
}

bool target_surveyed(struct http_call *call)
{
    struct call_target *target = call->request.target;
    if (!target_is_checked(target) || !target->named || target->surveyed)
        return false;
    target->surveyed = target->seen && target->why == NULL && call->attempt.failure == EDGE_HTTP_UNREACHABLE;
    return target->surveyed;
}

void target_attach(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (test_network.addresses != NULL)
        curl_easy_setopt(easy, CURLOPT_RESOLVE, test_network.addresses);
}

static void note_address(struct call_target *target, const struct sockaddr *address)
{
    const void *bytes = address->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (inet_ntop(address->sa_family, bytes, target->address, sizeof target->address) == NULL)
        target->address[0] = '\0';
}

/* Tests have no public network: what has passed goes to a port of this machine. */
static void divert(struct curl_sockaddr *address)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)test_network.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    address->family = AF_INET;
    address->addrlen = sizeof in;
    memcpy(&address->addr, &in, sizeof in);
}

bool target_admits(struct http_call *call, struct curl_sockaddr *address)
{
    struct call_target *target = call->request.target;
    if (!target_is_checked(target))
        return true;
    const char *why = address_refusal(&address->addr);
    if (why != NULL && target->why == NULL) {
        target->why = why;
        note_address(target, &address->addr);
    }
    target->seen = true;
    if (target->why != NULL)
        call->attempt.failure = EDGE_HTTP_URL_REFUSED;
    if (target->why != NULL || (target->named && !target->surveyed))
        return false;
    if (test_network.port != 0)
        divert(address);
    return true;
}

void target_explain(struct http_call *call)
{
    const struct call_target *target = call->request.target;
    snprintf(call->message, sizeof call->message, "its host has the address %s, which is: %s", target->address,
        target->why);
}

bool edge_url_is_allowed(edge_ctx *ctx, const char *provider, const char *url)
{
    struct url_parts parts;
    url_read(ctx, url, NULL, &parts);
    return refusal_of(&provider_of_urls(ctx, provider)->settings, &parts) == NULL;
}
