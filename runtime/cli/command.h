/*
 * What a command of the `edge` program is made of: its words for --help, its options, its code.
 *
 * Exit statuses are the same everywhere: 0 done, 1 failed (standard error says why), 2 called wrongly.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

struct config;

enum {
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2
};

struct command {
    const char *name;
    const char *summary;  /* one line, for the list of commands */
    const char *details;  /* paragraphs below it, may be NULL */
    const char *examples; /* lines, each ended by a newline */
    int (*run)(int argc, char **argv);
};

/* All of them, NULL-terminated. */
extern const struct command *const commands[];

extern const struct command completion_command;
extern const struct command config_command;
extern const struct command dev_command;
extern const struct command doctor_command;
extern const struct command env_command;
extern const struct command docs_command;
extern const struct command functions_command;
extern const struct command jobs_command;
extern const struct command invoke_command;
extern const struct command logs_command;
extern const struct command migrate_command;
extern const struct command new_command;
extern const struct command sandbox_command;
extern const struct command promote_command;
extern const struct command reload_command;
extern const struct command rollback_command;
extern const struct command routes_command;
extern const struct command serve_command;
extern const struct command test_command;
extern const struct command token_command;
extern const struct command types_command;
extern const struct command upgrade_command;

/* Values of an option that may be given several times, or several operands. */
struct cli_list {
    const char *items[64];
    int count;
};

/* One option; a table of them ends with an entry that has neither name nor value. */
struct cli_option {
    const char *name;  /* without "--"; NULL: the command's operand */
    const char *value; /* what its value is called in --help; NULL: a switch */
    const char *help;
    const char **text;     /* where a value goes */
    bool *flag;            /* where a switch goes */
    struct cli_list *list; /* instead of text: where each value goes */
    char letter;           /* of a switch: "-f" is short for it */
};

enum {
    OPTIONS_READ = -1
};

/*
 * Reads a command's arguments. OPTIONS_READ, or the status to end with: --help has been printed, or what is
 * wrong with the call.
 */
int options_read(const struct command *command, const struct cli_option *options, int argc, char **argv);

/*
 * From now on options_read hands its table to look, and has the command end there: for completions, which are
 * made from the same tables.
 */
void options_watch(void (*look)(const struct command *command, const struct cli_option *options));

/* Says on standard error that a call is wrong. Returns STATUS_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const struct command *command, const char *format, ...);

/* Says on standard error what failed: "edge: …". Returns STATUS_FAILED. */
__attribute__((format(printf, 1, 2))) int failure(const char *format, ...);

/* Loads the configuration for a command; on failure says why and returns false. */
bool config_open(const char *path, struct config **config);

/* Whether the configuration has a function; says that it has not, and which one was probably meant. */
bool function_named(const struct config *config, const char *name);

/* A count given as an option's value: false when text is no whole number from 1 to most. */
bool count_parse(const char *text, int most, int *count);

#endif
