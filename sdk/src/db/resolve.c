/*
 * Host names of a database URL; see resolve.h.
 *
 * A host with several addresses becomes several hosts, which libpq then tries in turn as it would have done;
 * the name stays beside each, for certificates and passwords are looked up by it.
 */
#include "db/resolve.h"

#include "db/offload.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resolve {
    struct offload job;
    char *url;
    struct resolved resolved;
    int error;
    /* The loop's, as is arg; NULL once nobody waits. */
    void (*done)(void *arg, const struct resolved *resolved, const char *error);
    void *arg;
};

/* The lists of a URL, each item found by its number; a list of one port goes for all hosts. */
struct lists {
    PQconninfoOption *options;
    const char *host, *hostaddr, *port;
};

static bool lists_open(struct lists *lists, const char *url)
{
    *lists = (struct lists){ .options = PQconninfoParse(url, NULL) };
    for (PQconninfoOption *option = lists->options; option != NULL && option->keyword != NULL; option++) {
        if (strcmp(option->keyword, "host") == 0)
            lists->host = option->val;
        else if (strcmp(option->keyword, "hostaddr") == 0)
            lists->hostaddr = option->val;
        else if (strcmp(option->keyword, "port") == 0)
            lists->port = option->val;
    }
    return lists->options != NULL;
}

/* The n-th item of a list separated by commas; false beyond its end. */
static bool item(const char *list, size_t n, char *out, size_t size)
{
    for (; list != NULL && n > 0; n--) {
        list = strchr(list, ',');
        list = list != NULL ? list + 1 : NULL;
    }
    if (list == NULL)
        return false;
    snprintf(out, size, "%.*s", (int)strcspn(list, ","), list);
    return true;
}

static bool is_name(const char *host)
{
    struct in6_addr address;
    return host[0] != '\0' && host[0] != '/' && host[0] != '@' && inet_pton(AF_INET, host, &address) != 1 &&
           inet_pton(AF_INET6, host, &address) != 1;
}

bool resolve_needed(const char *url)
{
    struct lists lists;
    bool needed = false;
    char host[NI_MAXHOST];
    if (lists_open(&lists, url) && lists.hostaddr == NULL)
        for (size_t i = 0; !needed && item(lists.host, i, host, sizeof host); i++)
            needed = is_name(host);
    PQconninfoFree(lists.options);
    return needed;
}

static bool append(char **list, const char *text, bool first)
{
    char *longer = NULL;
    if (asprintf(&longer, "%s%s%s", first ? "" : *list, first ? "" : ",", text) < 0)
        return false;
    free(*list);
    *list = longer;
    return true;
}

static bool add(struct resolved *resolved, const char *host, const char *address, const char *port)
{
    bool first = resolved->host == NULL;
    return append(&resolved->host, host, first) && append(&resolved->hostaddr, address, first) &&
           append(&resolved->port, port, first);
}

static int add_addresses(struct resolved *resolved, const char *host, const char *port)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);
    for (const struct addrinfo *at = found; error == 0 && at != NULL; at = at->ai_next) {
        char address[NI_MAXHOST];
        error = getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
        if (error == 0 && !add(resolved, host, address, port))
            error = EAI_MEMORY;
    }
    if (found != NULL)
        freeaddrinfo(found);
    return error;
}

int resolve_url(const char *url, struct resolved *resolved)
{
    *resolved = (struct resolved){ 0 };
    struct lists lists;
    char host[NI_MAXHOST], port[32];
    int error = lists_open(&lists, url) ? 0 : EAI_MEMORY;
    for (size_t i = 0; error != EAI_MEMORY && item(lists.host, i, host, sizeof host); i++) {
        if (!item(lists.port, i, port, sizeof port) && !item(lists.port, 0, port, sizeof port))
            port[0] = '\0';
        if (is_name(host))
            error = add_addresses(resolved, host, port);
        else if (!add(resolved, host, strchr("/@", host[0]) != NULL ? "" : host, port))
            error = EAI_MEMORY;
    }
    PQconninfoFree(lists.options);
    return resolved->host != NULL && error != EAI_MEMORY ? 0 : error;
}

void resolved_free(struct resolved *resolved)
{
    free(resolved->host);
    free(resolved->hostaddr);
    free(resolved->port);
}

static void look_up(struct offload *job)
{
    struct resolve *resolve = (struct resolve *)(void *)job;
    resolve->error = resolve_url(resolve->url, &resolve->resolved);
}

static void resolve_free(struct offload *job)
{
    struct resolve *resolve = (struct resolve *)(void *)job;
    resolved_free(&resolve->resolved);
    free(resolve->url);
    free(resolve);
}

static void found(struct offload *job)
{
    struct resolve *resolve = (struct resolve *)(void *)job;
    if (resolve->done != NULL)
        resolve->done(
            resolve->arg, &resolve->resolved, resolve->error != 0 ? gai_strerror(resolve->error) : NULL);
    resolve_free(job);
}

struct resolve *resolve_start(
    const char *url, void (*done)(void *arg, const struct resolved *resolved, const char *error), void *arg)
{
    struct resolve *resolve = calloc(1, sizeof *resolve);
    if (resolve == NULL)
        return NULL;
    resolve->job.work = look_up;
    resolve->job.done = found;
    resolve->job.drop = resolve_free;
    resolve->done = done;
    resolve->arg = arg;
    resolve->url = strdup(url);
    if (resolve->url != NULL && offload_run(&resolve->job) == 0)
        return resolve;
    resolve_free(&resolve->job);
    return NULL;
}

void resolve_forget(struct resolve *resolve)
{
    resolve->done = NULL;
}
