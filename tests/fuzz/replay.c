/*
 * Runs a fuzz target on every file of a directory: seeds, and what once crashed it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *directory;

static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    assert_true(size >= 0);
    uint8_t *data = malloc((size_t)size + 1);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

static void test_corpus(void **state)
{
    (void)state;
    DIR *corpus = opendir(directory);
    assert_non_null(corpus);
    int count = 0;
    for (const struct dirent *entry = NULL; (entry = readdir(corpus)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        print_message("%s\n", entry->d_name);
        replay(path);
        count++;
    }
    closedir(corpus);
    assert_true(count > 0);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    directory = argv[1];
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_corpus) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
