/*
 * The completion scripts of bash, zsh and fish; see completion.h.
 */
#include "cli/completion.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool ends(const struct cli_option *option)
{
    return option->name == NULL && option->value == NULL;
}

/* Text within single quotes; the characters of `also` get a backslash. */
static void put_quoted(const char *text, const char *also)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(also, *text) != NULL)
            putchar('\\');
        putchar(*text);
    }
}

/* --- bash --- */

static void bash_begin(void)
{
    puts("# bash completion of edge; made by: edge completion bash\n"
         "_edge() {\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]}\n"
         "    COMPREPLY=()\n"
         "    if [ \"$COMP_CWORD\" -eq 1 ]; then");
    printf("        COMPREPLY=($(compgen -W '");
    for (const struct command *const *command = commands; *command != NULL; command++)
        printf("%s ", (*command)->name);
    puts("help --help --version' -- \"$cur\"))\n        return\n    fi\n    case $cmd in");
}

static void bash_candidates(enum candidates candidates, const char *words)
{
    static const char *const flags[] = { "", NULL, "-W \"$(edge completion functions 2>/dev/null)\"", "-f",
        "-d" };
    if (candidates == CANDIDATES_WORDS)
        printf("COMPREPLY=($(compgen -W '%s' -- \"$cur\"))", words);
    else if (candidates != CANDIDATES_NONE)
        printf("COMPREPLY=($(compgen %s -- \"$cur\"))", flags[candidates]);
    else
        printf(":");
}

static void bash_command(const struct command *command, const struct cli_option *options)
{
    char words[256];
    printf("    %s)\n        case $prev in\n", command->name);
    for (const struct cli_option *option = options; !ends(option); option++) {
        if (option->name == NULL || option->value == NULL)
            continue;
        printf("        --%s) ", option->name);
        bash_candidates(candidates_of(command, option, words), words);
        puts("; return ;;");
    }
    printf("        esac\n        if [[ $cur == -* ]]; then\n            COMPREPLY=($(compgen -W '");
    for (const struct cli_option *option = options; !ends(option); option++)
        if (option->name != NULL)
            printf("--%s ", option->name);
    puts("--help' -- \"$cur\"))\n            return\n        fi");
    for (const struct cli_option *option = options; !ends(option); option++) {
        if (option->name != NULL)
            continue;
        printf("        ");
        bash_candidates(candidates_of(command, option, words), words);
        putchar('\n');
    }
    puts("        ;;");
}

static void bash_end(void)
{
    puts("    esac\n}\ncomplete -o bashdefault -F _edge edge");
}

/* --- zsh --- */

static void zsh_begin(void)
{
    puts("#compdef edge\n# zsh completion of edge; made by: edge completion zsh\n"
         "_edge_functions() { local -a names; names=(${(f)\"$(edge completion functions 2>/dev/null)\"}); "
         "compadd -a names }\n"
         "_edge() {\n    local -a commands\n    commands=(");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        printf("        '%s:", (*command)->name);
        put_quoted((*command)->summary, ":");
        puts("'");
    }
    puts("    )\n    if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
         "    local command=$words[2]\n    shift words; (( CURRENT-- ))\n    case $command in");
}

static void zsh_action(enum candidates candidates, const char *words)
{
    static const char *const actions[] = { " ", NULL, "_edge_functions", "_files", "_files -/" };
    if (candidates == CANDIDATES_WORDS) {
        putchar('(');
        put_quoted(words, ":");
        putchar(')');
    } else {
        fputs(actions[candidates], stdout);
    }
}

static void zsh_command(const struct command *command, const struct cli_option *options)
{
    char words[256];
    printf("    %s) _arguments", command->name);
    for (const struct cli_option *option = options; !ends(option); option++) {
        enum candidates candidates = candidates_of(command, option, words);
        printf(" \\\n        '");
        if (option->name == NULL) {
            printf("*:operand:");
            zsh_action(candidates, words);
        } else {
            printf("%s--%s[", option->list != NULL ? "*" : "", option->name);
            put_quoted(option->help, "[]:");
            putchar(']');
            if (option->value != NULL) {
                printf(":value:");
                zsh_action(candidates, words);
            }
        }
        putchar('\'');
    }
    puts(" \\\n        '--help[this command explained]' ;;");
}

static void zsh_end(void)
{
    puts("    esac\n}\n_edge \"$@\"");
}

/* --- fish --- */

static void fish_begin(void)
{
    puts("# fish completion of edge; made by: edge completion fish\ncomplete -c edge -f");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        printf("complete -c edge -n __fish_use_subcommand -a %s -d '", (*command)->name);
        put_quoted((*command)->summary, "");
        puts("'");
    }
}

static void fish_candidates(enum candidates candidates, const char *words)
{
    if (candidates == CANDIDATES_WORDS)
        printf(" -x -a '%s'", words);
    else if (candidates == CANDIDATES_FUNCTIONS)
        printf(" -x -a '(edge completion functions 2>/dev/null)'");
    else if (candidates == CANDIDATES_DIRECTORIES)
        printf(" -x -a '(__fish_complete_directories)'");
    else if (candidates == CANDIDATES_FILES)
        printf(" -r -F");
    else
        printf(" -x");
}

static void fish_command(const struct command *command, const struct cli_option *options)
{
    char words[256];
    for (const struct cli_option *option = options; !ends(option); option++) {
        enum candidates candidates = candidates_of(command, option, words);
        if (option->name == NULL && candidates == CANDIDATES_NONE)
            continue;
        printf("complete -c edge -n '__fish_seen_subcommand_from %s'", command->name);
        if (option->name != NULL)
            printf(" -l %s", option->name);
        if (option->letter != '\0')
            printf(" -s %c", option->letter);
        if (option->value != NULL)
            fish_candidates(candidates, words);
        printf(" -d '");
        put_quoted(option->help, "");
        puts("'");
    }
}

static void fish_end(void)
{
}

const struct completion_shell completion_shells[] = {
    { "bash", bash_begin, bash_command, bash_end },
    { "zsh", zsh_begin, zsh_command, zsh_end },
    { "fish", fish_begin, fish_command, fish_end },
    { 0 },
};
