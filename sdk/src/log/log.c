/*
 * log: the process's buffer of lines, and getting them out without ever waiting for the reader.
 *
 * What cannot be written stays in the buffer; when that is full, new lines are dropped and counted, and the
 * count is logged once the reader is back. A buffer always holds whole lines, so log_flush, which only
 * calls the kernel, may be called from a signal handler, and a parent can take over what a killed child leaves.
 */
#include "line.h"

#include <log_ring.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (64 * 1024)
#define SOCKET_PIECE_BYTES (16 * 1024) /* what a Unix socket takes whole or not at all */

enum output {
    OUTPUT_UNOPENED,
    OUTPUT_FILE,   /* regular file: never waits for a reader */
    OUTPUT_PIPE,   /* pipe or terminal, opened anew and non-blocking */
    OUTPUT_SOCKET, /* send with MSG_DONTWAIT */
    OUTPUT_POLLED, /* could not be opened anew: asked before each write */
};

struct log_buffer {
    _Atomic size_t used; /* stored behind the lines that it counts */
    char text[BUFFER_BYTES];
};

static struct log_buffer own_buffer;

static struct {
    enum output output;
    int fd;
    bool fd_is_ours;
    enum log_format format;
    edge_log_level lowest;
    bool colour;
    char source[32];
    int64_t dropped;
    struct log_buffer *buffer;
} out = { .fd = -1, .source = "edge", .buffer = &own_buffer };

size_t log_waiting(void)
{
    return atomic_load_explicit(&out.buffer->used, memory_order_relaxed);
}

static void set_used(struct log_buffer *buffer, size_t used)
{
    atomic_store_explicit(&buffer->used, used, memory_order_release);
}

/*
 * O_NONBLOCK belongs to the open file, which the parent shell shares; opening the pipe or terminal anew
 * gives one of our own.
 */
static enum output open_output(int *fd, bool *ours)
{
    struct stat info;
    if (fstat(*fd, &info) < 0)
        return OUTPUT_POLLED;
    if (S_ISREG(info.st_mode))
        return OUTPUT_FILE;
    if (S_ISSOCK(info.st_mode))
        return OUTPUT_SOCKET;

    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
    int anew = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (anew < 0)
        return OUTPUT_POLLED;
    *fd = anew;
    *ours = true;
    return OUTPUT_PIPE;
}

void log_open(int fd, enum log_format format, edge_log_level lowest)
{
    const char *no_color = getenv("NO_COLOR");
    log_flush();
    if (out.fd_is_ours)
        close(out.fd);

    out.fd = fd;
    out.fd_is_ours = false;
    out.format = format;
    out.lowest = lowest;
    out.colour = isatty(fd) && (no_color == NULL || *no_color == '\0');
    out.output = open_output(&out.fd, &out.fd_is_ours);
}

void log_set_source(const char *source)
{
    snprintf(out.source, sizeof(out.source), "%s", source);
}

/* Whole lines up to what the kernel takes in one piece, so that processes sharing a pipe do not mix theirs. */
static size_t next_piece(const char *start, size_t length)
{
    size_t most = out.output == OUTPUT_SOCKET ? SOCKET_PIECE_BYTES : LOG_LINE_MAX;
    if (out.output == OUTPUT_FILE || length <= most)
        return length;
    const char *newline = memrchr(start, '\n', most);
    return newline == NULL ? most : (size_t)(newline - start) + 1;
}

