/*
 * edge new: a function that compiles and passes its test, in the project at hand or in a new one.
 */
#include "cli/command.h"
#include "cli/new_entry.h"
#include "cli/new_files.h"
#include "cli/new_name.h"
#include "cli/new_text.h"
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a call of the command says. */
struct request {
    const char *name, *auth, *schedule, *directory, *config;
    bool stream, ws;
};

/* Where it goes. */
struct place {
    char root[PATH_MAX], config[PATH_MAX + 16];
    bool exists; /* there is a functions.toml */
    bool tree;   /* the runtime's own tree, not a project that stands on an installed one */
};

static const struct kind {
    const char *name, *source, *test;
} kinds[] = {
    { "call", template_call_c, template_call_mjs },
    { "stream", template_stream_c, template_stream_mjs },
    { "ws", template_ws_c, template_ws_mjs },
    { "webhook", template_webhook_c, template_webhook_mjs },
};

static bool is_webhook(const struct request *request)
{
    return strncmp(request->auth, "webhook:", 8) == 0;
}

static const struct kind *kind_of(const struct request *request)
{
    return &kinds[is_webhook(request) ? 3 : request->ws ? 2 : request->stream ? 1 : 0];
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

/* How a test gets somebody who may call; NULL: everybody may. */
static const char *caller_of(const char *auth)
{
    if (strcmp(auth, "admin") == 0)
        return "admin()";
    if (strcmp(auth, "service") == 0)
        return "service()";
    return strcmp(auth, "user") == 0 || strcmp(auth, "user_or_service") == 0 ? "user()" : NULL;
}

/* Who sends events that are signed by a scheme, in the words of `edge sandbox send`. */
static const char *provider_of(const char *auth)
{
    return strcmp(auth, "webhook:svix") == 0 ? "clerk" : strchr(auth, ':') != NULL ? strchr(auth, ':') + 1 : "";
}

static bool exists(const char *directory, const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

/* Hidden entries do not count: a new repository has one. */
static bool is_empty(const char *directory)
{
    DIR *entries = opendir(directory);
    bool empty = true;
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        empty = empty && entry->d_name[0] == '.';
    if (entries != NULL)
        closedir(entries);
    return empty;
}

/* The directory of --config, else the nearest one upwards with a functions.toml, else this one. */
static bool place_find(struct place *place, const char *config)
{
    char *copy = config != NULL ? realpath(config, NULL) : getcwd(NULL, 0);
    if (copy == NULL)
        return failure("%s: %s", config != NULL ? config : ".", strerror(errno)) == STATUS_DONE;
    snprintf(place->root, sizeof place->root, "%s", copy);
    char *slash = strrchr(copy, '/');
    if (config != NULL)
        place->root[slash == copy ? 1 : slash - copy] = '\0';
    for (char *at = copy;
         config == NULL && !exists(copy, "functions.toml") && (at = strrchr(copy, '/')) != NULL;)
        *at = '\0';
    if (config == NULL && *copy != '\0')
        snprintf(place->root, sizeof place->root, "%s", copy);
    place->exists = config != NULL || *copy != '\0';
    snprintf(place->config, sizeof place->config, "%s/%s", place->root,
        config != NULL ? slash + 1 : "functions.toml");
    free(copy);

    place->tree = exists(place->root, "sdk/template/entry.toml");
    if (!place->exists && !is_empty(place->root))
        return failure(
                   "there is no functions.toml here or above, and the directory is not empty. A new project "
                   "begins in an empty one") == STATUS_DONE;
    return true;
}

/* Names and routes that are taken; says so. */
static bool name_is_free(const struct place *place, const char *name)
{
    struct config *config;
    if (!place->exists)
        return true;
    if (!config_open(place->config, &config))
        return false;
    bool is_free = true;
    for (size_t i = 0; i < config->function_count; i++)
        if (strcasecmp(config->functions[i].name, name) == 0)
            is_free = failure("%s:%d: there is a function \"%s\" already", place->config,
                          config->functions[i].line, config->functions[i].name) == STATUS_DONE;
    config_free(config);
    return is_free;
}

static void add_project(struct new_files *files, const struct new_value *values)
{
    new_files_add(files, new_text(template_cmake, values), "CMakeLists.txt");
    new_files_add(files, new_text(template_toml, values), "functions.toml");
    new_files_add(files, new_text(template_gitignore, values), ".gitignore");
    new_files_add(files, new_text(template_readme, values), "README.md");
}

static void add_function(struct new_files *files, const struct place *place, const struct request *request,
    const struct new_value *values)
{
    const struct kind *kind = kind_of(request);
    new_files_add(files, new_text(kind->source, values), "%s/%s.c", request->directory, request->name);
    if (place->tree) {
        new_files_add(
            files, new_text(kind->test, values), "tests/%s/%s.test.mjs", request->directory, request->name);
        return;
    }
    new_files_add(files, new_text(kind->test, values), "tests/%s.test.mjs", request->name);
    if (!exists(place->root, "tests/support.mjs"))
        new_files_add(files, new_text(template_support, values), "tests/support.mjs");
}

/* The section goes into the file that is there, or that has just been written. */
static bool add_entry(const struct place *place, const struct request *request, const struct new_value *values)
{
    enum {
        FILE_BYTES_MAX = 1 << 20
    };
    char *text = calloc(1, FILE_BYTES_MAX + 1);
    FILE *file = fopen(place->config, "re");
    if (text == NULL)
        abort();
    size_t length = file != NULL ? fread(text, 1, FILE_BYTES_MAX, file) : 0;
    bool stored = file != NULL && length < FILE_BYTES_MAX;
    if (!stored)
        failure("\"%s\" cannot be read", place->config);
    if (file != NULL)
        fclose(file);
    if (stored) {
        const char *slash = strrchr(request->directory, '/');
        char *section = new_text(template_entry, values);
        char *whole = entry_insert(text, slash == NULL ? NULL : slash + 1, section);
        stored = entry_store(place->config, whole);
        free(whole);
        free(section);
    }
    free(text);
    return stored;
}

static void print_done(const struct new_files *files, const struct place *place, const struct request *request)
{
    char here[PATH_MAX];
    bool elsewhere = getcwd(here, sizeof here) == NULL || strcmp(here, place->root) != 0;
    for (int i = 0; i < files->count; i++)
        printf("%s%s%s\n", elsewhere ? place->root : "", elsewhere ? "/" : "", files->items[i].path);
    printf("%s: [functions.%s]\n\n", place->config, request->name);
    printf("edge test %s runs its test; edge dev serves it, edge invoke %s calls it.\n", request->name,
        request->name);
}

static int make(const struct place *place, const struct request *request)
{
    char secret[128], project[128];
    new_name_secret(request->name, secret, sizeof secret);
    new_name_project(place->root, project, sizeof project);
    const char *caller = caller_of(request->auth);
    static const char *const persons[] = { "user", "admin", NULL };
    static const char *const either[] = { "optional", "user_or_service", NULL };
    bool is_signed = is_one_of(request->auth, persons), perhaps = is_one_of(request->auth, either);
    const struct new_value values[] = {
        { "NAME", request->name },
        { "AUTH", request->auth },
        { "CALLER", caller },
        { "SECRET", secret },
        { "PROVIDER", provider_of(request->auth) },
        { "SCHEDULE", request->schedule },
        { "PROJECT", project },
        { "VERSION", EDGE_VERSION },
        { "SUPPORT", place->tree ? "../../support/serve.mjs" : "./support.mjs" },
        { "private", caller },
        { "signed", is_signed ? "" : NULL },
        { "perhaps", perhaps ? "" : NULL },
        { "nobody", is_signed || perhaps ? NULL : "" },
        { "webhook", is_webhook(request) ? "" : NULL },
        { "schedule", request->schedule },
        { NULL, NULL },
    };
    struct new_files files = { .root = place->root };
    if (!place->exists)
        add_project(&files, values);
    add_function(&files, place, request, values);
    bool made = new_files_write(&files);
    if (made && !add_entry(place, request, values)) {
        new_files_undo(&files);
        made = false;
    }
    if (made)
        print_done(&files, place, request);
    new_files_free(&files);
    return made ? STATUS_DONE : STATUS_FAILED;
}

static int request_check(struct request *request)
{
    static const char *const modes[] = { "user", "public", "optional", "admin", "service", "user_or_service",
        "webhook:svix", "webhook:elevenlabs", "webhook:shopify", "webhook:gohighlevel", NULL };
    if (request->name == NULL)
        return usage_error(&new_command, "say how the function is called: edge new remindClient");
    const char *problem = new_name_problem(request->name);
    if (problem != NULL)
        return usage_error(&new_command, "\"%s\" %s", request->name, problem);
    if (request->auth == NULL)
        request->auth = request->schedule != NULL ? "service" : "user";
    if (!is_one_of(request->auth, modes))
        return usage_error(&new_command,
            "--auth is \"%s\", not user, public, optional, admin, service, user_or_service or webhook:<scheme> "
            "(svix, elevenlabs, shopify, gohighlevel)",
            request->auth);
    if (request->stream + request->ws + is_webhook(request) > 1)
        return usage_error(&new_command, "a function streams, speaks WebSocket or takes a webhook: choose one");
    if (request->schedule != NULL && (request->ws || is_webhook(request)))
        return usage_error(&new_command, "a schedule has no client to speak to: leave --schedule out");
    return OPTIONS_READ;
}

/* Below functions/, so that the build finds it; in the runtime's tree one of the groups that are there. */
static int directory_check(struct request *request, const struct place *place)
{
    if (request->directory == NULL)
        request->directory = place->tree ? "functions/data" : "functions";
    bool below = strncmp(request->directory, "functions/", 10) == 0 && request->directory[10] != '\0';
    bool plain = strstr(request->directory, "..") == NULL && strpbrk(request->directory, " \"\\") == NULL &&
                 request->directory[strlen(request->directory) - 1] != '/';
    if (!plain || (!below && (place->tree || strcmp(request->directory, "functions") != 0)))
        return usage_error(
            &new_command, "--dir is \"%s\", not a directory as functions/data", request->directory);
    if (place->tree && !exists(place->root, request->directory))
        return usage_error(&new_command, "there is no \"%s\" in this tree", request->directory);
    return OPTIONS_READ;
}

static int run(int argc, char **argv)
{
    struct request request = { 0 };
    const struct cli_option options[] = {
        { NULL, "NAME", "the function: a C identifier, as remindClient", .text = &request.name },
        { "auth", "MODE", "user (default), public, optional, admin, service, user_or_service, webhook:svix …",
            .text = &request.auth },
        { "schedule", "CRON", "when it is called by itself: \"0 6 * * *\"; auth is service then",
            .text = &request.schedule },
        { "stream", NULL, "answers in server-sent events", .flag = &request.stream },
        { "ws", NULL, "speaks for a WebSocket session", .flag = &request.ws },
        { "dir", "DIR", "where its file goes (functions; in the runtime's tree functions/data)",
            .text = &request.directory },
        { "config", "FILE", "the configuration (functions.toml here, or in a directory above)",
            .text = &request.config },
        { 0 },
    };
    struct place place = { 0 };
    int status = options_read(&new_command, options, argc, argv);
    if (status == OPTIONS_READ)
        status = request_check(&request);
    if (status != OPTIONS_READ)
        return status;
    if (!place_find(&place, request.config) || !name_is_free(&place, request.name))
        return STATUS_FAILED;
    status = directory_check(&request, &place);
    return status == OPTIONS_READ ? make(&place, &request) : status;
}

const struct command new_command = {
    .name = "new",
    .summary = "Write a new function, its test and its section of functions.toml",
    .details =
        "It compiles as it is and passes its test. In an empty directory a project is made as well: a\n"
        "CMakeLists.txt that finds this installation, functions.toml, .gitignore and README.md. Nothing that\n"
        "is there is overwritten.\n",
    .examples = "  edge new remindClient\n"
                "  edge new clientEvents --auth webhook:svix\n"
                "  edge new nightlyReport --schedule '0 6 * * *' --dir functions/reports\n"
                "  edge new tellStory --stream --auth public\n",
    .run = run,
};
