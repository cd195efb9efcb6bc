/*
 * edge test: builds, starts a database and a host for the run, and runs the functions' tests with node.
 *
 * In the runtime's own tree tests start hosts of their own, so there it brings the database only.
 */
#include "cli/command.h"
#include "cli/dev_build.h"
#include "cli/development_environment.h"
#include "cli/new_text.h"
#include "cli/plugin_look.h"
#include "cli/postgres_installed.h"
#include "cli/process.h"
#include "cli/terminal.h"
#include "cli/test_run.h"
#include "config/config.h"
#include "config/interpolate.h"
#include "plugin/plugin.h"

#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUFFIX ".test.mjs"

enum {
    FILES_MAX = 2048,
    DEPTH_MAX = 16,
    AT_ONCE_A_CORE = 2 /* tests mostly wait */
};

struct request {
    const char *config, *grep;
    struct cli_list names;
    bool no_build, no_database;
};

/* nftw has no argument for its caller. */
static struct {
    char *paths[FILES_MAX];
    int count;
} found;

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static int take_file(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)place;
    if (type == FTW_F && ends_with(path, SUFFIX) && strstr(path, "/node_modules/") == NULL &&
        found.count < FILES_MAX)
        found.paths[found.count++] = strdup(path);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Whether a file is the test of one of the functions that were named; all are when none was. */
static bool is_wanted(const char *path, const struct cli_list *names)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    for (int i = 0; i < names->count; i++)
        if (strlen(name) == strlen(names->items[i]) + strlen(SUFFIX) &&
            strncmp(name, names->items[i], strlen(names->items[i])) == 0)
            return true;
    return names->count == 0;
}

static bool is_tree(const char *root)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/sdk/template/entry.toml", root);
    return access(path, F_OK) == 0;
}

/* The files to run, sorted; false after saying which function has none. */
static bool find_files(const char *root, const struct request *request)
{
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s/tests%s", root, is_tree(root) ? "/functions" : "");
    nftw(directory, take_file, DEPTH_MAX, FTW_PHYS);
    for (int n = 0; n < request->names.count; n++) {
        struct cli_list one = { .items = { request->names.items[n] }, .count = 1 };
        bool any = false;
        for (int i = 0; i < found.count; i++)
            any = any || is_wanted(found.paths[i], &one);
        if (!any)
            return failure("there is no test of \"%s\": no %s" SUFFIX " below %s", one.items[0], one.items[0],
                       directory) == STATUS_DONE;
    }
    int kept = 0;
    for (int i = 0; i < found.count; i++)
        if (is_wanted(found.paths[i], &request->names))
            found.paths[kept++] = found.paths[i];
        else
            free(found.paths[i]);
    found.count = kept;
    qsort(found.paths, (size_t)kept, sizeof *found.paths, by_name);
    return kept > 0 || failure("there are no tests in %s. `edge new` writes one with each function",
                           directory) == STATUS_DONE;
}

/* Runs the project's build to its end; what it says is shown when it fails. */
static bool build_run(const struct config *config)
{
    struct dev_build build = { 0 };
    dev_build_find(&build, config, NULL);
    if (build.command == NULL)
        return true;
    bool built = dev_build_start(&build);
    while (built && !dev_build_read(&build))
        ;
    built = built && !build.failed;
    if (!built && build.text != NULL)
        fputs(build.text, stderr);
    if (!built)
        failure("the functions cannot be built");
    free(build.command);
    free(build.text);
    return built;
}

/* Node's major version, 0: it is not installed. */
static int node_major(void)
{
    FILE *output = popen("node --version 2>/dev/null", "re");
    int major = 0;
    if (output == NULL || fscanf(output, "v%d", &major) != 1)
        major = 0;
    if (output != NULL)
        pclose(output);
    return major;
}

/* The runner's script lies beside the host's log; children of a script given by -e would run it again. */
static char *runner_write(const char *config)
{
    char *edge = development_path(config, ""), *directory = development_path(config, "test");
    char *path = development_path(config, "test/run.mjs");
    mkdir(edge, 0755);
    mkdir(directory, 0755);
    FILE *file = fopen(path, "we");
    bool written = file != NULL && fputs(template_runner, file) >= 0;
    if (file != NULL)
        written = fclose(file) == 0 && written;
    if (!written) {
        failure("cannot write \"%s\": %s", path, strerror(errno));
        free(path);
        path = NULL;
    }
    free(edge);
    free(directory);
    return path;
}

