/*
 * The `edge` program: finds the command and hands over.
 */
#include "cli/command.h"
#include "config/closest.h"

#include <arena.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &new_command,
    &dev_command,
    &serve_command,
    &migrate_command,
    &test_command,
    &invoke_command,
    &token_command,
    &logs_command,
    &functions_command,
    &reload_command,
    &rollback_command,
    &promote_command,
    &upgrade_command,
    &jobs_command,
    &sandbox_command,
    &routes_command,
    &env_command,
    &docs_command,
    &types_command,
    &config_command,
    &doctor_command,
    NULL,
};

static int print_commands(FILE *out)
{
    fputs("usage: edge <command> [options]\n\n", out);
    for (const struct command *const *command = commands; *command != NULL; command++)
        fprintf(out, "  %-12s%s\n", (*command)->name, (*command)->summary);
    fputs("\nedge <command> --help explains a command\n", out);
    return out == stdout ? STATUS_DONE : STATUS_USAGE;
}

static int unknown_command(const char *name)
{
    const char *names[sizeof commands / sizeof *commands] = { NULL };
    for (size_t i = 0; commands[i] != NULL; i++)
        names[i] = commands[i]->name;
    const char *closest = closest_of(name, names);
    fprintf(stderr, "edge: \"%s\" is no command", name);
    fprintf(stderr, closest == NULL ? "\n" : "; did you mean \"%s\"\n", closest);
    return print_commands(stderr);
}

int main(int argc, char **argv)
{
    /* A client or reader that has left is an error of the write, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    arena_attach_jansson();

    if (argc < 2)
        return print_commands(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return print_commands(stdout);
    for (const struct command *const *command = commands; *command != NULL; command++)
        if (strcmp((*command)->name, argv[1]) == 0)
            return (*command)->run(argc - 1, argv + 1);
    return unknown_command(argv[1]);
}
