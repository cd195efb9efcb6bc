/*
 * One attempt of a call: into libcurl, out of it, and its time limits. Everything here runs on the loop's
 * stack.
 */
#include "call.h"

#include "client.h"
#include "provider.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * libcurl allocates one receive buffer a transfer, for as long as it waits. A waiting call should cost little
 * (2,000 of them are measured in tests/unit/http_memory.c); an answer taken whole should not take a system call
 * a KiB.
 */
enum {
    STREAM_BUFFER_BYTES = 1024,
    BODY_BUFFER_BYTES = 2048
};

struct limit {
    int64_t at_us; /* INT64_MAX: none */
    int64_t ms;
    const char *name;
};

static struct limit nearer(struct limit a, struct limit b)
{
    return a.at_us <= b.at_us ? a : b;
}

static struct limit limit_after(int64_t from_us, int64_t ms, const char *name)
{
    return (struct limit){ .at_us = ms > 0 ? from_us + ms * 1000 : INT64_MAX, .ms = ms, .name = name };
}

/* The connect limit is libcurl's own; the invocation's deadline is the context's, which abandons the call. */
static struct limit nearest_limit(const struct http_call *call)
{
    const struct call_attempt *attempt = &call->attempt;
    struct limit limit = {
        .at_us = call->deadline_us > 0 ? call->deadline_us : INT64_MAX,
        .ms = call->request.total_ms,
        .name = call->state == CALL_QUEUED ? "limit, in the provider's queue," : "limit",
    };
    if (call->state != CALL_RUNNING)
        return limit;
    if (!attempt->answered)
        return nearer(limit, limit_after(attempt->started_us, call->request.first_byte_ms, "first-byte limit"));
    if (!attempt->paused)
        return nearer(limit, limit_after(attempt->heard_us, call->request.silence_ms, "silence limit"));
    return limit;
}

static void limit_passed(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct http_call *call = timer->data;
    struct limit limit = nearest_limit(call);
    if (limit.at_us > clock_us()) {
        call_watch(call);
        return;
    }
    char message[96];
    snprintf(message, sizeof message, "the %s of %lld ms has passed", limit.name, (long long)limit.ms);
    call_end(call, EDGE_HTTP_TIMEOUT);
    memcpy(call->message, message, sizeof message);
}

void call_watch(struct http_call *call)
{
    struct ev_loop *loop = fiber_loop();
    ev_timer_stop(loop, &call->timer);
    struct limit limit = nearest_limit(call);
    if (limit.at_us == INT64_MAX)
        return;
    int64_t left_us = limit.at_us - clock_us();
    /* Relative to now, not to the loop's cached time, which is as old as this turn. */
    double after = (left_us > 0 ? (double)left_us / 1e6 : 0) + (ev_time() - ev_now(loop));
    ev_timer_init(&call->timer, limit_passed, after, 0);
    call->timer.data = call;
    ev_timer_start(loop, &call->timer);
}

static void set_method(CURL *easy, const struct call_request *request)
{
    if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body != NULL || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_connection(CURL *easy, const struct http_call *call)
{
    const struct call_request *request = &call->request;
    bool tls = call->provider->tls;
    /*
     * HTTP/2 only for answers that are taken whole: a paused stream would hold up the others on its connection
     * (libcurl 7.88 stops reading it). HTTP/2 without TLS would need prior knowledge.
     */
    long version = tls && !request->streamed ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, version == CURL_HTTP_VERSION_2TLS ? 1L : 0L);
    curl_easy_setopt(
        easy, CURLOPT_BUFFERSIZE, request->streamed ? (long)STREAM_BUFFER_BYTES : (long)BODY_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    /* https goes through https_proxy when that is set; what is not encrypted is inside, and goes straight. */
    if (!tls)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (!request->streamed)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

void call_begin(struct http_call *call)
{
    call->state = CALL_RUNNING;
    call->attempt.started_us = clock_us();
    call->attempt.streams = call->request.streamed;
    call->message[0] = '\0';
    CURL *easy = client_take();
    if (easy != NULL) {
        curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->message);
        curl_easy_setopt(easy, CURLOPT_URL, call->request.url);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->request.headers);
        set_method(easy, &call->request);
        set_connection(easy, call);
        call->attempt.easy = easy;
        call_receive(call);
        if (client_add(easy, call->attempt.streams) < 0)
            easy = call->attempt.easy = NULL;
    }
    if (easy == NULL) {
        snprintf(call->message, sizeof call->message, "the host is out of memory");
        call_end(call, EDGE_HTTP_UNREACHABLE);
        return;
    }
    call_watch(call);
}

