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
    OPTION_COUNT_MAX = 24,
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
        else if (option->letter != '\0')
            printf(" [-%c]", option->letter);
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
        int width;
        if (option->name == NULL)
            width = printf("  %s", option->value);
        else if (option->letter != '\0')
            width = printf("  -%c, --%s", option->letter, option->name);
        else
            width = printf("  --%s %s", option->name, option->value == NULL ? "" : option->value);
        printf("%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "", option->help);
    }
    printf("%-*sthis text\n\nexamples:\n%s", HELP_COLUMN, "  --help", command->examples);
    return STATUS_DONE;
}

/* The option that argument, which begins with "--", names; an operand's entry for any other argument. */
static const struct cli_option *option_find(const struct cli_option *options, const char *argument)
{
    bool operand = argument[0] != '-' || argument[1] == '\0', is_long = strncmp(argument, "--", 2) == 0;
    size_t length = strcspn(argument, "=");
    for (; !option_ends(options); options++) {
        if (operand && options->name == NULL)
            return options;
        if (argument[0] == '-' && options->letter != '\0' && argument[1] == options->letter &&
            argument[2] == '\0')
            return options;
        if (is_long && options->name != NULL && strlen(options->name) == length - 2 &&
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

/* False when a list is full. */
static bool option_store(const struct cli_option *option, const char *value)
{
    struct cli_list *list = option->list;
    if (list == NULL)
        *option->text = value;
    else if (list->count == sizeof list->items / sizeof *list->items)
        return false;
    else
        list->items[list->count++] = value;
    return true;
}

/* The value of an option, which may be the argument behind it; NULL: there is none. */
static const char *value_of(const struct cli_option *option, int argc, char **argv, int *i)
{
    const char *equals = strchr(argv[*i], '=');
    if (option->name == NULL)
        return argv[*i];
    if (equals != NULL)
        return equals + 1;
    return *i + 1 < argc ? argv[++*i] : NULL;
}

static void (*watcher)(const struct command *command, const struct cli_option *options);

void options_watch(void (*look)(const struct command *command, const struct cli_option *options))
{
    watcher = look;
}

int options_read(const struct command *command, const struct cli_option *options, int argc, char **argv)
{
    if (watcher != NULL) {
        watcher(command, options);
        return STATUS_DONE;
    }
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
            return print_help(command, options);

        const struct cli_option *option = option_find(options, argument);
        const char *equals = strchr(argument, '=');
        if (option == NULL || (option->value == NULL && equals != NULL))
            return unknown_option(command, options, argument);
        if (option->value == NULL) {
            *option->flag = true;
            continue;
        }
        const char *value = value_of(option, argc, argv, &i);
        if (value == NULL)
            return usage_error(command, "\"%s\" needs a value: %s", argument, option->value);
        if (!option_store(option, value))
            return usage_error(command, "\"%s\" is one too many", argument);
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

bool function_named(const struct config *config, const char *name)
{
    if (config_function(config, name) != NULL)
        return true;
    const char **names = calloc(config->function_count + 1, sizeof *names);
    if (names == NULL)
        abort();
    for (size_t i = 0; i < config->function_count; i++)
        names[i] = config->functions[i].name;
    const char *closest = closest_of(name, names);
    free(names);
    failure(closest != NULL ? "\"%s\" has no function \"%s\"; did you mean \"%s\""
                            : "\"%s\" has no function \"%s\". `edge functions` lists them",
        config->path, name, closest);
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
