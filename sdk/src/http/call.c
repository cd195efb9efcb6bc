/*
 * One attempt of a call: into libcurl, out of it, and its time limits. Everything here runs on the loop's
 * stack.
 */
#include "call.h"

#include "client.h"
#include "provider.h"
#include "source.h"
#include "target.h"
#include "upload.h"

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

#define FAIR_MAX_US INT64_C(1000000)

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
    if (!attempt->answered && attempt->starved)
        return limit; /* the function is at work, not the provider */
    if (!attempt->answered) {
        int64_t from_us = attempt->taken_us > 0 ? attempt->taken_us : attempt->started_us;
        return nearer(limit, limit_after(from_us, call->request.first_byte_ms, "first-byte limit"));
    }
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

static int set_body(struct http_call *call)
{
    const struct call_request *request = &call->request;
    CURL *easy = call->attempt.easy;
    if (call->upload != NULL) {
        upload_attach(call);
    } else if (request->sources != NULL) {
        return sources_attach(call);
    } else if (request->body != NULL || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
    }
    return 0;
}

static int set_method(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    if (strcmp(call->request.method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return 0;
    }
    int rc = set_body(call);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->request.method);
    return rc;
}

/*
 * HTTP/2 only for what is taken and sent whole: a paused stream would hold up the others on its connection
 * (libcurl 7.88 stops reading it). A call to anybody's URL shares its connection with nobody (target.c).
 */
static bool is_alone(const struct http_call *call)
{
    const struct call_request *request = &call->request;
    return request->streamed || request->sources != NULL || call->upload != NULL ||
           target_is_checked(request->target);
}

static void set_signature(CURL *easy, const struct provider_settings *settings)
{
    if (settings->aws_sigv4 == NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, settings->aws_sigv4);
    curl_easy_setopt(easy, CURLOPT_USERPWD, settings->key);
}

static void set_connection(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    const struct call_request *request = &call->request;
    /* HTTP/2 without TLS would need prior knowledge. */
    long version = request->tls && !is_alone(call) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, version == CURL_HTTP_VERSION_2TLS ? 1L : 0L);
    curl_easy_setopt(
        easy, CURLOPT_BUFFERSIZE, request->streamed ? (long)STREAM_BUFFER_BYTES : (long)BODY_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    /* https goes through https_proxy when that is set; what is not encrypted is inside, and goes straight. */
    if (!request->tls)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (!request->streamed)
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    if (target_is_checked(request->target))
        target_attach(call);
}

static int set_up(struct http_call *call, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->message);
    curl_easy_setopt(easy, CURLOPT_URL, call->request.url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->request.headers);
    call->attempt.easy = easy;
    int rc = set_method(call);
    set_connection(call);
    set_signature(call->attempt.easy, &call->provider->settings);
    call_receive(call);
    return rc;
}

/* The handle, and what only it has pointed at. */
static void let_go(struct http_call *call)
{
    if (call->attempt.easy != NULL)
        client_drop(call->attempt.easy, call->attempt.streams);
    curl_mime_free(call->attempt.mime);
    call->attempt.easy = NULL;
    call->attempt.mime = NULL;
}

void call_begin(struct http_call *call)
{
    call->state = CALL_RUNNING;
    call->attempt.started_us = clock_us();
    call->attempt.streams = is_alone(call);
    call->message[0] = '\0';
    CURL *easy = client_take();
    int rc = easy != NULL ? set_up(call, easy) : -ENOMEM;
    if (easy != NULL && client_add(easy, call->attempt.streams) < 0) {
        call->attempt.easy = NULL; /* it has been given back */
        rc = -ENOMEM;
    }
    if (rc < 0) {
        call_end(call, EDGE_HTTP_UNREACHABLE);
        snprintf(call->message, sizeof call->message, "the host is out of memory");
        return;
    }
    call_watch(call);
}

/*
 * The invocation's own deadline took the call with it before the provider said anything. That counts as the
 * call's own limit would, unless the call began so late that hardly any provider had made it.
 */
static bool silent_to_the_end(const struct http_call *call)
{
    const edge_ctx *ctx = call->ctx;
    int64_t now_us = clock_us(), fair_us = ctx->timeout_ms * 500;
    bool answer_timed_out = ctx->failure != NULL && strcmp(ctx->failure->code, "timeout") == 0;
    bool work_timed_out = ctx->deadline_us > 0 && now_us >= ctx->deadline_us; /* behind the answer */
    if ((!answer_timed_out && !work_timed_out) || call->attempt.answered || call->attempt.starved)
        return false;
    return now_us - call->attempt.started_us >= (fair_us < FAIR_MAX_US ? fair_us : FAIR_MAX_US);
}

static enum breaker_verdict verdict_of(const struct http_call *call, bool abandoned, edge_http_failure failure)
{
    /* What anybody's URL leads to says nothing about the next one. */
    if (target_is_checked(call->request.target) || call->attempt.unreadable != NULL)
        return VERDICT_NONE;
    if (abandoned ? silent_to_the_end(call) : failure == EDGE_HTTP_UNREACHABLE || failure == EDGE_HTTP_TIMEOUT)
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
    let_go(call);
    provider_leave(call, verdict_of(call, abandoned, failure));
}

void call_end(struct http_call *call, edge_http_failure failure)
{
    call_leave(call, false, failure);
    call->attempt.failure = failure;
    call->attempt.over = true;
    call_wake(call);
}

void call_withdraw(struct http_call *call)
{
    call_leave(call, true, EDGE_HTTP_OK);
    call->attempt.over = true;
    free(call->filling.data);
    free(call->reading.data);
    call->filling = call->reading = (struct call_bytes){ 0 };
    call->parsed = 0;
    if (call->events != NULL)
        sse_free(call->events);
}

void call_abandon(struct http_call *call)
{
    call_withdraw(call);
    call->step = STEP_DONE;
    sources_close(call);
    upload_free(call);
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
    if (attempt->unreadable != NULL)
        snprintf(call->message, sizeof call->message, "the file that was being sent: %s", attempt->unreadable);
    else if (attempt->failure == EDGE_HTTP_URL_REFUSED)
        target_explain(call);
    else if (attempt->repeat_refused)
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

static void left_behind(struct fiber_wait *wait)
{
    struct call_group *group = (struct call_group *)((char *)wait - offsetof(struct call_group, wait));
    for (size_t i = 0; i < group->count; i++) {
        group->calls[i]->group = NULL;
        call_abandon(group->calls[i]);
    }
}

void call_park(struct http_call **calls, size_t count)
{
    int64_t parked_us = clock_us();
    struct call_group group = {
        .wait = { .abandon = left_behind, .reason = "fetch" },
        .calls = calls,
        .count = count,
    };
    for (size_t i = 0; i < count; i++)
        calls[i]->group = &group;
    fiber_wait(&group.wait);
    for (size_t i = 0; i < count; i++)
        calls[i]->group = NULL;
    calls[0]->ctx->usage.http_us += clock_us() - parked_us;
}

void call_wake(struct http_call *call)
{
    if (call->group != NULL)
        fiber_wake(&call->group->wait);
}
