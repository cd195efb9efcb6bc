/*
 * Colours, on a terminal only and never when NO_COLOR is set (https://no-color.org).
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

/* Whether a descriptor is a terminal that takes colours. */
bool terminal_colours(int fd);

/* The sequences that begin and end a colour at a descriptor; empty texts where there are no colours. */
const char *terminal_green(int fd);
const char *terminal_yellow(int fd);
const char *terminal_red(int fd);
const char *terminal_dim(int fd);
const char *terminal_plain(int fd);

#endif
