/*
 * edge dev: everything on one machine with one command.
 *
 *   edge dev ──┬── postgres   (embedded, unless DATABASE_URL names one)
 *              └── edge serve (with the sandbox and the development issuer)
 *
 * Both children end when we do, even by kill -9. A lock is held by us and by the host, so that a new `edge dev`
 * waits until the host of a killed one has let go of the port.
 */
#include "cli/command.h"
#include "cli/dev_banner.h"
#include "cli/dev_database.h"
#include "cli/dev_host.h"
#include "cli/development_environment.h"
#include "cli/environment_file.h"
#include "cli/process.h"
#include "config/config.h"
#include "config/interpolate.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POSTGRES_RESTART_MS = 5000
};

struct dev {
    const char *path, *workers;
    struct config *config; /* read before the environment is made, and again after */
    struct environment_file environment;
    struct dev_database database;
    struct dev_host host;
    int signals; /* signalfd */
    int64_t database_started_ms;
};

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

/* Signals arrive at a descriptor, so that waiting for them and for the terminal is one poll. */
static int signals_open(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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

/* A child has ended. The host's end is ours; the database's is mended. False to stop. */
static bool child_ended(struct dev *dev)
{
    int status;
    if (waitpid(dev->host.pid, &status, WNOHANG) == dev->host.pid) {
        dev->host.pid = 0;
        failure("the host has ended");
        return false;
    }
    struct postgres *postgres = &dev->database.postgres;
    if (!dev->database.embedded || waitpid(postgres->pid, &status, WNOHANG) != postgres->pid)
        return true;

    postgres->pid = 0;
    bool again = process_clock_ms() - dev->database_started_ms > POSTGRES_RESTART_MS;
    failure(again ? "Postgres has ended and is started again" : "Postgres ends as soon as it has started");
    dev->database_started_ms = process_clock_ms();
    return again && postgres_start(postgres);
}

/* Reads what the terminal has sent; at its end nobody will send more. */
static bool terminal_pressed(struct pollfd *terminal)
{
    char line[256];
    bool pressed = read(STDIN_FILENO, line, sizeof line) > 0;
    if (!pressed)
        terminal->fd = -1;
    return pressed;
}

/* Waits until a signal says stop (0), or a child that we cannot do without has ended (1). */
static int watch(struct dev *dev)
{
    struct pollfd sources[] = {
        { .fd = dev->signals, .events = POLLIN },
        { .fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN },
    };
    for (;;) {
        if (poll(sources, 2, -1) < 0 && errno != EINTR)
            return STATUS_FAILED;
        if (sources[1].revents != 0 && terminal_pressed(&sources[1]))
            dev_banner_print(dev->config, dev->host.origin);

        struct signalfd_siginfo info;
        while (read(dev->signals, &info, sizeof info) == sizeof info) {
            if (info.ssi_signo != SIGCHLD)
                return STATUS_DONE;
            if (!child_ended(dev))
                return STATUS_FAILED;
        }
    }
}

static int serve(struct dev *dev, bool seed)
{
    int64_t began = process_clock_ms();
    if (!database_start(dev, seed) || !environment_apply(dev) ||
        !dev_host_start(&dev->host, dev->path, dev->workers))
        return STATUS_FAILED;
    dev_banner_print(dev->config, dev->host.origin);
    printf("Started in %.1f s. Ctrl-C stops everything, data stays in .edge%s\n",
        (double)(process_clock_ms() - began) / 1000,
        isatty(STDIN_FILENO) ? "; Enter prints the calls anew" : "");
    fflush(stdout);
    return watch(dev);
}

static int run(int argc, char **argv)
{
    struct dev dev = { .path = "functions.toml", .workers = "2" };
    const char *listen = NULL;
    bool seed = false;
    const struct cli_option options[] = {
        { "config", "FILE", "what to run (functions.toml)", .text = &dev.path },
        { "listen", "ADDRESS", "instead of [server] listen; port 0 takes a free one", .text = &listen },
        { "workers", "N", "worker processes (2)", .text = &dev.workers },
        { "seed", NULL, "load the demonstration data into a database of your own, too", .flag = &seed },
        { 0 },
    };
    int status = options_read(&dev_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;

    if (access(dev.path, R_OK) != 0)
        return failure("%s: cannot be read: %s", dev.path, strerror(errno));
    environment_read(&dev);
    status = STATUS_FAILED;
    if (config_open(dev.path, &dev.config) && directories_make(dev.path) &&
        dev_host_prepare(&dev.host, dev.path, listen == NULL ? dev.config->server.listen : listen)) {
        dev.signals = signals_open();
        status = serve(&dev, seed);
        dev_host_stop(&dev.host);
        dev_database_stop(&dev.database);
    }
    environment_file_free(&dev.environment);
    config_free(dev.config);
    return status;
}

const struct command dev_command = {
    .name = "dev",
    .summary = "Run everything here: database, sandbox providers and host",
    .details =
        "The database is a Postgres of its own in .edge/postgres; with DATABASE_URL set it is yours. Every\n"
        "outside provider is a stand-in, so nothing leaves this machine. Tokens come from the development\n"
        "issuer (edge token). Variables that it sets are in .edge/dev/environment.\n",
    .examples = "  edge dev\n"
                "  edge dev --listen 127.0.0.1:9000 --workers 1\n"
                "  DATABASE_URL=postgresql://edge_runtime@localhost/pulse edge dev --seed\n",
    .run = run,
};
