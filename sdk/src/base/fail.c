/*
 * Failing: the first failure of an invocation is recorded, and its fiber never comes back.
 */
#include <context.h>

#include <stdlib.h>

/* A failure without memory: what is said when not even the reserve can hold the record. */
static struct failure out_of_memory = {
    .status = 500,
    .code = "memory_limit",
    .said = { .message = "The function needs more memory than its limit" },
};

void context_fail(edge_ctx *ctx, int status, const char *code, const edge_failure *said, const char *detail)
{
    ctx->cut_short = true;
    if (ctx->failure != NULL)
        return;

    struct failure *failure = arena_alloc(&ctx->arena, sizeof *failure);
    if (failure == NULL) {
        ctx->failure = &out_of_memory;
        return;
    }
    *failure = (struct failure){ .status = status, .code = code, .detail = detail };
    if (said != NULL)
        failure->said = *said;
    ctx->failure = failure;
}

void edge_fail_as(edge_ctx *ctx, int status, const char *code, const edge_failure *failure)
{
    context_fail(ctx, status, code, failure, NULL);
    fiber_exit();
}

void edge_fail(edge_ctx *ctx, int status, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *message = edge_vformat(ctx, format, args);
    va_end(args);
    edge_fail_as(ctx, status, code, &(const edge_failure){ .message = message });
}

void context_fail_detail(edge_ctx *ctx, int status, const char *code, const char *message, const char *detail)
{
    context_fail(ctx, status, code, &(const edge_failure){ .message = message }, detail);
    fiber_exit();
}

void edge_fail_error(edge_ctx *ctx, const edge_error *error)
{
    context_fail_detail(ctx, error->status, error->code, error->message, error->detail);
}
