/*
 * leak: opens descriptors and transactions in every way and, as it is asked, forgets to end them.
 */
#include <edge/edge.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const edge_field input[] = {
    { "what", EDGE_TEXT, .required = true, .help = "What is opened" },
    { "then", EDGE_TEXT, .fallback = "", .help = "What becomes of it" },
    { "count", EDGE_INT, .min = 1, .max = 1000, .fallback = "1", .help = "How many" },
    { "ms", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "How long to wait before the end" },
    { 0 },
};

static bool is(json_t *in, const char *member, const char *value)
{
    return strcmp(edge_json_text(in, member), value) == 0;
}

/* --- descriptors --- */

static int one_of(const char *what)
{
    if (strcmp(what, "stream") == 0)
        return fileno(fopen("/dev/zero", "rb"));
    if (strcmp(what, "directory") == 0)
        return dirfd(opendir("/proc"));
    if (strcmp(what, "socket") == 0)
        return socket(AF_UNIX, SOCK_STREAM, 0);
    if (strcmp(what, "eventfd") == 0)
        return eventfd(0, 0);
    if (strcmp(what, "copy") == 0)
        return fcntl(open("/dev/full", O_RDONLY), F_DUPFD, 100);
    if (strcmp(what, "fdopen") == 0)
        return fileno(fdopen(open("/dev/full", O_RDONLY), "rb"));
    return open("/dev/full", O_RDONLY);
}

static void close_it(void *fd)
{
    close(*(int *)fd);
}

static void use_behind(edge_ctx *ctx, void *fd)
{
    char byte;
    edge_sleep(ctx, 100);
    ssize_t got = pread(*(int *)fd, &byte, 1, 0);
    edge_log(ctx, EDGE_LOG_INFO, "used_behind", { "got", edge_int(got) });
}

static json_t *open_some(edge_ctx *ctx, json_t *in)
{
    int *fd = edge_alloc(ctx, sizeof *fd);
    if (is(in, "then", "defer"))
        edge_defer(ctx, close_it, fd); /* before it is opened: it runs after what was registered later */
    for (int64_t i = 0; i < edge_json_int(in, "count", 1); i++)
        *fd = one_of(edge_json_text(in, "what"));
    if (edge_json_int(in, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    if (is(in, "then", "close"))
        close(*fd);
    if (is(in, "then", "background"))
        edge_wait_until(ctx, use_behind, fd);
    if (is(in, "then", "fail"))
        edge_fail(ctx, 409, "asked_for", "Failing as asked");
    return json_pack("{s:i}", "fd", *fd);
}

/* The second close comes when the number is the next one's to be opened; the wait lets others open theirs. */
static json_t *close_twice(edge_ctx *ctx, json_t *in)
{
    int fd = open("/dev/full", O_RDONLY);
    int first = close(fd);
    edge_sleep(ctx, edge_json_int(in, "ms", 0));
    int second = close(fd);
    return json_pack("{s:i, s:i, s:i, s:b}", "fd", fd, "first", first, "second", second, "refused",
        second < 0 && errno == EBADF);
}

static json_t *close_all(void)
{
    FILE *stream = fopen("/dev/zero", "rb"), *temporary = tmpfile();
    DIR *directory = opendir("/proc");
    int pair[2], result = pipe(pair);
    char byte;
    size_t got = fread(&byte, 1, 1, stream);
    result |= fclose(stream) | fclose(temporary) | closedir(directory) | close(pair[0]) | close(pair[1]);
    return json_pack("{s:i, s:i}", "result", result, "got", (int)got);
}

/* --- transactions --- */

static void *insert_and_wait(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_query(tx, "INSERT INTO leak_rows (name) VALUES ('task')");
        edge_sleep(ctx, 60000);
    }
    return NULL;
}

static void insert_by_hand(edge_ctx *ctx, bool later)
{
    edge_tx *tx = edge_tx_begin(ctx, &(const edge_tx_options){ .service = true });
    edge_tx_next(tx);
    if (later)
        edge_tx_send(tx, "INSERT INTO leak_rows (name) VALUES ('queued')");
    else
        edge_tx_query(tx, "INSERT INTO leak_rows (name) VALUES ('by hand')");
}

static bool break_out(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_query(tx, "INSERT INTO leak_rows (name) VALUES ('left')");
        return true;
    }
    return false;
}

static void by_hand_behind(edge_ctx *ctx, void *arg)
{
    (void)arg;
    insert_by_hand(ctx, false);
}

static json_t *transactions(edge_ctx *ctx, json_t *in)
{
    if (is(in, "what", "by hand") || is(in, "what", "queued"))
        insert_by_hand(ctx, is(in, "what", "queued"));
    if (is(in, "what", "behind"))
        edge_wait_until(ctx, by_hand_behind, NULL);
    if (is(in, "what", "block"))
        break_out(ctx);
    if (is(in, "what", "cursor"))
        edge_cursor_next(edge_service_query_cursor(ctx, 2, "SELECT generate_series(1, 10) AS n"));
    if (is(in, "what", "unread"))
        edge_service_query_cursor(ctx, 2, "SELECT generate_series(1, 10) AS n");
    if (is(in, "what", "copy in"))
        edge_copy_row(edge_service_copy_in(ctx, "COPY leak_rows (name) FROM STDIN"), edge_text("copied"));
    if (is(in, "what", "task")) {
        edge_spawn(ctx, insert_and_wait, NULL);
        edge_sleep(ctx, 300);
    }
    if (is(in, "then", "fail"))
        edge_fail(ctx, 409, "asked_for", "Failing as asked");
    return json_pack("{s:b}", "done", 1);
}

static json_t *leak(edge_ctx *ctx, json_t *in)
{
    static const char *const of_transactions[] = { "by hand", "queued", "behind", "block", "cursor", "unread",
        "copy in", "task", NULL };
    for (const char *const *one = of_transactions; *one != NULL; one++)
        if (is(in, "what", *one))
            return transactions(ctx, in);
    if (is(in, "what", "twice"))
        return close_twice(ctx, in);
    return is(in, "what", "nothing") ? close_all() : open_some(ctx, in);
}

EDGE_FUNCTION(leak, .summary = "Leaves open what it is asked to", .input = input, .handle = leak);
