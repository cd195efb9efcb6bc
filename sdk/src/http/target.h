/*
 * Calls to a URL instead of a path: which URLs a provider's settings allow, and for URLs from anybody the guard
 * against server-side request forgery: public addresses only, on whatever is actually connected to.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "call.h"

#include <netinet/in.h>

struct call_target {
    const char *asked;   /* the URL, complete; what a relative redirect is resolved against */
    const char *host;    /* of it */
    bool tls;            /* of it */
    const char *refusal; /* why nothing may be sent there */
    bool checked;        /* addresses have to be public */
    bool named;          /* the host is a name */
    bool surveyed;       /* all its addresses are known to be public */
    bool seen;           /* it has an address */
    const char *why;     /* what the address is that is not public */
    char address[INET6_ADDRSTRLEN];
};

/* In the fiber. Points a call at a URL, as far as its provider allows; else nothing of the call is sent. */
void target_make(struct http_call *call, const char *url);

/*
 * In the fiber, after a redirect: points the call at its Location. What the function said about itself goes to
 * the first origin only.
 */
void target_follow(struct http_call *call, const char *location);

/* NULL: nothing known against it. */
const char *target_refusal(const struct call_target *target);
bool target_is_checked(const struct call_target *target);

/*
 * A name is looked up before it is called: in a first attempt no socket is opened, while libcurl offers one
 * address after the other. True when that was this attempt and every address is public.
 */
bool target_surveyed(struct http_call *call);

/* Loop's stack: what a checked target wants of libcurl. */
void target_attach(struct http_call *call);

/* From libcurl, which is about to connect: whether it may. */
bool target_admits(struct http_call *call, struct curl_sockaddr *address);

/* Puts what is wrong with the address into the call's message. */
void target_explain(struct http_call *call);

#endif
