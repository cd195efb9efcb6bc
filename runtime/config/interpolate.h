/*
 * References to environment variables in configured text: ${NAME}, ${NAME:-default}, and $$ for one $.
 *
 * A variable that is set but empty counts as unset. A default is literal text up to the first "}".
 */
#ifndef INTERPOLATE_H
#define INTERPOLATE_H

#include <arena.h>
#include <stdbool.h>
#include <stddef.h>

/* One ${NAME}. */
struct variable_reference {
    const char *name;
    bool has_default;
    const struct variable_reference *next;
};

struct interpolation {
    const char *text;     /* the result */
    const char *variable; /* the first variable that text names, NULL when it names none */
    const char *missing;  /* the first one that is unset and has no default, NULL when there is none */
    const char *problem;  /* what is wrong with the syntax, NULL when nothing is */
    const struct variable_reference *references; /* all of them, the last one first */
};

/* Strings of the result live in arena, or are text itself. */
struct interpolation interpolate(struct arena *arena, const char *text);

/* Value of a variable, NULL when it is unset or empty. */
const char *environment_get(const char *name);

#endif
