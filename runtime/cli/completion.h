/*
 * Shell completions, made from the commands' own tables of options.
 */
#ifndef COMPLETION_H
#define COMPLETION_H

#include "cli/command.h"

/* What may stand at a place. */
enum candidates {
    CANDIDATES_NONE,
    CANDIDATES_WORDS,
    CANDIDATES_FUNCTIONS, /* names of functions.toml */
    CANDIDATES_FILES,
    CANDIDATES_DIRECTORIES,
    CANDIDATES_WORDS_OR_FILES
};

/* The candidates for an option's value, or an operand; words is filled when they are words, separated by
 * blanks. */
enum candidates candidates_of(const struct command *command, const struct cli_option *option, char words[256]);

/* One shell: prints the head, each command's part, the end. */
struct completion_shell {
    const char *name;
    void (*begin)(void);
    void (*command)(const struct command *command, const struct cli_option *options);
    void (*end)(void);
};

extern const struct completion_shell completion_shells[]; /* ended by one without a name */

#endif