static ssize_t write_piece(const char *start, size_t length)
{
    struct pollfd writable = { .fd = out.fd, .events = POLLOUT };
    if (out.output == OUTPUT_SOCKET)
        return send(out.fd, start, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (out.output == OUTPUT_POLLED && poll(&writable, 1, 0) != 1)
        return -1;
    return write(out.fd, start, length);
}

static void write_buffer(void)
{
    char *text = out.buffer->text;
    size_t done = 0, used = log_waiting();
    while (done < used) {
        ssize_t written = write_piece(text + done, next_piece(text + done, used - done));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    memmove(text, text + done, used - done);
    set_used(out.buffer, used - done);
}

void log_flush(void)
{
    if (log_waiting() == 0)
        return;

    int kept_errno = errno;
    write_buffer();
    if (log_waiting() == 0 && out.dropped > 0) {
        int64_t lines = out.dropped;
        out.dropped = 0;
        log_event(EDGE_LOG_WARN, "log_lines_dropped", { "lines", edge_int(lines) });
    }
    errno = kept_errno;
}

/* Whether the buffer has room for a line; if not, one more has been dropped. */
static bool has_room(void)
{
    if (BUFFER_BYTES - log_waiting() < LOG_LINE_MAX)
        log_flush();
    bool room = BUFFER_BYTES - log_waiting() >= LOG_LINE_MAX;
    out.dropped += !room;
    return room;
}

struct log_buffer *log_buffer_create(void)
{
    void *memory =
        mmap(NULL, sizeof(struct log_buffer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void log_buffer_free(struct log_buffer *buffer)
{
    if (buffer != NULL)
        munmap(buffer, sizeof *buffer);
}

void log_buffer_use(struct log_buffer *buffer)
{
    set_used(buffer, 0);
    out.buffer = buffer;
}

/* The child's memory may be damaged: only what looks like lines is taken. */
void log_buffer_rescue(struct log_buffer *buffer)
{
    size_t used = atomic_load_explicit(&buffer->used, memory_order_acquire);
    const char *end = used <= BUFFER_BYTES ? memrchr(buffer->text, '\n', used) : NULL;
    set_used(buffer, 0);
    if (end == NULL)
        return;

    size_t length = (size_t)(end - buffer->text) + 1;
    log_flush();
    if (length > BUFFER_BYTES - log_waiting()) {
        for (const char *at = buffer->text; at <= end; at++)
            out.dropped += *at == '\n';
        return;
    }
    memcpy(out.buffer->text + log_waiting(), buffer->text, length);
    set_used(out.buffer, log_waiting() + length);
    log_flush();
}

/* Writes a line to a place with room for the longest one, rest what is behind its beginning; its length. */
static size_t compose(char *start, enum log_format format, edge_log_level level, const char *event,
    const edge_ctx *ctx, void (*rest)(struct line *line, const void *what), const void *what)
{
    struct line line = { .at = start, .end = start + LOG_LINE_MAX, .format = format, .colour = out.colour };
    line_begin(&line, level, out.source, event, ctx);
    rest(&line, what);
    line_end(&line);
    return (size_t)(line.at - start);
}

/* The ring gets each line as JSON: the buffer's, or one of its own. */
static void emit(edge_log_level level, const char *event, const edge_ctx *ctx,
    void (*rest)(struct line *line, const void *what), const void *what)
{
    static char own_line[LOG_LINE_MAX];
    if (out.output == OUTPUT_UNOPENED)
        log_open(STDERR_FILENO, LOG_JSON, EDGE_LOG_INFO);
    if (level < out.lowest)
        return;

    bool in_ring = false;
    if (has_room()) {
        size_t used = log_waiting();
        char *start = out.buffer->text + used;
        size_t length = compose(start, out.format, level, event, ctx, rest, what);
        in_ring = out.format == LOG_JSON;
        if (in_ring)
            log_ring_put(start, length);
        set_used(out.buffer, used + length);
    }
    if (!in_ring && log_ring_fd() >= 0)
        log_ring_put(own_line, compose(own_line, LOG_JSON, level, event, ctx, rest, what));
    if (level >= EDGE_LOG_WARN)
        log_flush();
}

static void write_fields(struct line *line, const void *what)
{
    for (const edge_log_field *field = what; field->key != NULL; field++)
        line_field(line, field->key, &field->value);
}

void edge_log_fields(edge_ctx *ctx, edge_log_level level, const char *event, const edge_log_field *fields)
{
    emit(level, event, ctx, write_fields, fields);
}

static edge_log_level level_of(int status)
{
    return status >= 500 ? EDGE_LOG_ERROR : EDGE_LOG_INFO;
}

struct ended {
    const edge_ctx *ctx;
    int status;
    int64_t duration_us;
};

static void write_invocation(struct line *line, const void *what)
{
    const struct ended *ended = what;
    const edge_ctx *ctx = ended->ctx;
    const struct usage *usage = &ctx->usage;
    line_word(line, LINE_KEY("method"), ctx->request.method);
    line_text(line, LINE_KEY("path"), ctx->request.path);
    line_integer(line, LINE_KEY("status"), ended->status);
    line_milliseconds(line, LINE_KEY("durationMs"), ended->duration_us);
    line_integer(line, LINE_KEY("cpuUs"), usage->cpu_ns / 1000);
    line_integer(line, LINE_KEY("dbUs"), usage->db_us);
    line_integer(line, LINE_KEY("providerUs"), usage->http_us);
    line_integer(line, LINE_KEY("queries"), usage->query_count);
    line_integer(line, LINE_KEY("fetches"), usage->fetch_count);
    line_integer(line, LINE_KEY("bytesIn"), (int64_t)usage->bytes_in);
    line_integer(line, LINE_KEY("bytesOut"), (int64_t)usage->bytes_out);
    if (usage->close_code != 0) { /* a session, which has ended */
        line_integer(line, LINE_KEY("messagesIn"), usage->messages_in);
        line_integer(line, LINE_KEY("messagesOut"), usage->messages_out);
        line_integer(line, LINE_KEY("closeCode"), usage->close_code);
    }
    line_integer(line, LINE_KEY("memoryBytes"), (int64_t)ctx->arena.used_bytes);
    if (ctx->failure != NULL) {
        line_text(line, LINE_KEY("code"), ctx->failure->code);
        line_text(line, LINE_KEY("detail"), ctx->failure->detail);
    }
}

int64_t log_invocation(edge_ctx *ctx, int status)
{
    const struct ended ended = { ctx, status, clock_us() - ctx->started_us };
    emit(level_of(status), "invocation", ctx, write_invocation, &ended);
    return ended.duration_us;
}
