/*
 * edge types: a typed client of the functions, for programs that use supabase-js.
 */
#include "cli/catalogue.h"
#include "cli/command.h"
#include "cli/typescript.h"
#include "config/config.h"

#include <stdlib.h>

static int run(int argc, char **argv)
{
    const char *path = "functions.toml";
    bool typescript = false;
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { "typescript", NULL, "the language: the one there is", .flag = &typescript },
        { 0 },
    };
    int status = options_read(&types_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    if (!typescript)
        return usage_error(&types_command, "which language? edge types --typescript");

    struct config *config;
    if (!config_open(path, &config))
        return STATUS_FAILED;
    json_t *document = catalogue_read(config);
    char *text = document != NULL ? typescript_text(document) : NULL;
    status = text != NULL && catalogue_write(NULL, NULL, text) ? STATUS_DONE : STATUS_FAILED;
    free(text);
    json_decref(document);
    config_free(config);
    return status;
}

const struct command types_command = {
    .name = "types",
    .summary = "Write a typed client of the functions",
    .details =
        "Requests and answers are made from the functions' input and output tables. It calls through the\n"
        "client of supabase-js that it is given, so tokens and addresses are that client's:\n"
        "\n"
        "  import { createClient } from '@supabase/supabase-js';\n"
        "  import { typed } from './functions';\n"
        "  const { invoke } = typed(createClient(url, key).functions);\n"
        "  const { data, error } = await invoke('computePulse', { forceRecompute: true });\n",
    .examples = "  edge types --typescript > src/functions.ts\n",
    .run = run,
};
