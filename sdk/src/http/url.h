/*
 * URLs of outgoing calls.
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <edge/http.h>

/*
 * True when path may be appended to a base URL: it begins a path or a query, is encoded, and has no dot
 * segments, so that no value in it can lead to another host or out of the path it stands in.
 */
bool url_path_is_sound(const char *path);

/* A URL taken apart by libcurl's parser, which is the one that will use it. Strings are the invocation's. */
struct url_parts {
    const char *url;    /* complete, encoded, without fragment; NULL when malformed */
    const char *host;   /* in lower case as far as it is an address; no brackets */
    const char *target; /* path and query */
    bool malformed;     /* also of another scheme than http and https */
    bool tls, user, usual_port;
    bool literal;  /* the host is an address */
    bool odd_host; /* it was one in another spelling (octal, hexadecimal, one number, encoded, with a zone) */
};

/* In the fiber. base: the absolute URL that a relative one refers to, NULL when it has to be absolute. */
void url_read(edge_ctx *ctx, const char *text, const char *base, struct url_parts *parts);

#endif
