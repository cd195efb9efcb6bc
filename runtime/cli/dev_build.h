/*
 * The builder of `edge dev`: runs the project's own build, and says what could not be built.
 *
 * The build is the project's: ninja, or what else CMake has generated, in the directory that the plugins are
 * made in; or a command that was given. A project with neither is not built, only served.
 */
#ifndef DEV_BUILD_H
#define DEV_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct config;

struct dev_build {
    char *command; /* for the shell; NULL: nothing is built */
    pid_t pid;     /* 0: not running */
    int output;    /* what it says; -1: it has said all */
    char *text;    /* so far, ended by NUL */
    size_t length;
    int64_t began_ms;
    /* Of the last build that has ended. */
    bool failed;
    int64_t took_ms;
};

/* Finds the build of a configuration's plugins. given: the command instead, or NULL. */
void dev_build_find(struct dev_build *build, const struct config *config, const char *given);

/* Starts it in a process of its own. False, with the reason on standard error, when that cannot be done. */
bool dev_build_start(struct dev_build *build);

/* Reads on; true when the build has ended, and failed and took_ms are set. */
bool dev_build_read(struct dev_build *build);

/*
 * What of the text is the compiler's, by function: {"computePulse": "functions/…:12:5: error: …"}. What stands
 * between all functions and their files (a library of theirs, the build itself) is said of each of them.
 */
json_t *dev_build_failures(const struct dev_build *build, const struct config *config);

/* Prints the same for people. */
void dev_build_print(const struct dev_build *build);

/* Ends it if it runs. */
void dev_build_stop(struct dev_build *build);

#endif
