/*
 * Calls of functions from the command line: where the host is, who calls, one exchange over HTTP or WebSocket.
 */
#ifndef HOST_CALL_H
#define HOST_CALL_H

#include <curl/curl.h>
#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a host is reached. */
struct host_place {
    char origin[512];
    char socket[112];   /* of a host that listens on a Unix socket, else empty */
    const char *cacert; /* PEM file of certificates to trust instead of the system's; NULL: the system's */
    bool insecure;      /* any certificate does */
};

/*
 * Fills in origin and socket: of the running host of a configuration, as its control socket says, or of what
 * url names (NULL: the former), an origin or "unix:/path". False after saying why not.
 */
bool host_place_find(const char *config_path, const char *url, struct host_place *place);

/* One call; zeroed members are left out. */
struct host_call {
    const struct host_place *place;
    const char *path, *method;
    struct curl_slist *headers; /* the caller's to free */
    const char *body;           /* NULL: none */
    size_t length;
    /* Pieces of the body as they come; the status is known by then. NULL: they are collected. */
    void (*on_body)(struct host_call *call, const char *bytes, size_t length);
    void *arg;

    /* The answer. */
    long status;
    int64_t duration_ms;
    char generation[64], request_id[64], content_type[128];
    char *head, *text; /* the head's lines; the body, when it was collected */
    size_t head_length, text_length;
};

/* Makes the call; 0, or a curl error that has been said. */
int host_call_make(struct host_call *call);
void host_call_free(struct host_call *call);

/* Says why a host could not be reached, and what helps; detail is curl's, "" when it has none. */
void host_place_failed(const struct host_place *place, const char *path, CURLcode code, const char *detail);

/* Prepares a handle for a place, so that curl_easy_perform or a connection of one's own goes there. */
void host_place_apply(CURL *handle, const struct host_place *place, const char *path);

#endif
