/*
 * Arguments of commands: reading them, explaining them, refusing them.
 */
#include "cli/command.h"
#include "config/closest.h"
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_COUNT_MAX = 16,
    HELP_COLUMN = 24
};

static bool option_ends(const struct cli_option *option)
{
    return option->name == NULL && option->value == NULL;
}

int failure(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("edge: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return STATUS_FAILED;
}

int usage_error(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "edge %s: ", command->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nTry: edge %s --help\n", command->name);
    va_end(args);
    return STATUS_USAGE;
}

static void print_usage(const struct command *command, const struct cli_option *options)
{
    printf("usage: edge %s", command->name);
    for (const struct cli_option *option = options; !option_ends(option); option++) {
        if (option->name == NULL)
            printf(" %s", option->value);
        else
            printf(" [--%s%s%s]", option->name, option->value == NULL ? "" : " ",
                option->value == NULL ? "" : option->value);
    }
    printf("\n\n%s.\n", command->summary);
}

static int print_help(const struct command *command, const struct cli_option *options)
{
    print_usage(command, options);
    if (command->details != NULL)
        printf("\n%s", command->details);

    puts("\noptions:");
    for (const struct cli_option *option = options; !option_ends(option); option++) {
        int width = option->name == NULL
                        ? printf("  %s", option->value)
                        : printf("  --%s %s", option->name, option->value == NULL ? "" : option->value);
        printf("%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "", option->help);
    }
    printf("%-*sthis text\n\nexamples:\n%s", HELP_COLUMN, "  --help", command->examples);
    return STATUS_DONE;
}

/* The option that argument, which begins with "--", names; an operand's entry for any other argument. */
static const struct cli_option *option_find(const struct cli_option *options, const char *argument)
{
    bool operand = strncmp(argument, "--", 2) != 0;
    size_t length = strcspn(argument, "=");
    for (; !option_ends(options); options++) {
        if (operand && options->name == NULL)
            return options;
        if (!operand && options->name != NULL && strlen(options->name) == length - 2 &&
            strncmp(options->name, argument + 2, length - 2) == 0)
            return options;
    }
    return NULL;
}

static int unknown_option(const struct command *command, const struct cli_option *options, const char *argument)
{
    const char *names[OPTION_COUNT_MAX + 1];
    size_t count = 0;
    for (; !option_ends(options) && count < OPTION_COUNT_MAX; options++)
        if (options->name != NULL)
            names[count++] = options->name;
    names[count] = NULL;

    const char *closest = strncmp(argument, "--", 2) == 0 ? closest_of(argument + 2, names) : NULL;
    if (closest == NULL)
        return usage_error(command, "\"%s\" is no option or operand of this command", argument);
    return usage_error(command, "\"%s\" is no option; did you mean \"--%s\"", argument, closest);
}

int options_read(const struct command *command, const struct cli_option *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
            return print_help(command, options);

        const struct cli_option *option = option_find(options, argument);
        const char *equals = strchr(argument, '=');
        if (option == NULL || (option->value == NULL && equals != NULL))
            return unknown_option(command, options, argument);
        if (option->value == NULL)
            *option->flag = true;
        else if (option->name == NULL)
            *option->text = argument;
        else if (equals != NULL)
            *option->text = equals + 1;
        else if (i + 1 < argc)
            *option->text = argv[++i];
        else
            return usage_error(command, "\"%s\" needs a value: %s", argument, option->value);
    }
    return OPTIONS_READ;
}

bool config_open(const char *path, struct config **config)
{
    struct config_error error;
    if (config_load(path, config, &error) == 0)
        return true;
    failure("%s", error.text);
    return false;
}

bool count_parse(const char *text, int most, int *count)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > most)
        return false;
    *count = (int)value;
    return true;
}
