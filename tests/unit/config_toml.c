/*
 * TOML 1.0 as we read it: each document of tests/conformance/toml/valid becomes the JSON beside it, each of
 * invalid is refused with a line. A failure means that toml++ or the way we use it has changed.
 */
#include "config/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Files of a directory of the conformance set; to be released with globfree. */
static glob_t documents(const char *kind)
{
    char here[] = __FILE__, pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/../conformance/toml/%s/*.toml", dirname(here), kind);
    glob_t found;
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    return found;
}

static char *contents(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(65536);
    *length = fread(text, 1, 65536, file);
    fclose(file);
    return text;
}

static int parse(const char *path, struct toml_document *document, struct toml_error *error)
{
    size_t length;
    char *text = contents(path, &length);
    int result = toml_parse(text, length, document, error);
    free(text);
    return result;
}

static json_t *expected(const char *path)
{
    char json[4096];
    snprintf(json, sizeof json, "%.*s.json", (int)(strlen(path) - strlen(".toml")), path);
    json_error_t error;
    json_t *value = json_load_file(json, 0, &error);
    if (value == NULL)
        fail_msg("%s: %s", json, error.text);
    return value;
}

static void valid(void **state)
{
    (void)state;
    glob_t found = documents("valid");
    assert_true(found.gl_pathc > 24);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct toml_document document;
        struct toml_error error;
        if (parse(found.gl_pathv[i], &document, &error) != 0)
            fail_msg("%s:%d: %s", found.gl_pathv[i], error.line, error.text);
        json_t *value = expected(found.gl_pathv[i]);
        if (!json_equal(document.root, value))
            fail_msg("%s: is %s", found.gl_pathv[i], json_dumps(document.root, JSON_SORT_KEYS));
        json_decref(value);
        toml_free(&document);
    }
    globfree(&found);
}

static void invalid(void **state)
{
    (void)state;
    glob_t found = documents("invalid");
    assert_true(found.gl_pathc > 50);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct toml_document document;
        struct toml_error error;
        if (parse(found.gl_pathv[i], &document, &error) != -EINVAL)
            fail_msg("%s: is accepted: %s", found.gl_pathv[i], json_dumps(document.root, 0));
        assert_null(document.root);
        assert_in_range(error.line, 1, 4);
        assert_true(error.column >= 1);
        assert_true(*error.text != '\0');
    }
    globfree(&found);
}

/* Where a key stands is what every message about it begins with. */
static void lines(void **state)
{
    (void)state;
    static const char text[] = "# comment\n"
                               "[functions.a]\n"
                               "env = [\n"
                               "  \"A\",\n"
                               "  \"B\",\n"
                               "]\n"
                               "limits.rate = \"5/s\"\n"
                               "[functions.\"b c\"]\n"
                               "t = { x = 1, y = 2 }\n";
    struct toml_document document;
    struct toml_error error;
    assert_int_equal(toml_parse(text, strlen(text), &document, &error), 0);
    assert_int_equal(toml_line(&document, "functions.a"), 2);
    assert_int_equal(toml_line(&document, "functions.a.env"), 3);
    assert_int_equal(toml_line(&document, "functions.a.env[1]"), 5);
    assert_int_equal(toml_line(&document, "functions.a.limits.rate"), 7);
    assert_int_equal(toml_line(&document, "functions.\"b c\""), 8);
    assert_int_equal(toml_line(&document, "functions.\"b c\".t.y"), 9);
    assert_int_equal(toml_line(&document, "functions.c"), 0);
    toml_free(&document);
}

/* A text of a pattern repeated, between two others, is refused; it may not take the process down. */
static void refused(const char *before, const char *pattern, size_t count, const char *after)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    fputs(before, out);
    for (size_t i = 0; i < count; i++)
        fputs(pattern, out);
    fputs(after, out);
    fclose(out);

    struct toml_document document;
    struct toml_error error;
    assert_int_equal(toml_parse(text, length, &document, &error), -EINVAL);
    assert_true(*error.text != '\0');
    free(text);
}

static void depth(void **state)
{
    (void)state;
    enum {
        DEPTH = 100000
    };
    refused("a = ", "[", DEPTH, "");
    refused("a = ", "[", 1000, "1");
    refused("a = ", "{b=", DEPTH, "");
    refused("", "a.", DEPTH, "a = 1\n");
    refused("[", "a.", DEPTH, "a]\n");
    refused("[[", "a . ", DEPTH, "a]]\n");
    refused("x = {", "\"a\".", DEPTH, "a = 1}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid),
        cmocka_unit_test(invalid),
        cmocka_unit_test(lines),
        cmocka_unit_test(depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
