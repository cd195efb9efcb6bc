/*
 * The cache of verified tokens: bounded, oldest out, nothing past its time.
 */
#include <http/token_cache.h>

#include <edge/crypto.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void digest_of(int n, uint8_t digest[32])
{
    edge_sha256(&n, sizeof n, digest);
}

static void add(struct token_cache *cache, int n, int64_t valid_until_ms)
{
    uint8_t digest[32];
    digest_of(n, digest);
    struct token_claims *claims = calloc(1, sizeof *claims + sizeof n);
    claims->valid_until_ms = valid_until_ms;
    claims->length = sizeof n;
    memcpy(claims->text, &n, sizeof n);
    token_cache_add(cache, digest, claims);
}

static bool has(struct token_cache *cache, int n, int64_t now_ms)
{
    uint8_t digest[32];
    digest_of(n, digest);
    const struct token_claims *claims = token_cache_find(cache, digest, now_ms);
    if (claims != NULL)
        assert_memory_equal(claims->text, &n, sizeof n);
    return claims != NULL;
}

static void test_expiry(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_create(4);
    add(cache, 1, 1000);
    assert_true(has(cache, 1, 999));
    assert_false(has(cache, 2, 999));
    assert_false(has(cache, 1, 1000));
    assert_int_equal(token_cache_count(cache), 0);
    assert_false(has(cache, 1, 0));
    token_cache_free(cache);
}

static void test_least_used_goes(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_create(3);
    for (int n = 1; n <= 3; n++)
        add(cache, n, 1000);
    assert_true(has(cache, 1, 0));
    add(cache, 4, 1000);
    assert_true(has(cache, 1, 0));
    assert_false(has(cache, 2, 0));
    assert_true(has(cache, 3, 0));
    assert_true(has(cache, 4, 0));
    assert_int_equal(token_cache_count(cache), 3);
    token_cache_clear(cache);
    for (int n = 1; n <= 4; n++)
        assert_false(has(cache, n, 0));
    token_cache_free(cache);
}

/* Against a model: the last capacity tokens used are there, no others. */
static void test_many(void **state)
{
    (void)state;
    enum {
        CAPACITY = 64,
        TOKENS = 200
    };
    struct token_cache *cache = token_cache_create(CAPACITY);
    int used[TOKENS] = { 0 };
    unsigned random = 1;
    for (int step = 1; step <= 20000; step++) {
        random = random * 1103515245 + 12345;
        int n = (int)(random >> 16) % TOKENS;
        int newer = 0;
        for (int other = 0; other < TOKENS; other++)
            newer += used[other] > used[n];
        bool expected = used[n] != 0 && newer < CAPACITY;
        assert_int_equal(has(cache, n, 0), expected);
        if (!expected)
            add(cache, n, 1);
        used[n] = step;
    }
    assert_int_equal(token_cache_count(cache), CAPACITY);
    token_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_least_used_goes),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
