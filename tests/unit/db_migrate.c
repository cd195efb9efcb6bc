/*
 * `edge migrate`: each file once, in order, whole or not at all; what is wrong is named with file and line.
 */
#include "db_harness.h"

#include "cli/migrate.h"
#include "cli/migrate_statements.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char directory[] = "/tmp/edge_migrate_XXXXXX";
static char owner_url[1024], said[4096];

static void put_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    unlink(path);
}

/* Runs in a child, whose words are kept in said. */
static int migrate(void)
{
    int words[2];
    assert_int_equal(pipe2(words, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(words[1], STDOUT_FILENO);
        dup2(words[1], STDERR_FILENO);
        const struct migrate_options options = { 0 };
        int error = migrate_run(owner_url, NULL, directory, &options);
        fflush(stdout);
        _exit(error == 0 ? 0 : 1);
    }
    close(words[1]);
    size_t length = 0;
    ssize_t count = 0;
    while ((count = read(words[0], said + length, sizeof said - 1 - length)) > 0)
        length += (size_t)count;
    said[length] = '\0';
    close(words[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void expect_said(const char *words)
{
    if (strstr(said, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, said);
}

static int start_migrating(void **state)
{
    (void)state;
    if (getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    create_database();
    make_url(owner_url, database_name, NULL);
    return mkdtemp(directory) == NULL;
}

static int stop_migrating(void **state)
{
    (void)state;
    if (getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    drop_database();
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command);
}

static void applies_once(void **state)
{
    NEEDS_SERVER(state);
    put_file("0001_first.sql", "CREATE TABLE first (id int);\nINSERT INTO first VALUES (1);\n");
    put_file("0002_second.sql", "SET search_path = pg_catalog;\nINSERT INTO public.first VALUES (2);\n");
    put_file("README.md", "no SQL");
    assert_int_equal(migrate(), 0);
    expect_said("applied 0001_first\napplied 0002_second\n");
    assert_int_equal(ask_int("SELECT count(*) FROM first"), 2);
    assert_int_equal(ask_int("SELECT count(*) FROM edge.migrations WHERE length(checksum) = 64"), 2);

    assert_int_equal(migrate(), 0);
    expect_said("Nothing to do");
    put_file("0003_third.sql", "INSERT INTO first VALUES (3);");
    assert_int_equal(migrate(), 0);
    assert_int_equal(ask_int("SELECT count(*) FROM first"), 3);
}

static void ten_at_once(void **state)
{
    NEEDS_SERVER(state);
    put_file("0004_slow.sql", "SELECT pg_sleep(0.2); INSERT INTO first VALUES (4);");
    pid_t children[10];
    for (int i = 0; i < 10; i++)
        if ((children[i] = fork()) == 0) {
            const struct migrate_options quiet = { .quiet = true };
            freopen("/dev/null", "w", stderr);
            _exit(migrate_run(owner_url, NULL, directory, &quiet) == 0 ? 0 : 1);
        }
    for (int i = 0; i < 10; i++) {
        int status = 0;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(ask_int("SELECT count(*) FROM first WHERE id = 4"), 1);
}

static void expect_refused(const char *text, const char *words)
{
    put_file("0005_bad.sql", text);
    assert_int_equal(migrate(), 1);
    expect_said(words);
    assert_int_equal(ask_int("SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
    assert_int_equal(ask_int("SELECT count(*) FROM edge.migrations"), 4);
    remove_file("0005_bad.sql");
}

static void failures_are_placed(void **state)
{
    NEEDS_SERVER(state);
    expect_refused(
        "CREATE TABLE half (a int);\nSELECT '\xc3\xbc', nope\nFROM half;", "0005_bad.sql:2: column \"nope\"");
    expect_refused(
        "CREATE TABLE half (a int);\n\n-- why;\nINSERT INTO half VALUES (1 / 0);", "0005_bad.sql:4: division");
    expect_refused("CREATE TABLE half (a int);\nCOMMIT;", "0005_bad.sql:2: \"commit\"");
    expect_refused("CREATE TABLE half (a int); COPY half FROM STDIN;", "0005_bad.sql:1: ");
    expect_refused("CREATE TABLE half (a int REFERENCES nothing);", "0005_bad.sql:1: relation \"nothing\"");
}

static void history_is_kept(void **state)
{
    NEEDS_SERVER(state);
    put_file("0002_second.sql", "-- edited\n");
    assert_int_equal(migrate(), 1);
    expect_said("0002_second.sql: has changed since it was applied");
    remove_file("0002_second.sql");
    put_file("0005_new.sql", "CREATE TABLE half (a int);");
    assert_int_equal(migrate(), 1);
    expect_said("0002_second.sql is missing");
    put_file("0002_second.sql", "SET search_path = pg_catalog;\nINSERT INTO public.first VALUES (2);\n");
    put_file("0000_early.sql", "SELECT 1;");
    assert_int_equal(migrate(), 1);
    expect_said("0000_early.sql: is older than 0004");
    remove_file("0000_early.sql");
    put_file("0005_twice.sql", "SELECT 1;");
    assert_int_equal(migrate(), 1);
    expect_said("0005_twice.sql: has the number of ");
    remove_file("0005_twice.sql");
    put_file("6_short.sql", "SELECT 1;");
    assert_int_equal(migrate(), 1);
    expect_said("6_short.sql: the name of a migration is NNNN_name.sql");
    remove_file("6_short.sql");
    assert_int_equal(ask_int("SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
    assert_int_equal(migrate(), 0);
}

static void statements_are_found(void **state)
{
    (void)state;
    static const char text[] =
        "-- a; b\n"
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;\n"
        "/* x; /* y; */ */ INSERT INTO t VALUES ('a;''b', E'c\\';', $$ d; $$, $q$ $$; $q$);;\n"
        "CREATE RULE r AS ON INSERT TO \"t;\" DO (SELECT 1; SELECT 2);\n"
        "\nDO $$ BEGIN; END $$;\nEND";
    static const struct {
        const char *word;
        int line;
    } wanted[] = { { "create", 2 }, { "insert", 3 }, { "create", 4 }, { "do", 6 }, { "end", 7 } };
    struct sql_reader reader = { .at = text, .line = 1 };
    struct sql_statement statement;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(sql_next(&reader, &statement));
        assert_string_equal(statement.word, wanted[i].word);
        assert_int_equal(statement.line, wanted[i].line);
    }
    assert_false(sql_next(&reader, &statement));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_found),
        cmocka_unit_test(applies_once),
        cmocka_unit_test(ten_at_once),
        cmocka_unit_test(failures_are_placed),
        cmocka_unit_test(history_is_kept),
    };
    return cmocka_run_group_tests(tests, start_migrating, stop_migrating);
}
