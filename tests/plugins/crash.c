/*
 * crash: does what a function must not do, in the way that it is asked for.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

static const char *const ways[] = { "null", "jump", "overflow", "abort", "divide", "double_free", "trap",
    "late", "spin", NULL };

static const edge_field input[] = {
    { "how", EDGE_ENUM, .values = ways, .required = true, .help = "What goes wrong" },
    { 0 },
};

static volatile int zero;

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    return zero == 0 ? recurse(depth + 1) + frame[0] : depth;
}

__attribute__((noinline)) static void write_to_null(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static void free_twice(void)
{
    void *volatile memory = malloc(100);
    free(memory);
    free(memory);
    abort();
}

static json_t *crash(edge_ctx *ctx, json_t *in)
{
    const char *how = edge_json_text(in, "how");
    edge_log(ctx, EDGE_LOG_INFO, "about_to_crash", { "how", edge_text(how) });
    if (strcmp(how, "null") == 0)
        write_to_null();
    if (strcmp(how, "jump") == 0)
        ((void (*volatile)(void))(uintptr_t)0x1234)();
    if (strcmp(how, "overflow") == 0)
        return json_integer(recurse(0));
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "divide") == 0)
        return json_integer(12345 / zero);
    if (strcmp(how, "double_free") == 0)
        free_twice();
    if (strcmp(how, "trap") == 0)
        __builtin_trap();
    if (strcmp(how, "late") == 0) {
        edge_stream_event(ctx, NULL, json_pack("{s:s}", "before", "the crash"));
        edge_sleep(ctx, 50);
        write_to_null();
    }
    for (volatile bool forever = true; forever;)
        continue;
    return NULL;
}

EDGE_FUNCTION(crash, .summary = "Crashes as asked", .input = input, .handle = crash, .streams = true);
