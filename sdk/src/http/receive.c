/*
 * libcurl's callbacks: the head of an answer, its body, and leave to send. They run on the loop's stack inside
 * libcurl, where no call may be added or removed; what they find out is acted on once it has returned.
 */
#include "call.h"

#include "provider.h"
#include "retry.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    FIRST_BODY_BYTES = 4096,
    FIRST_QUEUE_BYTES = 1024,
    TRUSTED_LENGTH_BYTES = 256 * 1024
};

/* A number of bytes that is not the one libcurl offered ends the transfer. */
static size_t give_up(struct http_call *call, edge_http_failure failure)
{
    call->attempt.failure = failure;
    return 0;
}

/* The arena had no room: the call fails, and then the fiber with memory_limit (call_settle). */
static size_t no_room(struct http_call *call, size_t wanted)
{
    call->attempt.wanted_bytes = wanted;
    return give_up(call, EDGE_HTTP_TOO_LARGE);
}

static void heard(struct http_call *call)
{
    bool first = !call->attempt.answered;
    call->attempt.answered = true;
    call->attempt.heard_us = clock_us();
    if (first)
        call_watch(call);
}

static void head_ended(struct http_call *call)
{
    struct call_attempt *attempt = &call->attempt;
    long status = 0;
    curl_easy_getinfo(attempt->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200)
        return; /* 100 and 103 come before the answer's own head */
    attempt->head_done = true;
    curl_off_t uploaded = 0;
    curl_easy_getinfo(attempt->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    attempt->taken = uploaded == (curl_off_t)call->request.body_length;
    call->reply.status = (int)status;
    call->reply.retry_after_seconds = retry_after_seconds(
        edge_reply_header(call->ctx, &call->reply, "retry-after"), edge_now_exact() / 1000000);
    provider_answered(call, status == 429 ? VERDICT_NONE : status >= 500 ? VERDICT_BAD : VERDICT_GOOD);
    if (call->request.streamed || call->upload != NULL)
        call_wake(call);
}

static size_t trimmed(const char **text, size_t length)
{
    while (length > 0 && strchr(" \t\r\n", (*text)[length - 1]) != NULL)
        length--;
    while (length > 0 && strchr(" \t", **text) != NULL) {
        ++*text;
        length--;
    }
    return length;
}

static bool keep_header(struct http_call *call, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return true;
    const char *value = colon + 1;
    size_t name_length = (size_t)(colon - line), value_length = trimmed(&value, length - name_length - 1);

    struct header_node *node = arena_alloc(&call->ctx->arena, sizeof *node + name_length + value_length + 2);
    if (node == NULL)
        return false;
    char *name = (char *)(node + 1), *text = name + name_length + 1;
    memcpy(name, line, name_length);
    memcpy(text, value, value_length);
    node->name = name;
    node->value = text;
    *call->attempt.last_header = node;
    call->attempt.last_header = &node->next;
    return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    struct call_attempt *attempt = &call->attempt;
    size_t length = size * count;
    heard(call);
    if (attempt->head_done)
        return length; /* a trailer */

    attempt->head_bytes += length;
    if (attempt->head_bytes > CALL_HEAD_BYTES)
        return give_up(call, EDGE_HTTP_TOO_LARGE);
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        attempt->headers = NULL;
        attempt->last_header = &attempt->headers;
    } else if (line[0] == '\r' || line[0] == '\n') {
        head_ended(call);
    } else if (!keep_header(call, line, length)) {
        return no_room(call, length);
    }
    return length;
}

/* The first block has the announced size, unless that is large: memory is for bytes that have come. */
static size_t body_size(const struct http_call *call, size_t needed)
{
    const struct call_attempt *attempt = &call->attempt;
    size_t size = attempt->size > 0 ? attempt->size * 2 : FIRST_BODY_BYTES;
    curl_off_t announced = -1;
    if (attempt->size == 0)
        curl_easy_getinfo(attempt->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced >= 0 && announced <= TRUSTED_LENGTH_BYTES)
        size = (size_t)announced + 1;
    if (size > call->request.max_bytes)
        size = call->request.max_bytes + 1;
    return size < needed ? needed : size;
}

static size_t collect(struct http_call *call, const char *data, size_t length)
{
    struct call_attempt *attempt = &call->attempt;
    if (call->request.follows && call_is_redirect(call->reply.status))
        return length;
    if (length > call->request.max_bytes - attempt->length)
        return give_up(call, EDGE_HTTP_TOO_LARGE);

    size_t needed = attempt->length + length + 1;
    if (needed > attempt->size) {
        size_t size = body_size(call, needed);
        char *body = arena_alloc(&call->ctx->arena, size);
        if (body == NULL)
            return no_room(call, size);
        if (attempt->length > 0)
            memcpy(body, attempt->body, attempt->length);
        attempt->body = body;
        attempt->size = size;
    }
    memcpy(attempt->body + attempt->length, data, length);
    attempt->length += length;
    attempt->body[attempt->length] = '\0';
    return length;
}

static size_t queue(struct http_call *call, const char *data, size_t length)
{
    struct call_bytes *bytes = &call->filling;
    if (bytes->length > 0 && bytes->length + length > CALL_QUEUE_BYTES) {
        call->attempt.paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (bytes->length + length > bytes->size) {
        size_t size = bytes->size == 0 ? FIRST_QUEUE_BYTES : bytes->size;
        while (size < bytes->length + length)
            size *= 2;
        char *grown = realloc(bytes->data, size);
        if (grown == NULL)
            return give_up(call, EDGE_HTTP_UNREACHABLE);
        bytes->data = grown;
        bytes->size = size;
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    call_wake(call);
    return length;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    heard(call);
    return call->request.streamed ? queue(call, data, size * count) : collect(call, data, size * count);
}

/*
 * A request is about to go out. Twice in one attempt means that libcurl found its reused connection broken and
 * is sending again, as it does with any method: only a safe request may, and once.
 */
static int on_send(void *user, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    (void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
    struct http_call *call = user;
    provider_resolved(call);
    if (call->attempt.failure == EDGE_HTTP_URL_REFUSED)
        return CURL_PREREQFUNC_ABORT;
    if (call->attempt.sent) {
        if (!call->request.safe || call->repeated) {
            call->attempt.repeat_refused = true;
            return CURL_PREREQFUNC_ABORT;
        }
        call->repeated = true;
        call->provider->retries++;
    }
    call->attempt.sent = true;
    return CURL_PREREQFUNC_OK;
}

static int on_look_up(void *resolver, void *reserved, void *user)
{
    (void)resolver, (void)reserved;
    struct http_call *call = user;
    call->attempt.looked_up = true;
    return 0;
}

static curl_socket_t on_socket_wanted(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    provider_resolved(user);
    if (!target_admits(user, address))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void call_receive(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    call->attempt.last_header = &call->attempt.headers;
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_look_up);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, call);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
}
