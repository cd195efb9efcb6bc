/*
 * response_file: answers with a file of FILES_DIRECTORY, by path or by descriptor, as the query says.
 */
#include <edge/edge.h>

#include <fcntl.h>
#include <unistd.h>

static void close_file(void *arg)
{
    close((int)(intptr_t)arg);
}

static json_t *response_file(edge_ctx *ctx, json_t *in)
{
    (void)in;
    const char *directory = edge_env_required(ctx, "FILES_DIRECTORY"), *name = edge_request_query(ctx, "name");
    const char *type = edge_request_query(ctx, "type"), *as = edge_request_query(ctx, "as");
    if (name == NULL)
        name = "";
    if (edge_request_query(ctx, "open") == NULL) {
        edge_respond_file(ctx, name, .under = directory, .media_type = type, .download_name = as,
            .etag = edge_request_query(ctx, "etag"));
        return NULL;
    }
    int fd = open(edge_format(ctx, "%s/%s", directory, name), O_RDONLY | O_CLOEXEC);
    edge_defer(ctx, close_file, (void *)(intptr_t)fd);
    edge_respond_fd(ctx, fd, .media_type = type);
    return NULL;
}

EDGE_FUNCTION(response_file,
    .summary = "Answers with a file",
    .methods = "GET HEAD POST",
    .produces = "application/octet-stream",
    .handle = response_file);
