/*
 * edge completion: scripts by which shells complete commands, options, and names of functions.
 */
#include "cli/completion.h"

#include "config/config.h"

#include <stdio.h>
#include <string.h>

/* What an option calls its value, and what that may be. */
static const struct {
    const char *value;
    enum candidates candidates;
    const char *words;
} known[] = {
    { "FILE", CANDIDATES_FILES, NULL },
    { "BINARY", CANDIDATES_FILES, NULL },
    { "DIR", CANDIDATES_DIRECTORIES, NULL },
    { "MODE", CANDIDATES_WORDS,
        "user public optional admin service user_or_service webhook:svix webhook:elevenlabs webhook:shopify "
        "webhook:gohighlevel" },
    { "LEVEL", CANDIDATES_WORDS, "debug info warn error" },
    { "METHOD", CANDIDATES_WORDS, "GET POST PUT PATCH DELETE HEAD" },
    { "ROLE", CANDIDATES_WORDS, "admin user" },
    { "STATE", CANDIDATES_WORDS, "all open due waiting running dead done" },
    { "FUNCTION", CANDIDATES_FUNCTIONS, NULL },
    { "send", CANDIDATES_WORDS_OR_FILES, "send clerk elevenlabs gohighlevel shopify" },
};

enum candidates candidates_of(const struct command *command, const struct cli_option *option, char words[256])
{
    const char *value = option->value != NULL ? option->value : "";
    value += *value == '[';
    size_t length = strcspn(value, " ]…:.");
    *words = '\0';
    if (memchr(value, '|', length) != NULL && strchr(value, '@') == NULL) {
        snprintf(words, 256, "%.*s", (int)length, value);
        for (char *bar; (bar = strchr(words, '|')) != NULL;)
            *bar = ' ';
        return CANDIDATES_WORDS;
    }
    /* What is named may be something else, or not be there yet: --header NAME:VALUE, edge new NAME. */
    if (length == 4 && strncmp(value, "NAME", 4) == 0 && strcmp(command->name, "new") != 0 &&
        (option->name == NULL || strcmp(option->name, "function") == 0))
        return CANDIDATES_FUNCTIONS;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].value) == length && strncmp(known[i].value, value, length) == 0) {
            snprintf(words, 256, "%s", known[i].words != NULL ? known[i].words : "");
            return known[i].candidates;
        }
    return CANDIDATES_NONE;
}

/* For the scripts: a name a line; nothing when there is no configuration here. */
static int print_functions(void)
{
    struct config *config;
    struct config_error error;
    if (config_load("functions.toml", &config, &error) != 0)
        return STATUS_FAILED;
    for (size_t i = 0; i < config->function_count; i++)
        if (config->functions[i].enabled)
            puts(config->functions[i].name);
    config_free(config);
    return STATUS_DONE;
}

static int print_script(const struct completion_shell *shell)
{
    shell->begin();
    options_watch(shell->command);
    for (const struct command *const *command = commands; *command != NULL; command++) {
        char *arguments[] = { (char *)(*command)->name, NULL };
        (*command)->run(1, arguments);
    }
    options_watch(NULL);
    shell->end();
    return STATUS_DONE;
}

static int run(int argc, char **argv)
{
    const char *name = NULL;
    const struct cli_option options[] = {
        { NULL, "bash|zsh|fish", "whose script is printed", .text = &name },
        { 0 },
    };
    int status = options_read(&completion_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    if (name != NULL && strcmp(name, "functions") == 0)
        return print_functions();
    for (const struct completion_shell *shell = completion_shells; name != NULL && shell->name != NULL; shell++)
        if (strcmp(shell->name, name) == 0)
            return print_script(shell);
    return usage_error(&completion_command, "say for which shell: bash, zsh or fish");
}

const struct command completion_command = {
    .name = "completion",
    .summary = "Print a shell's completion script",
    .details =
        "It completes commands, options, their values, and the names of the functions in ./functions.toml.\n",
    .examples = "  source <(edge completion bash)\n"
                "  edge completion bash > /etc/bash_completion.d/edge\n"
                "  edge completion zsh > \"${fpath[1]}/_edge\"\n"
                "  edge completion fish > ~/.config/fish/completions/edge.fish\n",
    .run = run,
};
