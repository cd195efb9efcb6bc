/*
 * edge dev --asan: host and plugins with the address and undefined behaviour sanitizers.
 *
 * Both have to be built so, since they share one process; what is built is the tree's own preset "asan".
 */
#include "cli/command.h"
#include "cli/dev.h"
#include "cli/development_environment.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char build[] = "{ [ -f build-asan/build.ninja ] || cmake --preset asan -DEDGE_TESTS=OFF; } &&"
                            " ninja -C build-asan --quiet edge functions/all";

int dev_sanitized(const char *config_path, char **argv)
{
    char root[PATH_MAX], before[PATH_MAX], program[PATH_MAX + 32], plugins[PATH_MAX + 32],
        *edge = development_path(config_path, "");
    snprintf(root, sizeof root, "%s", edge);
    free(edge);
    *strrchr(root, '/') = '\0';
    bool known = getcwd(before, sizeof before) != NULL;
    if (chdir(root) != 0 || access("CMakePresets.json", R_OK) != 0 || access("runtime", R_OK) != 0)
        return failure("--asan builds the host too, so it needs the source tree of Pulse Edge. Run it there");
    printf("Building with sanitizers in build-asan\n");
    fflush(stdout);
    if (system(build) != 0 || !known || chdir(before) != 0)
        return failure("the build with sanitizers has failed");

    snprintf(program, sizeof program, "%s/build-asan/edge", root);
    snprintf(plugins, sizeof plugins, "%s/build-asan/functions", root);
    setenv("EDGE_PLUGINS", plugins, 1);
    size_t kept = 0;
    for (char **argument = argv; *argument != NULL; argument++)
        if (strcmp(*argument, "--asan") != 0)
            argv[kept++] = *argument;
    argv[kept] = NULL;
    execv(program, argv - 1);
    return failure("cannot run \"%s\": %s", program, strerror(errno));
}