/* Runs the files with node, several at once. Its exit status. */
static int node_run(const struct request *request)
{
    char **arguments = calloc((size_t)found.count + 8, sizeof *arguments), at_once[32];
    char *runner = runner_write(request->config);
    int count = 0, status = 1;
    if (arguments == NULL)
        abort();
    snprintf(at_once, sizeof at_once, "%ld", AT_ONCE_A_CORE * sysconf(_SC_NPROCESSORS_ONLN));
    arguments[count++] = "/usr/bin/env";
    arguments[count++] = "node";
    arguments[count++] = runner;
    arguments[count++] = at_once;
    arguments[count++] = (char *)(request->grep != NULL ? request->grep : "");
    for (int i = 0; i < found.count; i++)
        arguments[count++] = found.paths[i];
    const struct process_start start = { arguments, .death_signal = SIGTERM, .output = -1, .error = -1,
        .keep = -1 };
    pid_t pid = runner != NULL ? process_start(&start) : 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    free(runner);
    free(arguments);
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Where the tests of the runtime's own tree find a server that they may make databases in, and the build. */
static void tell_tree(const struct test_run *run)
{
    char url[PATH_MAX + 128], *copy = strdup(run->config->server.plugins);
    setenv("EDGE_BUILD", dirname(copy), 1);
    free(copy);
    snprintf(url, sizeof url, "postgresql:///postgres?host=%s&user=postgres", run->database.postgres.home.run);
    if (run->has_database)
        setenv("EDGE_TEST_PG_URL", url, 1);
}

static void tell_project(const struct test_run *run)
{
    char program[PATH_MAX], *config = realpath(run->path, NULL);
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    setenv("EDGE_TEST_URL", run->origin, 1);
    setenv("EDGE_TEST_BINARY", program, 1);
    setenv("EDGE_TEST_CONFIG", config != NULL ? config : run->path, 1);
    free(config);
}

/* What is tested under a name that no function has may call any of them. */
static bool is_tested(const struct request *request, const struct config *config, const char *name)
{
    bool tested = request->names.count == 0;
    for (int i = 0; i < request->names.count; i++)
        tested = tested || strcmp(request->names.items[i], name) == 0 ||
                 config_function(config, request->names.items[i]) == NULL;
    return tested;
}

/* The first function under test that may use the database; NULL: none does. One that cannot be read may. */
static const char *database_user(const struct config *config, const struct request *request)
{
    for (size_t i = 0; i < config->function_count; i++) {
        char reason[1024];
        const struct function_config *function = &config->functions[i];
        if (!function->enabled || function->sandbox || !is_tested(request, config, function->name))
            continue;
        struct plugin *plugin = plugin_look(config, function, reason, sizeof reason);
        bool uses = plugin == NULL || plugin->queries || function->auth == AUTH_ADMIN;
        if (plugin != NULL)
            plugin_release(plugin);
        if (uses)
            return function->name;
    }
    return NULL;
}

/* Functions that use no database are tested without one, so that a machine need not have PostgreSQL for them.
 */
static bool database_start(struct test_run *run, const struct request *request, bool tree)
{
    char program[PATH_MAX];
    if (request->no_database || environment_get("EDGE_TEST_PG_URL") != NULL)
        return true;
    const char *user = tree ? "every test here" : database_user(run->config, request);
    if (user == NULL)
        return true;
    if (postgres_installed(0, program) != 0)
        return test_database_start(run);
    return failure(
               "%s may use the database, and no PostgreSQL of version %d or newer is installed. Install it (on "
               "Debian: apt-get install postgresql), name the directory of its programs in EDGE_POSTGRES_BIN, "
               "or say --no-database: what uses the database answers 503 then",
               user, POSTGRES_OLDEST) == STATUS_DONE;
}

static int perform(struct test_run *run, const struct request *request, const char *root)
{
    int64_t began = process_clock_ms();
    int major = node_major();
    if (major < 18)
        return failure(major == 0 ? "node is not installed, and tests are run with it: version 18 or newer"
                                  : "node is too old: version 18 or newer is needed");
    if (!find_files(root, request) || (!request->no_build && !build_run(run->config)) ||
        !database_start(run, request, is_tree(root)))
        return STATUS_FAILED;
    if (is_tree(root))
        tell_tree(run);
    else if (!test_host_start(run))
        return STATUS_FAILED;
    else
        tell_project(run);
    fprintf(stderr, "%sready in %.1f s%s%s\n", terminal_dim(STDERR_FILENO),
        (double)(process_clock_ms() - began) / 1000,
        run->has_database || is_tree(root) ? "" : ", without a database", terminal_plain(STDERR_FILENO));
    int status = node_run(request);
    if (status != 0 && run->log[0] != '\0')
        fprintf(stderr, "edge: the host's log is %s\n", run->log);
    return status == 0 ? STATUS_DONE : STATUS_FAILED;
}

static int run(int argc, char **argv)
{
    struct request request = { .config = "functions.toml" };
    const struct cli_option options[] = {
        { NULL, "[NAME…]", "the functions whose tests are run; all when left out", .list = &request.names },
        { "grep", "PATTERN", "only tests whose name matches", .text = &request.grep },
        { "no-build", NULL, "do not build first", .flag = &request.no_build },
        { "no-database", NULL, "start no database: functions that use it answer 503",
            .flag = &request.no_database },
        { "config", "FILE", "the configuration (functions.toml)", .text = &request.config },
        { 0 },
    };
    int status = options_read(&test_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    struct test_run state = { .path = request.config };
    if (!config_open(request.config, &state.config))
        return STATUS_FAILED;
    char *root = development_path(request.config, "");
    *strrchr(root, '/') = '\0';
    status = perform(&state, &request, root);
    test_run_stop(&state);
    for (int i = 0; i < found.count; i++)
        free(found.paths[i]);
    free(root);
    return status;
}

const struct command test_command = {
    .name = "test",
    .summary = "Run functions' tests against a host and a database of their own",
    .details = "Builds first. The database is a Postgres in .edge/test, a fresh copy of what the migrations "
               "make; the\n"
               "host listens at a free port, and its log is .edge/test/host.log. So a host that runs, and its "
               "data, are\n"
               "left alone. No database is started when no function under test makes a call that needs one. "
               "Tests are run by\n"
               "node (18 or newer). The status is 1 when one fails.\n",
    .examples = "  edge test\n"
                "  edge test remindClient createTask\n"
                "  edge test remindClient --grep 'names the field'\n",
    .run = run,
};
