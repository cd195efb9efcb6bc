/*
 * Names for new functions; see new_name.h.
 */
#include "cli/new_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 63 /* what a worker's slot shows of it (slots.h) */
};

static const char *const keywords[] = { "auto", "break", "case", "char", "const", "continue", "default", "do",
    "double", "else", "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register",
    "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union",
    "unsigned", "void", "volatile", "while", "asm", "typeof", NULL };

/* Targets that CMake, or this tree's own build, has already. */
static const char *const targets[] = { "all", "clean", "depend", "edge", "edge_runtime", "edge_sdk",
    "edge_sdk_headers", "functions_lib", "help", "install", "package", "package_source", "preinstall",
    "rebuild_cache", "edit_cache", "list_install_components", "test", NULL };

static bool contains(const char *const *list, const char *name)
{
    for (; *list != NULL; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

const char *new_name_problem(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > NAME_MAX_BYTES)
        return "has not 1 to 63 characters";
    if (isdigit((unsigned char)*name) || *name == '_')
        return "does not begin with a letter";
    for (const char *at = name; *at != '\0'; at++)
        if (!isascii(*at) || (!isalnum((unsigned char)*at) && *at != '_'))
            return "is no C identifier (letters, digits and _)";
    if (contains(keywords, name))
        return "is a word of C";
    if (contains(targets, name))
        return "is a name that the build has for something else";
    return NULL;
}

void new_name_secret(const char *name, char *variable, size_t size)
{
    size_t length = 0;
    char before = '_';
    for (; *name != '\0' && length + 2 < size; name++) {
        if (isupper((unsigned char)*name) && (islower((unsigned char)before) || isdigit((unsigned char)before)))
            variable[length++] = '_';
        variable[length++] = (char)toupper((unsigned char)*name);
        before = *name;
    }
    snprintf(variable + length, size - length, "_SECRET");
}

void new_name_project(const char *directory, char *project, size_t size)
{
    const char *slash = strrchr(directory, '/');
    snprintf(project, size, "%s", slash == NULL ? directory : slash + 1);
    for (char *at = project; *at != '\0'; at++)
        if (!isascii(*at) || !isalnum((unsigned char)*at))
            *at = '_';
    if (*project == '\0' || isdigit((unsigned char)*project))
        snprintf(project, size, "functions_of_mine");
}
