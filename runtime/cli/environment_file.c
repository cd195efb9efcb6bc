/*
 * Files of environment variables; see environment_file.h for the form.
 */
#include "cli/environment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How a quote within a quoted value is written: the quotes end, an escaped one follows, they begin again. */
#define QUOTE_IN_QUOTES "'\\''"

static char *must_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL)
        abort();
    return copy;
}

static struct environment_variable *find(const struct environment_file *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->variables[i].name, name) == 0)
            return &file->variables[i];
    return NULL;
}

const char *environment_file_get(const struct environment_file *file, const char *name)
{
    const struct environment_variable *variable = find(file, name);
    return variable == NULL ? NULL : variable->value;
}

void environment_file_set(struct environment_file *file, const char *name, const char *value)
{
    struct environment_variable *variable = find(file, name);
    if (variable == NULL) {
        file->variables = realloc(file->variables, (file->count + 1) * sizeof *file->variables);
        if (file->variables == NULL)
            abort();
        variable = &file->variables[file->count++];
        *variable = (struct environment_variable){ .name = must_copy(name) };
    }
    char *copy = must_copy(value);
    free(variable->value);
    variable->value = copy;
}

/* Takes the quotes off the value at text, in place; NULL when it is not a quoted one. */
static char *unquote(char *text)
{
    if (*text != '\'')
        return NULL;
    char *in = text + 1, *out = text;
    while (*in != '\0') {
        if (strncmp(in, QUOTE_IN_QUOTES, strlen(QUOTE_IN_QUOTES)) == 0) {
            *out++ = '\'';
            in += strlen(QUOTE_IN_QUOTES);
        } else if (*in == '\'') {
            *out = '\0';
            return text;
        } else {
            *out++ = *in++;
        }
    }
    return NULL;
}

int environment_file_read(struct environment_file *file, const char *path)
{
    FILE *input = fopen(path, "re");
    if (input == NULL)
        return -errno;

    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, input) > 0) {
        char *equals = strchr(line, '=');
        char *value = equals == NULL ? NULL : unquote(equals + 1);
        if (value == NULL)
            continue;
        *equals = '\0';
        environment_file_set(file, line, value);
    }
    free(line);
    int result = ferror(input) ? -EIO : 0;
    fclose(input);
    return result;
}

static void write_variable(FILE *output, const struct environment_variable *variable)
{
    fprintf(output, "%s='", variable->name);
    for (const char *at = variable->value; *at != '\0'; at++) {
        if (*at == '\'')
            fputs(QUOTE_IN_QUOTES, output);
        else
            fputc(*at, output);
    }
    fputs("'\n", output);
}

int environment_file_write(const struct environment_file *file, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *output = fd < 0 ? NULL : fdopen(fd, "w");
    if (output == NULL)
        return -errno;
    for (size_t i = 0; i < file->count; i++)
        write_variable(output, &file->variables[i]);
    return fclose(output) == 0 ? 0 : -errno;
}

void environment_file_apply(const struct environment_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        setenv(file->variables[i].name, file->variables[i].value, 1);
}

void environment_file_free(struct environment_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->variables[i].name);
        free(file->variables[i].value);
    }
    free(file->variables);
    *file = (struct environment_file){ 0 };
}