static enum breaker_verdict verdict_of(const struct http_call *call, bool abandoned, edge_http_failure failure)
{
    if (!abandoned && (failure == EDGE_HTTP_UNREACHABLE || failure == EDGE_HTTP_TIMEOUT))
        return VERDICT_BAD;
    if (!call->attempt.head_done || call->reply.status == 429)
        return VERDICT_NONE;
    return call->reply.status >= 500 ? VERDICT_BAD : VERDICT_GOOD;
}

/* Takes the call off whatever list it is on. */
static void call_leave(struct http_call *call, bool abandoned, edge_http_failure failure)
{
    ev_timer_stop(fiber_loop(), &call->timer);
    if (call->state == CALL_QUEUED)
        provider_unqueue(call);
    if (call->state != CALL_RUNNING)
        return;

    call->state = CALL_IDLE;
    if (call->attempt.easy != NULL)
        client_drop(call->attempt.easy, call->attempt.streams);
    call->attempt.easy = NULL;
    provider_leave(call, verdict_of(call, abandoned, failure));
}

void call_end(struct http_call *call, edge_http_failure failure)
{
    call_leave(call, false, failure);
    call->attempt.failure = failure;
    call->attempt.over = true;
    call_wake(call);
}

void call_abandon(struct http_call *call)
{
    call->parked = false;
    call_leave(call, true, EDGE_HTTP_OK);
    call->attempt.over = true;
    free(call->filling.data);
    free(call->reading.data);
    call->filling = call->reading = (struct call_bytes){ 0 };
    call->parsed = 0;
    if (call->events != NULL)
        sse_free(call->events);
}

/* What a callback found, or what libcurl calls it. */
static edge_http_failure failure_of(const struct http_call *call, CURLcode code)
{
    if (call->attempt.failure != EDGE_HTTP_OK)
        return call->attempt.failure;
    switch (code) {
    case CURLE_OK:
        /* A connection that ends within the head counts as an answer for libcurl. */
        return call->attempt.head_done ? EDGE_HTTP_OK : EDGE_HTTP_UNREACHABLE;
    case CURLE_OPERATION_TIMEDOUT:
        return EDGE_HTTP_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        /* 7.88 says so of a header line longer than it takes (100 KiB). */
        return call->attempt.sent && !call->attempt.head_done ? EDGE_HTTP_TOO_LARGE : EDGE_HTTP_UNREACHABLE;
    default:
        return EDGE_HTTP_UNREACHABLE;
    }
}

static void explain(struct http_call *call, CURLcode code)
{
    const struct call_attempt *attempt = &call->attempt;
    if (attempt->repeat_refused)
        snprintf(call->message, sizeof call->message, "the connection broke before an answer came");
    else if (code == CURLE_OK)
        snprintf(call->message, sizeof call->message, "the connection broke within the answer's head");
    else if (attempt->failure == EDGE_HTTP_TOO_LARGE)
        snprintf(call->message, sizeof call->message, "the answer is larger than %zu bytes",
            attempt->head_done ? call->request.max_bytes : (size_t)CALL_HEAD_BYTES);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        snprintf(call->message, sizeof call->message, "the connect limit of %lld ms has passed",
            (long long)call->request.connect_ms);
    else if (call->message[0] == '\0')
        snprintf(call->message, sizeof call->message, "%s", curl_easy_strerror(code));
}

void call_done(struct http_call *call, CURLcode code)
{
    edge_http_failure failure = failure_of(call, code);
    call_end(call, failure);
    if (failure != EDGE_HTTP_OK)
        explain(call, code);
}

void call_resume(struct http_call *call)
{
    if (!call->attempt.paused || call->state != CALL_RUNNING)
        return;
    call->attempt.paused = false;
    call->attempt.heard_us = clock_us();
    /* Delivers what libcurl kept, which may pause it again. */
    CURLcode code = curl_easy_pause(call->attempt.easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        call_done(call, code);
    else
        call_watch(call);
}

static void call_left_behind(struct fiber_wait *wait)
{
    call_abandon((struct http_call *)((char *)wait - offsetof(struct http_call, wait)));
}

void call_park(struct http_call *call)
{
    int64_t parked_us = clock_us();
    call->wait = (struct fiber_wait){ .abandon = call_left_behind, .reason = "fetch" };
    call->parked = true;
    fiber_wait(&call->wait);
    call->parked = false;
    call->ctx->usage.http_us += clock_us() - parked_us;
}

void call_wake(struct http_call *call)
{
    if (call->parked)
        fiber_wake(&call->wait);
}
