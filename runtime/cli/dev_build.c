/*
 * The builder of `edge dev`; see dev_build.h.
 */
#include "cli/dev_build.h"

#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/process.h"
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    STOP_TIMEOUT_MS = 5000
};

static bool is_there(const char *directory, const char *name)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path && access(path, R_OK) == 0;
}

/* The directory at or above the plugins', and below the project, that a build has been made ready in. */
static bool find_directory(const char *root, const char *plugins, char *directory)
{
    snprintf(directory, PATH_MAX, "%s", plugins);
    size_t length = strlen(root);
    while (strncmp(directory, root, length) == 0 && directory[length] == '/') {
        if (is_there(directory, "build.ninja") || is_there(directory, "CMakeCache.txt"))
            return true;
        *strrchr(directory, '/') = '\0';
    }
    return false;
}

/* One word of a shell's command. */
static char *quoted(const char *text)
{
    size_t length = 2;
    for (const char *at = text; *at != '\0'; at++)
        length += *at == '\'' ? 4 : 1;
    char *word = malloc(length + 1), *out = word;
    if (word == NULL)
        abort();
    *out++ = '\'';
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\'')
            out = stpcpy(out, "'\\''");
        else
            *out++ = *at;
    }
    memcpy(out, "'", 2);
    return word;
}

/*
 * What is not a plugin (the host itself, tests) is not built at every change: CMake's Ninja files have a target
 * for all of a directory. -k 0: a function that does not compile holds up none that does.
 */
static char *command_of(const char *root, const char *directory, bool ready)
{
    char *word = quoted(directory), *source = quoted(root), *command;
    const char *only = is_there(root, "functions/CMakeLists.txt") ? " functions/all" : "";
    int made;
    if (!ready)
        made = asprintf(&command,
            "cmake -S %s -B %s -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null &&"
            " exec ninja -C %s --quiet -k 0%s",
            source, word, word, only);
    else if (is_there(directory, "build.ninja"))
        made = asprintf(&command, "exec ninja -C %s --quiet -k 0%s", word, only);
    else
        made = asprintf(&command, "exec cmake --build %s", word);
    free(word);
    free(source);
    return made < 0 ? NULL : command;
}

/* find_package(edge) finds what this program was installed with, on the PATH or not. */
static void prefix_tell(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length < 0 ? 0 : length] = '\0';
    for (int i = 0; i < 2 && strrchr(path, '/') != NULL; i++)
        *strrchr(path, '/') = '\0';
    if (is_there(path, "share/edge"))
        setenv("CMAKE_PREFIX_PATH", path, 0);
}

void dev_build_find(struct dev_build *build, const struct config *config, const char *given)
{
    char directory[PATH_MAX], *root = development_path(config->path, "");
    *strrchr(root, '/') = '\0';
    build->output = -1;
    prefix_tell();
    bool ready = find_directory(root, config->server.plugins, directory);
    if (!ready)
        snprintf(directory, sizeof directory, "%s/build", root);
    if (given != NULL)
        build->command = strdup(given);
    else if (ready || is_there(root, "CMakeLists.txt"))
        build->command = command_of(root, directory, ready);
    free(root);
}

bool dev_build_start(struct dev_build *build)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return failure("cannot make a pipe: %s", strerror(errno)), false;
    char *const arguments[] = { "/bin/sh", "-c", build->command, NULL };
    const struct process_start start = { arguments, .death_signal = SIGTERM, .own_session = true,
        .output = ends[1], .error = ends[1], .keep = -1 };
    pid_t pid = process_start(&start);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return failure("cannot start the build: %s", strerror(-pid)), false;
    }
    build->pid = pid;
    build->output = ends[0];
    build->began_ms = process_clock_ms();
    build->length = 0;
    return true;
}

static void end(struct dev_build *build)
{
    int status = 0;
    close(build->output);
    build->output = -1;
    if (process_wait(build->pid, STOP_TIMEOUT_MS, &status) != 0)
        status = -1;
    build->pid = 0;
    build->failed = status != 0;
    build->took_ms = process_clock_ms() - build->began_ms;
}

bool dev_build_read(struct dev_build *build)
{
    char *text = realloc(build->text, build->length + READ_BYTES + 1);
    if (text == NULL)
        abort();
    build->text = text;
    ssize_t got = read(build->output, text + build->length, READ_BYTES);
    build->length += got > 0 ? (size_t)got : 0;
    text[build->length] = '\0';
    if (got > 0 || (got < 0 && errno == EINTR))
        return false;
    end(build);
    return true;
}

void dev_build_stop(struct dev_build *build)
{
    if (build->pid > 0) {
        kill(-build->pid, SIGTERM);
        end(build);
    }
    free(build->command);
    free(build->text);
    *build = (struct dev_build){ .output = -1 };
}
