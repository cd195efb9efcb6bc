/*
 * Allocation, strings and clean-ups of an invocation.
 */
#include <context.h>

#include <stdio.h>
#include <string.h>

/*
 * The arena refused: says how much is allowed, and gives the answer a little room to be built in. Nothing here
 * may come back to edge_alloc.
 */
void context_memory_limit(edge_ctx *ctx, size_t wanted)
{
    char said[192];
    size_t limit = ctx->arena.limit_bytes, used = ctx->arena.used_bytes;
    int length = snprintf(said, sizeof said,
        "The function needs more memory than its limit: %zu bytes used, %zu more asked for, %zu allowed", used,
        wanted, limit);
    arena_open_reserve(&ctx->arena);
    char *message = arena_alloc(&ctx->arena, (size_t)length + 1);
    if (message != NULL)
        memcpy(message, said, (size_t)length + 1);
    edge_fail_as(ctx, 500, "memory_limit",
        &(const edge_failure){
            .message = message != NULL ? message : "The function needs more memory than its limit" });
}

void *edge_alloc(edge_ctx *ctx, size_t size)
{
    void *memory = arena_alloc(&ctx->arena, size);
    if (memory == NULL)
        context_memory_limit(ctx, size);
    return memory;
}

char *edge_copy_bytes(edge_ctx *ctx, const void *data, size_t length)
{
    char *copy = edge_alloc(ctx, length + 1);
    if (length > 0)
        memcpy(copy, data, length);
    return copy;
}

char *edge_copy(edge_ctx *ctx, const char *text)
{
    return text != NULL ? edge_copy_bytes(ctx, text, strlen(text)) : NULL;
}

char *edge_vformat(edge_ctx *ctx, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char small[256];
    int length = vsnprintf(small, sizeof small, format, args);
    char *text = NULL;
    if (length >= 0 && (size_t)length < sizeof small) {
        text = edge_copy_bytes(ctx, small, (size_t)length);
    } else {
        text = edge_alloc(ctx, (size_t)(length < 0 ? 0 : length) + 1);
        if (length > 0)
            vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

char *edge_format(edge_ctx *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = edge_vformat(ctx, format, args);
    va_end(args);
    return text;
}

void edge_defer(edge_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    struct defer_node *node = edge_alloc(ctx, sizeof *node);
    *node = (struct defer_node){ .fn = fn, .arg = arg, .next = ctx->defers };
    ctx->defers = node;
}

void *edge_state(edge_ctx *ctx)
{
    return ctx->state;
}

const char *edge_env(edge_ctx *ctx, const char *name)
{
    for (const edge_header *variable = ctx->env; variable != NULL && variable->name != NULL; variable++)
        if (strcmp(variable->name, name) == 0)
            return variable->value != NULL && variable->value[0] != '\0' ? variable->value : NULL;
    return NULL;
}

const char *edge_env_required(edge_ctx *ctx, const char *name)
{
    const char *value = edge_env(ctx, name);
    if (value == NULL)
        edge_fail(ctx, 503, "not_configured", "%s is not configured", name);
    return value;
}

const char *edge_request_id(edge_ctx *ctx)
{
    return ctx->request_id;
}
