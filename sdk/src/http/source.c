/*
 * Files and multipart bodies; see source.h.
 *
 * Files are read with pread on the loop: what was just received or written is in the page cache, and a block is
 * small. multipart/form-data (RFC 7578) is libcurl's, fed from the same sources.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

EDGE_NORETURN static void unusable(struct http_call *call, const char *file, const char *why)
{
    const char *detail = edge_format(call->ctx, "body of a call: file \"%s\": %s", file, why);
    context_fail_detail(call->ctx, 500, "internal_error", "Internal error", detail);
}

static void close_source(void *arg)
{
    struct call_source *source = arg;
    if (source->opened)
        close(source->fd);
    source->opened = false;
}

void sources_close(struct http_call *call)
{
    for (size_t i = 0; i < call->request.source_count; i++)
        close_source(&call->request.sources[i]);
}

static void open_path(struct call_source *source, const char *path)
{
    call_at_end(source->call->ctx, close_source, source);
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (source->fd < 0)
        unusable(source->call, path, strerror(errno));
    source->opened = true;
}

/* length 0: to the end of the file. */
static void use_file(struct call_source *source, const char *path, int fd, int64_t from, int64_t length)
{
    struct stat file;
    const char *name = path != NULL ? path : "(descriptor)";
    source->fd = fd;
    if (path != NULL)
        open_path(source, path);
    if (fstat(source->fd, &file) < 0)
        unusable(source->call, name, strerror(errno));
    if (!S_ISREG(file.st_mode))
        unusable(source->call, name, "it is not a regular file");
    if (from < 0 || length < 0 || from > file.st_size || length > file.st_size - from)
        unusable(source->call, name, "the range is not within it");
    source->from = from;
    source->length = length > 0 ? length : file.st_size - from;
}

static void open_part(struct call_source *source, const edge_form_part *part)
{
    if (part->file != NULL || part->file_descriptor > 0) {
        use_file(source, part->file, part->file_descriptor, part->file_offset, (int64_t)part->length);
        return;
    }
    source->data = part->text != NULL ? part->text : part->data != NULL ? part->data : "";
    source->length = part->text != NULL ? (int64_t)strlen(part->text) : (int64_t)part->length;
}

static struct call_source *add_sources(struct http_call *call, size_t count)
{
    struct call_source *sources = edge_alloc(call->ctx, (count > 0 ? count : 1) * sizeof *sources);
    for (size_t i = 0; i < count; i++)
        sources[i] = (struct call_source){ .call = call, .fd = -1 };
    call->request.sources = sources;
    call->request.source_count = count;
    return sources;
}

void sources_open(struct http_call *call, const edge_fetch_options *options)
{
    if (options->parts == NULL) {
        use_file(add_sources(call, 1), options->file, options->file_descriptor, options->file_offset,
            (int64_t)options->length);
        return;
    }
    size_t count = 0;
    while (options->parts[count].name != NULL)
        count++;
    struct call_source *sources = add_sources(call, count);
    for (size_t i = 0; i < count; i++)
        open_part(&sources[i], &options->parts[i]);
    call->request.parts = options->parts;
}

static size_t on_more(char *to, size_t size, size_t count, void *user)
{
    struct call_source *source = user;
    int64_t left = source->length - source->at;
    size_t wanted = size * count;
    if ((int64_t)wanted > left)
        wanted = (size_t)left;
    if (wanted == 0)
        return 0;

    if (source->data != NULL) {
        memcpy(to, source->data + source->at, wanted);
    } else {
        ssize_t got = pread(source->fd, to, wanted, source->from + source->at);
        if (got <= 0) {
            source->call->attempt.unreadable = got < 0 ? strerror(errno) : "it has become shorter";
            return CURL_READFUNC_ABORT;
        }
        wanted = (size_t)got;
    }
    source->at += (int64_t)wanted;
    source->call->attempt.taken_us = clock_us();
    return wanted;
}

/* libcurl goes back to the beginning when it sends again on another connection. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct call_source *source = user;
    if (origin != SEEK_SET || offset < 0 || offset > source->length)
        return CURL_SEEKFUNC_FAIL;
    source->at = offset;
    return CURL_SEEKFUNC_OK;
}

static int add_part(curl_mime *mime, const edge_form_part *part, struct call_source *source)
{
    curl_mimepart *added = curl_mime_addpart(mime);
    if (added == NULL || curl_mime_name(added, part->name) != CURLE_OK)
        return -ENOMEM;
    if (part->filename != NULL && curl_mime_filename(added, part->filename) != CURLE_OK)
        return -ENOMEM;
    if (part->content_type != NULL && curl_mime_type(added, part->content_type) != CURLE_OK)
        return -ENOMEM;
    return curl_mime_data_cb(added, source->length, on_more, on_seek, NULL, source) == CURLE_OK ? 0 : -ENOMEM;
}

static int attach_parts(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    call->attempt.mime = curl_mime_init(easy);
    if (call->attempt.mime == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < call->request.source_count; i++)
        if (add_part(call->attempt.mime, &call->request.parts[i], &call->request.sources[i]) < 0)
            return -ENOMEM;
    return curl_easy_setopt(easy, CURLOPT_MIMEPOST, call->attempt.mime) == CURLE_OK ? 0 : -ENOMEM;
}

int sources_attach(struct http_call *call)
{
    CURL *easy = call->attempt.easy;
    struct call_source *sources = call->request.sources;
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BUFFER_BYTES);
    for (size_t i = 0; i < call->request.source_count; i++)
        sources[i].at = 0;
    if (call->request.parts != NULL)
        return attach_parts(call);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)sources->length);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_more);
    curl_easy_setopt(easy, CURLOPT_READDATA, sources);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, sources);
    return 0;
}
