/*
 * The `edge` program: finds the command and hands over.
 */
#include "cli/command.h"
#include "config/closest.h"
#include "config/credentials.h"

#include <edge/function.h>

#include <arena.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    COMMANDS_MAX = 64
};

static int print_commands(FILE *out)
{
    fputs("usage: edge <command> [options]\n\n", out);
    for (const struct command *const *command = commands; *command != NULL; command++)
        fprintf(out, "  %-12s%s\n", (*command)->name, (*command)->summary);
    fputs("\nedge <command> --help explains a command, edge --version says which one this is. Exit statuses: 0 "
          "done,\n"
          "1 failed (standard error says why), 2 called wrongly.\n",
        out);
    return out == stdout ? STATUS_DONE : STATUS_USAGE;
}

static const struct command *command_find(const char *name)
{
    const struct command *const *command = commands;
    while (*command != NULL && strcmp((*command)->name, name) != 0)
        command++;
    return *command;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS_MAX] = { NULL };
    for (size_t i = 0; commands[i] != NULL && i < COMMANDS_MAX - 1; i++)
        names[i] = commands[i]->name;
    const char *closest = closest_of(name, names);
    fprintf(stderr, "edge: \"%s\" is no command", name);
    fprintf(stderr, closest == NULL ? "\n" : "; did you mean \"%s\"\n", closest);
    return print_commands(stderr);
}

/* Every command's --help as a page: docs/cli.md. */
static int print_page(void)
{
    puts("# The program edge\n\nWritten by `scripts/docs` from what `--help` says.\n\nExit statuses are the "
         "same "
         "everywhere: 0 done, 1 failed (standard error says why), 2 called\nwrongly. Output has colours on a "
         "terminal "
         "only, and none with `NO_COLOR` set. What a machine may read has `--json`.\n");
    puts("| command | |\n|---|---|");
    for (const struct command *const *command = commands; *command != NULL; command++)
        printf("| [`edge %s`](#edge-%s) | %s |\n", (*command)->name, (*command)->name, (*command)->summary);
    for (const struct command *const *command = commands; *command != NULL; command++) {
        char *arguments[] = { (char *)(*command)->name, "--help", NULL };
        printf("\n## edge %s\n\n```text\n", (*command)->name);
        (*command)->run(2, arguments);
        puts("```");
    }
    return STATUS_DONE;
}

static int help(const char *name)
{
    if (name == NULL)
        return print_commands(stdout);
    if (strcmp(name, "--markdown") == 0)
        return print_page();
    const struct command *command = command_find(name);
    char *arguments[] = { (char *)name, "--help", NULL };
    return command != NULL ? command->run(2, arguments) : unknown_command(name);
}

int main(int argc, char **argv)
{
    /* A client or reader that has left is an error of the write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    arena_attach_jansson();
    credentials_apply();

    if (argc < 2)
        return print_commands(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0) {
        printf("edge %s, ABI %d.%d\n", EDGE_VERSION, EDGE_ABI_MAJOR, EDGE_ABI_MINOR);
        return STATUS_DONE;
    }
    const struct command *command = command_find(argv[1]);
    return command != NULL ? command->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
