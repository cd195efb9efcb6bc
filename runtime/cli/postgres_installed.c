/*
 * Looking for PostgreSQL; see postgres_installed.h.
 */
#include "cli/postgres_installed.h"

#include "config/interpolate.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEBIAN "/usr/lib/postgresql/"

/* "postgres (PostgreSQL) 15.14 (Debian …)"; 0: it is none. */
static int version_said(const char *program)
{
    char command[PATH_MAX + 32];
    int version = 0;
    snprintf(command, sizeof command, "exec '%s' --version 2>/dev/null", program);
    FILE *output = strchr(program, '\'') == NULL ? popen(command, "re") : NULL;
    if (output == NULL)
        return 0;
    if (fscanf(output, "%*s (PostgreSQL) %d", &version) != 1)
        version = 0;
    pclose(output);
    return version;
}

static bool fits(int version, int wanted)
{
    return wanted == 0 ? version >= POSTGRES_OLDEST : version == wanted;
}

int postgres_installed(int version, char program[PATH_MAX])
{
    const char *given = environment_get("EDGE_POSTGRES_BIN");
    int best = 0;
    glob_t found;
    *program = '\0';
    if (given != NULL) {
        snprintf(program, PATH_MAX, "%s/postgres", given);
        best = version_said(program);
        return fits(best, version) ? best : 0;
    }
    if (glob(DEBIAN "*/bin/postgres", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            int one = atoi(found.gl_pathv[i] + strlen(DEBIAN));
            if (fits(one, version) && one > best) {
                best = one;
                snprintf(program, PATH_MAX, "%s", found.gl_pathv[i]);
            }
        }
    }
    globfree(&found);
    return best;
}
