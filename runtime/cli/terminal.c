/*
 * Colours on terminals; see terminal.h.
 */
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool terminal_colours(int fd)
{
    const char *none = getenv("NO_COLOR"), *kind = getenv("TERM");
    return (none == NULL || *none == '\0') && (kind == NULL || strcmp(kind, "dumb") != 0) && isatty(fd);
}

const char *terminal_green(int fd)
{
    return terminal_colours(fd) ? "\033[32m" : "";
}

const char *terminal_yellow(int fd)
{
    return terminal_colours(fd) ? "\033[33m" : "";
}

const char *terminal_red(int fd)
{
    return terminal_colours(fd) ? "\033[31m" : "";
}

const char *terminal_dim(int fd)
{
    return terminal_colours(fd) ? "\033[2m" : "";
}

const char *terminal_plain(int fd)
{
    return terminal_colours(fd) ? "\033[0m" : "";
}
