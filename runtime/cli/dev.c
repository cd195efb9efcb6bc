/*
 * edge dev: everything on one machine with one command.
 *
 *   edge dev ──┬── postgres   (embedded, unless DATABASE_URL names one)
 *              ├── the build  (once, and when a source has been saved)
 *              └── edge serve (with the sandbox and the development issuer)
 *
 * Both children end when we do, even by kill -9. A lock is held by us and by the host, so that a new `edge dev`
 * waits until the host of a killed one has let go of the port.
 */
#include "cli/dev.h"
#include "cli/command.h"
#include "cli/dev_banner.h"
#include "cli/development_environment.h"
#include "cli/keys.h"
#include "cli/process.h"
#include "config/config.h"
#include "config/interpolate.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static bool directories_make(const char *path)
{
    char *edge = development_path(path, ""), *own = development_path(path, "dev");
    bool made = (mkdir(edge, 0755) == 0 || errno == EEXIST) && (mkdir(own, 0700) == 0 || errno == EEXIST);
    if (!made)
        failure("cannot make \"%s\": %s", own, strerror(errno));
    free(edge);
    free(own);
    return made;
}

/*
 * Signals arrive at a descriptor, so that waiting for them and for the terminal is one poll. Ctrl-Z is ours
 * once the terminal is; -1 makes the descriptor.
 */
