/*
 * Answering with a file: which part of it, and how its bytes reach the client.
 *
 * On a plain HTTP/1.1 connection the kernel sends them (sendfile). Under TLS, HTTP/2 and WebSockets they are
 * read in pieces into one buffer, which waits while the client has much to take.
 */
#include "response.h"

#include <context.h>
#include <range.h>

#include <edge/request.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 32 * 1024,
    KERNEL_PIECE_BYTES = 1024 * 1024, /* other invocations get their turn between two of them */
};

static void close_file(void *arg)
{
    close((int)(intptr_t)arg);
}

/* The name may be a client's: the kernel sees to it that it does not lead out of the directory. */
static int open_under(const char *directory, const char *path)
{
    const struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int base = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0)
        return -1;
    int fd = (int)syscall(SYS_openat2, base, path, &how, sizeof how);
    close(base);
    return fd;
}

static int open_file(edge_ctx *ctx, const char *path, const edge_file *options)
{
    int fd = options->under != NULL ? open_under(options->under, path)
                                    : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        context_fail_detail(ctx, 503, "overloaded", "The host has too many files open", strerror(errno));
    if (fd < 0)
        context_fail_detail(ctx, 404, "file_not_found", "The file does not exist", strerror(errno));
    edge_defer(ctx, close_file, (void *)(intptr_t)fd);
    return fd;
}

/* A descriptor has been opened by the function: that it is no file is its mistake, and not the client's. */
static void look_at(edge_ctx *ctx, int fd, const edge_file *options, bool named, struct file_state *file)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        edge_fail(ctx, named ? 404 : 500, named ? "file_not_found" : "internal_error",
            named ? "The file does not exist" : "The answer is no regular file");
    file_state_of(file, &status);
    if (options->etag == NULL)
        return;
    size_t length = strlen(options->etag);
    if (length < 3 || length >= sizeof file->etag || options->etag[0] != '"' ||
        strchr(options->etag + 1, '"') != options->etag + length - 1)
        edge_fail(ctx, 500, "internal_error", "The entity tag %s is not a quoted string", options->etag);
    memcpy(file->etag, options->etag, length + 1);
}

static struct file_request conditions(edge_ctx *ctx)
{
    return (struct file_request){
        .method = edge_request_method(ctx),
        .range = edge_request_header(ctx, "range"),
        .if_range = edge_request_header(ctx, "if-range"),
        .if_match = edge_request_header(ctx, "if-match"),
        .if_none_match = edge_request_header(ctx, "if-none-match"),
        .if_modified_since = edge_request_header(ctx, "if-modified-since"),
        .if_unmodified_since = edge_request_header(ctx, "if-unmodified-since"),
    };
}

/* Quotes and what is not ASCII go into filename*, and an underscore in their place into filename (RFC 6266). */
const char *response_disposition(edge_ctx *ctx, const char *name)
{
    char *plain = edge_copy(ctx, name);
    bool changed = false;
    for (char *c = plain; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f && strchr("\"\\%", *c) == NULL)
            continue;
        *c = '_';
        changed = true;
    }
    if (!changed)
        return edge_format(ctx, "attachment; filename=\"%s\"", plain);
    return edge_format(
        ctx, "attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, edge_url_encode(ctx, name));
}

/* Ends the invocation when nothing of the file is to be sent and that is an error. */
static void say_headers(
    edge_ctx *ctx, const struct file_answer *answer, const struct file_state *file, const edge_file *options)
{
    if (answer->content_range[0] != '\0')
        edge_response_header(ctx, "content-range", answer->content_range);
    if (answer->status == 416)
        edge_fail(ctx, 416, "range_not_satisfiable", "The file has %llu bytes, and none in the range asked for",
            (unsigned long long)file->size);
    if (answer->status == 412)
        edge_fail(ctx, 412, "precondition_failed", "The file is not the one that the request is meant for");
    edge_response_header(ctx, "accept-ranges", "bytes");
    edge_response_header(ctx, "etag", file->etag);
    if (answer->last_modified[0] != '\0')
        edge_response_header(ctx, "last-modified", answer->last_modified);
    if (options->download_name != NULL)
        edge_response_header(ctx, "content-disposition", response_disposition(ctx, options->download_name));
}

/* The head has promised a length: a file that became shorter meanwhile can only be broken off. */
EDGE_NORETURN static void cut_short(edge_ctx *ctx, int error)
{
    context_fail_detail(ctx, 500, "internal_error", "The file could not be read to its end",
        error != 0 ? strerror(error) : "it has become shorter");
}

/* Returns how much was left for send_pieces. */
static uint64_t send_by_kernel(edge_ctx *ctx, int fd, uint64_t offset, uint64_t length)
{
    while (length > 0 && !ctx->client_gone) {
        size_t most = length < KERNEL_PIECE_BYTES ? (size_t)length : KERNEL_PIECE_BYTES;
        ssize_t sent = ctx->ops->file != NULL ? ctx->ops->file(ctx, fd, (int64_t)offset, most) : -ENOTSUP;
        if (sent == -ENOTSUP)
            return length;
        if (sent < 0)
            cut_short(ctx, (int)-sent);
        offset += (uint64_t)sent;
        length -= (uint64_t)sent;
        if (sent == 0)
            context_await_writable(ctx);
        else if (length > 0)
            edge_sleep(ctx, 0);
    }
    return 0;
}

/* The worker's one buffer: what is read into it has been queued before anything else can run. */
static void send_pieces(edge_ctx *ctx, int fd, uint64_t offset, uint64_t length)
{
    static char *piece;
    if (piece == NULL && (piece = malloc(PIECE_BYTES)) == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    while (length > 0 && !ctx->client_gone) {
        ssize_t got = pread(fd, piece, length < PIECE_BYTES ? (size_t)length : PIECE_BYTES, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            cut_short(ctx, got < 0 ? errno : 0);
        offset += (uint64_t)got;
        length -= (uint64_t)got;
        if (ctx->ops->write(ctx, piece, (size_t)got) > STREAM_HIGH_WATER)
            context_await_writable(ctx);
    }
}

static void respond(edge_ctx *ctx, int fd, const edge_file *options, bool named)
{
    const char *type = options->media_type != NULL ? options->media_type : "application/octet-stream";
    struct file_state file;
    struct file_answer answer;
    look_at(ctx, fd, options, named, &file);
    struct file_request request = conditions(ctx);
    file_answer_decide(&answer, &request, &file);
    say_headers(ctx, &answer, &file, options);

    /* Over a WebSocket a length says that all of it is one message. */
    response_begin(ctx, answer.status, response_safe_type(ctx, type),
        ctx->request.websocket ? -1 : (int64_t)answer.length);
    if (answer.status == 304 || strcmp(request.method, "HEAD") == 0)
        return;
    uint64_t left = send_by_kernel(ctx, fd, answer.offset, answer.length);
    send_pieces(ctx, fd, answer.offset + answer.length - left, left);
}

void edge_respond_file_with(edge_ctx *ctx, const char *path, const edge_file *options)
{
    respond(ctx, open_file(ctx, path, options), options, true);
}

void edge_respond_fd_with(edge_ctx *ctx, int fd, const edge_file *options)
{
    respond(ctx, fd, options, false);
}
