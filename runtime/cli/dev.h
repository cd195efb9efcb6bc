/*
 * What `edge dev` runs: for dev*.c only.
 */
#ifndef DEV_H
#define DEV_H

#include "cli/dev_build.h"
#include "cli/dev_database.h"
#include "cli/dev_host.h"
#include "cli/dev_log.h"
#include "cli/dev_sources.h"
#include "cli/environment_file.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct config;

struct dev {
    const char *path, *workers, *listen, *build_command;
    const char *debugged; /* function to stop in, NULL: none */
    bool seed, strict, asan;
    struct config *config; /* read before the environment is made, and again after */
    struct environment_file environment;
    struct dev_database database;
    struct dev_host host;
    struct dev_sources sources;
    struct dev_build build;
    struct dev_log log;
    json_t *stale; /* what the host has been told: {function: text} */
    int signals;   /* signalfd */
    bool keys;
    bool forced;        /* what was refused before is to be tried again */
    pid_t debugger;     /* 0: none */
    int64_t changed_ms; /* a source has changed that is not built yet; 0: none has */
    int64_t database_started_ms;
};

/* dev_loop.c: waits until a signal or a key says stop (STATUS_DONE), or what we cannot do without has ended. */
int dev_loop(struct dev *dev);

/* dev_keys.c: what a key asks for. False: to stop. */
bool dev_key(struct dev *dev, char key);
void dev_keys_print(void);

/* dev_rebuild.c: builds once, before there is a host; begins to build; has read all of a build. */
void dev_build_first(struct dev *dev);
void dev_build_begin(struct dev *dev);
void dev_build_done(struct dev *dev);

/* dev_debugger.c: runs gdb on the one worker, stopping in a function. False, and why on standard error. */
bool dev_debugger_start(struct dev *dev);

/* dev_sanitized.c: builds host and plugins with sanitizers, and becomes that host's `edge dev`. Returns on
 * failure. */
int dev_sanitized(const char *config_path, char **argv);

#endif
