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

/* --- bash, which takes "--option=value" for three words --- */

static void bash_begin(void)
{
    puts("# bash completion of edge; made by: edge completion bash\n"
         "_edge() {\n"
         "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]}\n"
         "    COMPREPLY=()\n"
         "    [ \"$cur\" = = ] && cur='' || { [ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD-2]}; }\n"
         "    if [[ $cur == @* ]]; then COMPREPLY=($(compgen -P @ -f -- \"${cur#@}\")); return; fi\n"
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
    if (candidates == CANDIDATES_WORDS || candidates == CANDIDATES_WORDS_OR_FILES)
        printf(
            "COMPREPLY=($(compgen%s -W '%s' -- \"$cur\"))", candidates == CANDIDATES_WORDS ? "" : " -f", words);
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
         "_edge() {\n    if compset -P @; then _files; return; fi\n    local -a commands\n    commands=(");
    for (const struct command *const *command = commands; *command != NULL; command++) {
        printf("        '%s:", (*command)->name);
        put_quoted((*command)->summary, ":");
        puts("'");
    }
    puts("        'help:List the commands'\n"
         "    )\n    if (( CURRENT == 2 )) && [[ $words[2] == -* ]]; then compadd -- --help --version; return; "
         "fi\n"
         "    if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
         "    local command=$words[2]\n    shift words; (( CURRENT-- ))\n    case $command in");
}

static void zsh_action(enum candidates candidates, const char *words)
{
    static const char *const actions[] = { " ", NULL, "_edge_functions", "_files", "_files -/" };
    if (candidates == CANDIDATES_WORDS) {
        putchar('(');
        put_quoted(words, ":");
        putchar(')');
    } else if (candidates == CANDIDATES_WORDS_OR_FILES) {
        printf("{compadd %s; _files}", words);
    } else {
        fputs(actions[candidates], stdout);
    }
}

/* Within quotes: "--option=[help]:value:action"; "=" allows a blank as well. */
static void zsh_option(const struct cli_option *option, enum candidates candidates, const char *words)
{
    if (option->letter != '\0') {
        printf("-%c[", option->letter);
        put_quoted(option->help, "[]:");
        printf("]' \\\n        '");
    }
    printf("%s--%s%s[", option->list != NULL ? "*" : "", option->name, option->value != NULL ? "=" : "");
    put_quoted(option->help, "[]:");
    putchar(']');
    if (option->value != NULL) {
        printf(":value:");
        zsh_action(candidates, words);
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
            zsh_option(option, candidates, words);
        }
        putchar('\'');
    }
    puts(" \\\n        '--help[this command explained]' ;;");
}

static void zsh_end(void)
{
    /* As a file of fpath it is the body of a call, by "source" it is not. */
    puts("    esac\n}\nif [[ $funcstack[1] == _edge ]]; then _edge \"$@\"; else compdef _edge edge; fi");
}

/* --- fish --- */

static void fish_begin(void)
{
    /* __fish_seen_subcommand_from would take a function's name for a command. */
    puts("# fish completion of edge; made by: edge completion fish\n"
         "function __edge_runs\n"
         "    set -l words (commandline -opc)\n"
         "    test (count $words) -ge 2; and test $words[2] = $argv[1]\n"
         "end\n"
         "function __edge_at_files\n"
         "    set -l word (commandline -ct)\n"
         "    if string match -q '@*' -- $word\n"
         "        for file in (__fish_complete_path (string sub -s 2 -- $word))\n"
         "            echo @$file\n"
         "        end\n"
         "    end\n"
         "end\n"
         "complete -c edge -f\n"
         "complete -c edge -n 'not __fish_use_subcommand' -a '(__edge_at_files)'\n"
         "complete -c edge -n __fish_use_subcommand -a help -d 'List the commands'\n"
         "complete -c edge -n __fish_use_subcommand -l help -d 'List the commands'\n"
         "complete -c edge -n __fish_use_subcommand -l version -d 'Which one this is'");
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
    else if (candidates == CANDIDATES_WORDS_OR_FILES)
        printf(" -r -F -a '%s'", words);
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
        printf("complete -c edge -n '__edge_runs %s'", command->name);
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
    printf("complete -c edge -n '__edge_runs %s' -l help -d 'this command explained'\n", command->name);
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
