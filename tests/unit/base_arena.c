/*
 * Arenas: alignment, limits, the reserve, and jansson on top.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arena.h>

#include <jansson.h>
#include <string.h>

static void memory_is_aligned_and_zeroed(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t size = 0; size < 3000; size += 7) {
        char *memory = arena_alloc(&arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
    arena_free(&arena);
}

static void limit_refuses_and_reserve_opens(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    assert_null(arena_alloc(&arena, 64 * 1024));
    size_t taken = 0;
    while (arena_alloc(&arena, 1000) != NULL)
        taken += 1000;
    assert_true(taken > 55 * 1000 && taken < 64 * 1024);
    assert_true(arena.used_bytes <= arena.limit_bytes);
    assert_null(arena_alloc(&arena, 10 * 1024));
    arena_open_reserve(&arena);
    assert_non_null(arena_alloc(&arena, 10 * 1024));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_free(&arena);
}

static void large_blocks_keep_the_current_chunk(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 24);
    char *small = arena_alloc(&arena, 16);
    assert_non_null(arena_alloc(&arena, 1 << 20));
    char *next = arena_alloc(&arena, 16);
    assert_true(next > small && next - small <= 64);
    arena_free(&arena);
}

static void jansson_uses_the_current_arena(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    json_t *outside = json_pack("{s:i}", "a", 1);
    struct arena *before = arena_enter(&arena);
    assert_null(before);
    json_t *inside = json_loads("{\"list\":[1,2,{\"deep\":\"text\"}]}", 0, NULL);
    assert_non_null(inside);
    json_decref(inside);
    assert_true(arena.used_bytes > 0);
    arena_enter(NULL);
    json_decref(outside);
    arena_free(&arena);
}

static void dropped_values_are_used_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    arena_enter(&arena);
    char text[3000];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 100000; i++) {
        json_t *event =
            json_pack("{s:i, s:s%, s:[i,i]}", "n", i, "text", text, (size_t)(i % 3000), "list", 1, 2);
        assert_non_null(event);
        json_decref(event);
    }
    assert_true(arena.used_bytes < 64 * 1024);
    arena_enter(NULL);
    arena_free(&arena);
}

static void blocks_are_given_back(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    assert_non_null(arena_alloc(&arena, 16));
    size_t before = arena.used_bytes;
    char *blocks[4];
    for (size_t i = 0; i < 4; i++) {
        blocks[i] = arena_block(&arena, 10000);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 16, 0);
        for (size_t at = 0; at < 10000; at++)
            assert_int_equal(blocks[i][at], 0);
    }
    assert_true(arena.used_bytes >= before + 40000);
    assert_null(arena_block(&arena, 30000));
    assert_null(arena_block(&arena, SIZE_MAX));
    arena_block_free(blocks[1]); /* from the middle, both ends, and one left for arena_free */
    arena_block_free(blocks[3]);
    arena_block_free(blocks[0]);
    assert_true(arena.used_bytes < before + 11000);
    assert_non_null(arena_block(&arena, 30000));
    arena_free(&arena);
}

static void a_dropped_long_text_leaves(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    arena_enter(&arena);
    char text[20000];
    memset(text, 'x', sizeof text);
    json_t *list = json_array();
    size_t before = arena.used_bytes;
    json_array_append_new(list, json_stringn(text, sizeof text));
    assert_true(arena.used_bytes > before + sizeof text);
    json_array_clear(list);
    assert_true(arena.used_bytes < before + 2048);
    arena_enter(NULL);
    arena_free(&arena);
}

/* An event a turn, of which every tenth one is kept: what lies in between leaves, and the kept ones stay whole.
 */
static void a_trimmed_arena_keeps_what_is_in_use(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    arena_enter(&arena);
    json_t *kept = json_array();
    size_t most = 0;
    for (int i = 0; i < 200; i++) {
        json_t *events[20];
        for (int j = 0; j < 20; j++)
            events[j] = json_pack("{s:i, s:s, s:{s:[i,i]}}", "n", i, "text", "a token", "list", "of", 1, 2);
        most = arena.used_bytes > most ? arena.used_bytes : most;
        for (int j = 0; j < 20; j++)
            if (j > 0 || i % 100 != 0 || json_array_append(kept, events[j]) == 0)
                json_decref(events[j]);
        arena_trim(&arena);
        assert_true(arena.used_bytes < most - 8 * 1024);
    }
    for (size_t i = 0; i < json_array_size(kept); i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(kept, i), "n")), i * 100);
    json_decref(kept);
    arena_trim(&arena);
    arena_trim(&arena);
    assert_true(arena.used_bytes < most / 2);
    arena_enter(NULL);
    arena_free(&arena);
}

int main(void)
{
    arena_attach_jansson();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_aligned_and_zeroed),
        cmocka_unit_test(limit_refuses_and_reserve_opens),
        cmocka_unit_test(large_blocks_keep_the_current_chunk),
        cmocka_unit_test(jansson_uses_the_current_arena),
        cmocka_unit_test(dropped_values_are_used_again),
        cmocka_unit_test(blocks_are_given_back),
        cmocka_unit_test(a_dropped_long_text_leaves),
        cmocka_unit_test(a_trimmed_arena_keeps_what_is_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