static int signals_open(int signals, bool with_terminal)
{
    sigset_t set;
    sigemptyset(&set);
    if (with_terminal) {
        sigaddset(&set, SIGTSTP);
        sigaddset(&set, SIGCONT);
    }
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(signals, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/*
 * Reads what the last `edge dev` left. A shell that has taken it over (". .edge/dev/environment") does not
 * thereby name a database of its own.
 */
static void environment_read(struct dev *dev)
{
    char *path = development_path(dev->path, "dev/environment");
    environment_file_read(&dev->environment, path);
    free(path);

    const char *kind = environment_file_get(&dev->environment, "EDGE_DEV_DATABASE");
    const char *embedded = environment_file_get(&dev->environment, "DATABASE_URL");
    const char *given = environment_get("DATABASE_URL");
    if (kind != NULL && strcmp(kind, "embedded") == 0 && embedded != NULL && given != NULL &&
        strcmp(given, embedded) == 0) {
        unsetenv("DATABASE_URL");
        unsetenv("DATABASE_MIGRATE_URL");
    }
}

static bool database_start(struct dev *dev, bool seed)
{
    dev->database.embedded = dev->config->database.url == NULL;
    if (dev->database.embedded) {
        char *edge = development_path(dev->path, "");
        bool opened = postgres_home_open(&dev->database.postgres.home, edge);
        free(edge);
        if (!opened)
            return false;
    }
    dev->database_started_ms = process_clock_ms();
    return dev_database_start(&dev->database, dev->config, &dev->environment, seed);
}

/* Gives the environment to this process, its children and `edge token`, and reads the configuration under it.
 */
static bool environment_apply(struct dev *dev)
{
    development_environment_fill(&dev->environment, dev->config, dev->host.origin);
    char *path = development_path(dev->path, "dev/environment");
    int result = environment_file_write(&dev->environment, path);
    if (result != 0)
        failure("cannot write \"%s\": %s", path, strerror(-result));
    free(path);
    environment_file_apply(&dev->environment);

    config_free(dev->config);
    dev->config = NULL;
    return result == 0 && config_open(dev->path, &dev->config);
}

/* What a developer is told goes to him: where there is a terminal, a line a request in place of the log's JSON.
 */
static void terminal_prepare(struct dev *dev)
{
    dev->host.log = -1;
    dev->host.takes_log = isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    dev->host.apart = dev->debugged != NULL;
    setenv("EDGE_STALE", dev->strict ? "refuse" : "show", 1);
    if (dev->debugged != NULL)
        setenv("EDGE_DEBUGGER", "1", 1);
}

/* Sources are watched from before they are built: what is saved meanwhile is built next. */
static void build_first(struct dev *dev)
{
    char *root = development_path(dev->path, "");
    *strrchr(root, '/') = '\0';
    dev_build_find(&dev->build, dev->config, dev->build_command);
    if (dev->build.command != NULL) {
        dev_sources_open(&dev->sources, root);
        dev_build_first(dev);
    }
    free(root);
}

static void announce(struct dev *dev, int64_t began)
{
    dev_banner_print(dev->config, dev->host.origin);
    printf("Started in %.1f s. Ctrl-C stops everything, data stays in .edge\n",
        (double)(process_clock_ms() - began) / 1000);
    if (dev->debugged == NULL && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO)) {
        signals_open(dev->signals, true);
        dev->keys = keys_open();
        dev_keys_print();
    }
    fflush(stdout);
}

static int serve(struct dev *dev)
{
    build_first(dev);
    int64_t began = process_clock_ms();
    if (!database_start(dev, dev->seed) || !environment_apply(dev) ||
        !dev_host_start(&dev->host, dev->path, dev->workers))
        return STATUS_FAILED;
    announce(dev, began);
    if (dev->build.failed)
        dev_build_done(dev);
    if (dev->debugged != NULL && !dev_debugger_start(dev))
        return STATUS_FAILED;
    return dev_loop(dev);
}

static void stop(struct dev *dev)
{
    char bytes[4096];
    ssize_t length;
    keys_restore();
    dev_build_stop(&dev->build);
    dev_host_stop(&dev->host);
    while (dev->host.log >= 0 && (length = read(dev->host.log, bytes, sizeof bytes)) > 0)
        dev_log_add(&dev->log, bytes, (size_t)length);
    dev_database_stop(&dev->database);
    dev_sources_close(&dev->sources);
    dev_log_free(&dev->log);
    json_decref(dev->stale);
}

static int run_prepared(struct dev *dev)
{
    int status = STATUS_FAILED;
    environment_read(dev);
    if (config_open(dev->path, &dev->config) && directories_make(dev->path) &&
        dev_host_prepare(
            &dev->host, dev->path, dev->listen == NULL ? dev->config->server.listen : dev->listen)) {
        dev->signals = signals_open(-1, false);
        terminal_prepare(dev);
        status = serve(dev);
        stop(dev);
    }
    environment_file_free(&dev->environment);
    config_free(dev->config);
    return status;
}

static int run_in(struct dev *dev, const char *directory, char **argv)
{
    char path[PATH_MAX];
    bool below = directory != NULL && dev->path[0] != '/';
    snprintf(path, sizeof path, "%s%s%s", below ? directory : "", below ? "/" : "", dev->path);
    if (access(path, R_OK) != 0)
        return failure("%s: cannot be read: %s", path, strerror(errno));
    if (dev->asan)
        return dev_sanitized(path, argv);
    if (directory != NULL && chdir(directory) != 0)
        return failure("\"%s\": %s", directory, strerror(errno));
    return run_prepared(dev);
}

static int run(int argc, char **argv)
{
    struct dev dev = {
        .path = "functions.toml", .workers = "2", .sources.fd = -1, .build.output = -1, .host.log = -1
    };
    const char *directory = NULL;
    const struct cli_option options[] = {
        { "config", "FILE", "what to run (functions.toml)", .text = &dev.path },
        { "listen", "ADDRESS", "instead of [server] listen; port 0 takes a free one", .text = &dev.listen },
        { "workers", "N", "worker processes (2)", .text = &dev.workers },
        { "seed", NULL, "load the demonstration data into a database of your own, too", .flag = &dev.seed },
        { "build", "COMMAND", "builds the plugins, instead of ninja or CMake", .text = &dev.build_command },
        { "strict", NULL, "a function that does not compile answers 503 with the compiler's text",
            .flag = &dev.strict },
        { "gdb", "FUNCTION", "stop at its first line, in gdb", .text = &dev.debugged },
        { "asan", NULL, "build and run everything with sanitizers", .flag = &dev.asan },
        { NULL, "DIR", "the project's directory, instead of this one", .text = &directory },
        { 0 },
    };
    int status = options_read(&dev_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    if (dev.debugged != NULL)
        dev.workers = "1";
    return run_in(&dev, directory, argv);
}

const struct command dev_command = {
    .name = "dev",
    .summary = "Run everything here: database, sandbox providers and host",
    .details =
        "The database is a Postgres of its own in .edge/postgres, run by Debian's programs or those that\n"
        "EDGE_POSTGRES_BIN names the directory of; with DATABASE_URL set it is yours. Every\n"
        "outside provider is a stand-in, so nothing leaves this machine. Tokens come from the development\n"
        "issuer (edge token). Variables that it sets are in .edge/dev/environment.\n"
        "\n"
        "A source that is saved is compiled, tried and served. What does not compile is shown; the function\n"
        "answers from its build before, with the header x-function-stale: true.\n"
        "\n"
        "The status is 0 when it was told to end (q, Ctrl-C, SIGTERM), 1 when the host or the database has "
        "ended.\n",
    .examples = "  edge dev\n"
                "  edge dev ../shop --strict\n"
                "  edge dev --gdb computePulse\n"
                "  edge dev --listen 127.0.0.1:9000 --workers 1\n"
                "  DATABASE_URL=postgresql://edge_runtime@localhost/pulse edge dev --seed\n",
    .run = run,
};
