/*
 * What an invocation's memory costs against malloc and free: by itself, and under jansson; and JSON text as the
 * SDK writes it against jansson's.
 */
#include "harness.h"
#include "measure.h"

#include "base/json_dump.h"

#include <edge/json.h>

#include <string.h>

enum {
    BLOCKS = 20
};

/* As a small function asks for them: 1.1 KiB in all. */
static const size_t sizes[BLOCKS] = { 16, 24, 32, 40, 16, 64, 100, 37, 24, 128, 48, 16, 80, 200, 32, 24, 64, 16,
    40, 96 };

static void *volatile keep;

static void arena_blocks(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, 1024 * 1024);
        for (size_t b = 0; b < BLOCKS; b++)
            keep = arena_alloc(&arena, sizes[b]);
        arena_free(&arena);
    }
}

static void malloc_blocks(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *blocks[BLOCKS];
        for (size_t b = 0; b < BLOCKS; b++)
            keep = blocks[b] = malloc(sizes[b]);
        for (size_t b = 0; b < BLOCKS; b++)
            free(blocks[b]);
    }
}

/* An arena's memory is zeroed. */
static void calloc_blocks(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        void *blocks[BLOCKS];
        for (size_t b = 0; b < BLOCKS; b++)
            keep = blocks[b] = calloc(1, sizes[b]);
        for (size_t b = 0; b < BLOCKS; b++)
            free(blocks[b]);
    }
}

/* computePulse's answer. */
static json_t *answer(void)
{
    return json_pack("{s:I, s:{s:I, s:I, s:f, s:I, s:f, s:f}, s:s, s:s, s:b}", "score", (json_int_t)63,
        "metrics", "totalActions", (json_int_t)40, "completedActions", (json_int_t)23, "completionRate", 57.5,
        "last7DaysActions", (json_int_t)0, "volumeScore", 40.0, "completionScore", 33.3, "band", "Healthy",
        "computedAt", "2026-03-10T12:00:00.000Z", "persisted", 1);
}

static void json_in_arena(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, 1024 * 1024);
        struct arena *before = arena_enter(&arena);
        keep = answer();
        arena_enter(before);
        arena_free(&arena);
    }
}

static void json_in_malloc(size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(answer());
}

static json_t *small, *large;

/* 200 rows of a list, as a screen of the product asks for. */
static json_t *list(void)
{
    json_t *rows = json_array();
    for (int i = 0; i < 200; i++)
        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:I, s:f, s:b, s:n}", "id", "0b9d1e2c-6c5f-4f6e-9a57-2d1f3f6f7a10",
                      "title", "Call \"Kim\" about the house at 12 Elm Street", "position", (json_int_t)i,
                      "score", i * 0.37, "done", i % 2, "note"));
    return rows;
}

static void dump_ours(const json_t *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t length;
        keep = (void *)json_dump_shared(value, &length);
    }
}

static void dump_theirs(const json_t *value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(json_dumps(value, JSON_COMPACT));
}

static void dump_small_theirs(size_t count)
{
    dump_theirs(small, count);
}

static void dump_small_ours(size_t count)
{
    dump_ours(small, count);
}

static void dump_large_theirs(size_t count)
{
    dump_theirs(large, count);
}

static void dump_large_ours(size_t count)
{
    dump_ours(large, count);
}

int main(void)
{
    arena_attach_jansson();
    small = answer();
    large = list();
    struct bench memory[] = {
        { "malloc and free", malloc_blocks, 500000, 0 },
        { "calloc and free", calloc_blocks, 500000, 0 },
        { "an arena, created and freed (zeroed memory)", arena_blocks, 500000, 0 },
    };
    struct bench json[] = {
        { "with malloc, json_decref", json_in_malloc, 200000, 0 },
        { "in an arena that goes in one step", json_in_arena, 200000, 0 },
    };
    struct bench small_dumps[] = {
        { "jansson's json_dumps", dump_small_theirs, 200000, 0 },
        { "the SDK's", dump_small_ours, 200000, 0 },
    };
    struct bench large_dumps[] = {
        { "jansson's json_dumps", dump_large_theirs, 1000, 0 },
        { "the SDK's", dump_large_ours, 1000, 0 },
    };
    BENCH_TABLE("20 blocks, 1.1 KiB", memory);
    BENCH_TABLE("a JSON value of 15 members", json);
    BENCH_TABLE("its text", small_dumps);
    size_t length = 0;
    json_dump_shared(large, &length);
    char title[64];
    snprintf(title, sizeof title, "text of 200 rows, %zu bytes", length);
    BENCH_TABLE(title, large_dumps);
    return 0;
}
