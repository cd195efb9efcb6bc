/*
 * One call to a provider: what is asked, the attempt that is on its way, and what has come of it.
 *
 * It lives in the invocation's arena and begins with the reply that the function sees. Its fiber makes it
 * (request.c), drives its attempts (fetch.c) and reads it (reply.c, stream.c); everything libcurl does happens
 * on the loop's stack (call.c, receive.c). Whoever gets rid of the invocation calls call_abandon.
 */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include <context.h>
#include <edge/http.h>

#include <curl/curl.h>

#include "sse.h"

struct provider;
struct call_source;
struct call_target;
struct call_upload;

enum call_state {
    CALL_IDLE,    /* nowhere: before, between and after the attempts; holds no handle, its timer is stopped */
    CALL_QUEUED,  /* in its provider's queue, which provider_pump takes it from */
    CALL_RUNNING, /* its handle is in the multi and it is counted in provider->running; call_leave ends that */
};

/* How far the fiber is with it; fetch.c. */
enum call_step {
    STEP_BEGIN,  /* the next attempt is to be sent */
    STEP_ANSWER, /* an attempt is on its way */
    STEP_REST,   /* the wait before a repeat */
    STEP_DONE,   /* there is an answer to show */
};

struct call_request {
    const char *method, *path, *url;
    const void *body; /* NULL: none, or one of sources */
    void *block;      /* of the body, when it is one of the arena's that can be given back */
    size_t body_length, max_bytes;
    struct call_source *sources; /* bodies read as they go out: a file, or one a part of parts; see source.c */
    size_t source_count;
    const edge_form_part *parts;
    struct call_target *target; /* of a call to a URL; see target.c */
    struct curl_slist *headers; /* in the arena: libcurl only reads them */
    bool safe;                  /* may be sent twice */
    bool tls;
    bool streamed;
    bool follows; /* redirects: their bodies are of no use */
    int retries;
    int64_t connect_ms, first_byte_ms, silence_ms, total_ms; /* 0: no limit */
};

/* The part that begins anew with each attempt. */
struct call_attempt {
    CURL *easy;
    bool streams; /* easy is in the streams' multi, also once the rest is collected */
    curl_mime *mime;
    const char *unreadable; /* why the body could not be read on: nothing that the provider did */
    int64_t started_us, heard_us;
    int64_t taken_us; /* when libcurl last took bytes of a body that is read as it goes out */
    bool starved;     /* libcurl waits for more of an upload */
    bool sent;        /* a connection was there and the request went out on it */
    bool answered;    /* a byte came back */
    bool head_done;
    bool taken;                       /* with the head: the whole body was sent, and is not read again */
    bool paused;                      /* libcurl has been told to keep what it receives */
    bool over;                        /* nothing more will come; failure says why */
    bool probe, resolving, looked_up; /* see provider.c */
    bool repeat_refused;              /* libcurl wanted to send an unsafe request again */
    edge_http_failure failure;        /* also what a callback found before libcurl gives up for it */
    size_t wanted_bytes;              /* what the arena had no room for */
    struct header_node *headers, **last_header;
    size_t head_bytes;
    char *body; /* collected, not streamed */
    size_t length, size;
};

/* Bytes that wait for a reader, malloc'ed because an endless stream must not grow an arena. */
struct call_bytes {
    char *data;
    size_t length, size;
};

struct http_call {
    edge_reply reply; /* first: an edge_reply * is a struct http_call * */
    edge_ctx *ctx;
    struct provider *provider;
    struct http_call *next; /* in the provider's queue */
    enum call_state state;
    enum call_step step;
    int repeats;  /* after waits */
    bool resting; /* in STEP_REST: the timer has not come yet */
    struct call_request request;
    struct call_attempt attempt;
    int64_t deadline_us; /* of the call as a whole, queue and repeats included; 0 none */
    ev_timer timer;
    struct call_group *group;           /* that a fiber waits for; NULL: nobody waits */
    struct call_upload *upload;         /* the body comes piece by piece; see upload.c */
    bool left;                          /* the client, for whom alone the call was made */
    bool repeated;                      /* the one repeat after a broken connection has been used */
    struct call_bytes filling, reading; /* of a stream: libcurl fills one while the fiber reads the other */
    struct sse_parser *events;
    int trims;     /* of its fiber's stack */
    size_t parsed; /* bytes of reading that the event parser has taken */
    char message[CURL_ERROR_SIZE];
};

/* Calls that one fiber waits for. */
struct call_group {
    struct fiber_wait wait;
    struct http_call **calls;
    size_t count;
};

/* Bytes of a stream that may wait for their reader before libcurl is paused; bytes of all headers of an answer.
 */
enum {
    CALL_QUEUE_BYTES = 64 * 1024,
    CALL_HEAD_BYTES = 64 * 1024
};

static inline struct http_call *call_of(const edge_reply *reply)
{
    return (struct http_call *)reply;
}

/* Loop's stack. Puts an admitted call into the multi; its failure to get there is a failed attempt. */
void call_begin(struct http_call *call);

/* Loop's stack, from the client: libcurl is done with the call's handle. */
void call_done(struct http_call *call, CURLcode code);

/* Loop's stack. Ends the attempt, wherever it is, and wakes the fiber. call->message says why, if it failed. */
void call_end(struct http_call *call, edge_http_failure failure);

/* Loop's stack. Ends the attempt without a result, the connection with it; another one may follow. */
void call_withdraw(struct http_call *call);

/* Loop's stack. The same for good: frees what is not the arena's. */
void call_abandon(struct http_call *call);

/* Loop's stack. Lets a paused stream go on. */
void call_resume(struct http_call *call);

/* Sets the timer to the nearest of the call's time limits. */
void call_watch(struct http_call *call);

/* In the fiber: parks until something has happened to one of the calls. */
void call_park(struct http_call **calls, size_t count);
void call_wake(struct http_call *call);

/* In the fiber: calls fn(arg) when the invocation ends, for what no fiber may be waiting for by then. */
void call_at_end(edge_ctx *ctx, void (*fn)(void *arg), void *arg);
void call_abandon_at_end(struct http_call *call);

/* In the fiber: counts a call and begins its first attempt, without waiting for anything. */
void call_submit(struct http_call *call);

/* In the fiber: brings calls to an answer each, or as a stream to its head, repeating what may be repeated. */
void call_finish(struct http_call **calls, size_t count);

/* In the fiber: submits calls and finishes them. */
void call_perform(struct http_call **calls, size_t count);

/* In the fiber: the call is given up when the client leaves. */
void call_heed_client(struct http_call *call);

static inline bool call_is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Tells libcurl who receives the answer; see receive.c. */
void call_receive(struct http_call *call);

/* Makes the request of a call from what a function asked for, or ends the invocation. */
struct http_call *call_make(
    edge_ctx *ctx, const char *provider, const edge_fetch_options *options, bool streamed);

/* Ends the invocation, 500: the function asks for what no function should. */
EDGE_NORETURN void call_refuse(struct http_call *call, const char *why, const char *what);

/* In the fiber: brings the attempt's answer into the reply. Ends the invocation when its memory was used up. */
void call_settle(struct http_call *call);

#endif
