/*
 * Names for new functions.
 */
#ifndef NEW_NAME_H
#define NEW_NAME_H

#include <stddef.h>

/* What is wrong with a name, as the end of a sentence that begins with it; NULL: it will do. */
const char *new_name_problem(const char *name);

/* The variable for a webhook's secret: REMIND_CLIENT_SECRET of remindClient. */
void new_name_secret(const char *name, char *variable, size_t size);

/* A directory's name as CMake takes a project's: letters, digits and _. */
void new_name_project(const char *directory, char *project, size_t size);

#endif
