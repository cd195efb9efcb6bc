/*
 * edge docs: pages about the functions, from their descriptors and the configuration.
 */
#include "cli/catalogue.h"
#include "cli/command.h"
#include "cli/docs_markdown.h"
#include "cli/json_print.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a call of the command says. */
struct request {
    const char *directory, *function;
    bool openapi;
};

static bool write_index(const json_t *document, const struct request *request)
{
    char *text = docs_index_page(document, request->directory != NULL);
    bool written = catalogue_write(request->directory, "README.md", text);
    free(text);
    return written;
}

static bool write_page(const struct request *request, const char *name, const char *route, const json_t *item)
{
    char file[256], *text = docs_function_page(route, item);
    snprintf(file, sizeof file, "%s.md", name);
    bool written = (request->directory != NULL || request->function != NULL || printf("\n") > 0) &&
                   catalogue_write(request->directory, file, text);
    free(text);
    return written;
}

static int write_pages(const struct config *config, const json_t *document, const struct request *request)
{
    const char *route;
    json_t *item;
    bool found = request->function == NULL;
    if (found && !write_index(document, request))
        return STATUS_FAILED;
    json_object_foreach(json_object_get(document, "paths"), route, item)
    {
        const char *name = docs_function_name(item);
        if (request->function != NULL && strcmp(request->function, name) != 0)
            continue;
        found = true;
        if (!write_page(request, name, route, item))
            return STATUS_FAILED;
    }
    return found || function_named(config, request->function) ? STATUS_DONE : STATUS_FAILED;
}

static int write_openapi(const json_t *document, const struct request *request)
{
    char *text = json_text(document, true);
    bool written = catalogue_write(request->directory, "openapi.json", text);
    free(text);
    return written ? STATUS_DONE : STATUS_FAILED;
}

static int run(int argc, char **argv)
{
    struct request request = { 0 };
    const char *path = "functions.toml";
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { "output", "DIR", "a file a function there, instead of standard output", .text = &request.directory },
        { "openapi", NULL, "the OpenAPI 3.1 document instead of pages", .flag = &request.openapi },
        { NULL, "FUNCTION", "only this one", .text = &request.function },
        { 0 },
    };
    int status = options_read(&docs_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;

    struct config *config;
    if (!config_open(path, &config))
        return STATUS_FAILED;
    json_t *document = catalogue_read(config);
    status = document == NULL  ? STATUS_FAILED
             : request.openapi ? write_openapi(document, &request)
                               : write_pages(config, document, &request);
    json_decref(document);
    config_free(config);
    return status;
}

const struct command docs_command = {
    .name = "docs",
    .summary = "Write pages about the functions, or their OpenAPI document",
    .details =
        "From the plugins' files: input and answer tables, who may call, limits, errors. The host need not\n"
        "run; one that does has the same document at /_edge/openapi.json.\n",
    .examples = "  edge docs computePulse\n"
                "  edge docs --output site/functions\n"
                "  edge docs --openapi > openapi.json\n",
    .run = run,
};
