/*
 * Uploads; see upload.h.
 */
#include "upload.h"

#include "source.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

struct call_upload {
    char *buffer;      /* SEND_BUFFER_BYTES, malloc'ed so that it goes with the upload */
    size_t waiting;    /* bytes in it, from its beginning */
    int64_t announced; /* bytes in all; -1: sent in chunks, unknown */
    int64_t written;
    bool ended;
};

static struct http_call *call_of_upload(edge_upload *upload)
{
    return (struct http_call *)(void *)upload;
}

/* The last third of a buffer is not worth a switch to the writer and back. */
static bool has_room(const struct call_upload *upload)
{
    return upload->waiting <= SEND_BUFFER_BYTES / 3;
}

static size_t on_wanted(char *to, size_t size, size_t count, void *user)
{
    struct http_call *call = user;
    struct call_upload *upload = call->upload;
    size_t length = size * count < upload->waiting ? size * count : upload->waiting;
    call->attempt.taken_us = clock_us();
    if (length == 0 && !upload->ended) {
        call->attempt.starved = true;
        return CURL_READFUNC_PAUSE;
    }
    memcpy(to, upload->buffer, length);
    upload->waiting -= length;
    memmove(upload->buffer, upload->buffer + length, upload->waiting);
    if (has_room(upload))
        call_wake(call);
    return length;
}

void upload_attach(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->upload->announced);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER_BYTES);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_wanted);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    /*
     * It cannot be sent twice, so it does not go out on a connection that may have died since its last use. Nor
     * is its own kept: as no upload takes an idle one, they would only add up.
     */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

void upload_free(struct http_call *call)
{
    if (call->upload == NULL)
        return;
    free(call->upload->buffer);
    call->upload->buffer = NULL;
}

static void feed(void *arg)
{
    struct http_call *call = arg;
    if (!call->attempt.starved || call->state != CALL_RUNNING)
        return;
    call->attempt.starved = false;
    call->attempt.taken_us = clock_us();
    CURLcode code = curl_easy_pause(call->attempt.easy, CURLPAUSE_CONT);
    if (code != CURLE_OK)
        call_done(call, code);
    else
        call_watch(call);
}

/* An error that comes before the body's end ends the body: libcurl sends no more of it. */
static bool takes_no_more(const struct http_call *call)
{
    return call->attempt.over || (call->attempt.head_done && call->reply.status >= 400);
}

edge_upload *edge_fetch_upload_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    edge_fetch_options mine = *options;
    if (mine.content_type == NULL)
        mine.content_type = "application/octet-stream";
    struct http_call *call = call_make(ctx, provider, &mine, false);
    if (call->request.body != NULL || call->request.sources != NULL)
        call_refuse(call, "an upload has a body already", call->request.path);
    /* It would have to be surveyed before the first byte is written, and nobody needs that. */
    if (target_is_checked(call->request.target))
        call_refuse(call, "nothing is uploaded to anybody's URL", call->request.path);
    if (options->method == NULL)
        call->request.method = "POST";
    call->request.safe = false;
    call->request.retries = 0;

    struct call_upload *upload = edge_alloc(ctx, sizeof *upload);
    upload->announced = options->length > 0 ? (int64_t)options->length : -1;
    call->upload = upload;
    call_abandon_at_end(call); /* between two writes no fiber waits in the call */
    upload->buffer = malloc(SEND_BUFFER_BYTES);
    if (upload->buffer == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory for another upload");
    call_submit(call);
    return (edge_upload *)call;
}

bool edge_upload_write(edge_ctx *ctx, edge_upload *handle, const void *data, size_t length)
{
    (void)ctx;
    struct http_call *call = call_of_upload(handle);
    struct call_upload *upload = call->upload;
    if (upload->ended)
        call_refuse(call, "an upload is written to after its end", call->request.path);
    if (upload->announced >= 0 && (int64_t)length > upload->announced - upload->written)
        call_refuse(call, "an upload is longer than announced", call->request.path);
    upload->written += (int64_t)length;

    const char *from = data;
    while (length > 0) {
        while (upload->waiting == SEND_BUFFER_BYTES && !takes_no_more(call))
            call_park(&call, 1);
        if (takes_no_more(call))
            return false;
        size_t room = SEND_BUFFER_BYTES - upload->waiting, some = length < room ? length : room;
        memcpy(upload->buffer + upload->waiting, from, some);
        upload->waiting += some;
        from += some;
        length -= some;
        fiber_on_loop(feed, call);
    }
    return !takes_no_more(call);
}

edge_reply *edge_upload_end(edge_ctx *ctx, edge_upload *handle)
{
    (void)ctx;
    struct http_call *call = call_of_upload(handle);
    struct call_upload *upload = call->upload;
    if (upload->announced > upload->written && !takes_no_more(call))
        call_refuse(call, "an upload is shorter than announced", call->request.path);
    if (upload->ended)
        return &call->reply;
    upload->ended = true;
    fiber_on_loop(feed, call);
    while (!call->attempt.over)
        call_park(&call, 1);
    upload_free(call);
    call_settle(call);
    return &call->reply;
}
