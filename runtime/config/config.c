/*
 * Loading of functions.toml; see config.h for the result, schema.c for the keys, loader.h for the steps.
 */
#include "config.h"

#include "development.h"
#include "loader.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tells the runtime's migrations from a project's. */
#define FIRST_MIGRATION "0001_roles_and_claims.sql"

enum {
    MEMORY_MAX = 64 * 1024 * 1024,
    FILE_MAX = 4 * 1024 * 1024
};

/* What config_load hands out is the first member. */
struct config_tree {
    struct config config;
    struct arena arena;
};

__attribute__((format(printf, 3, 4))) static int fail(
    struct config_error *error, int result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return result;
}

/* Keys of the root, in no section's table. */
static void root_check(struct loader *loader)
{
    static const char *const known[] = { "server", "database", "auth", "providers", "defaults", "functions",
        NULL };
    const char *key;
    json_t *value;
    json_object_foreach(loader->document.root, key, value)
    {
        const char *const *name = known;
        while (*name != NULL && strcmp(*name, key) != 0)
            name++;
        if (*name == NULL)
            loader_report_unknown(loader, loader_path(loader, "", key), key, known, "known section");
    }
}

static void sections_load(struct loader *loader)
{
    for (const struct section *section = sections; section->name != NULL; section++) {
        void *base = (char *)loader->config + section->offset;
        settings_fill(loader, section->settings, base);
        const json_t *said = json_object_get(loader->document.root, section->name);
        if (said != NULL)
            settings_apply(loader, section->settings, 0, said, section->name, base);
    }

    const struct server_config *server = &loader->config->server;
    if ((server->tls_cert == NULL) != (server->tls_key == NULL))
        loader_report(loader, server->tls_cert == NULL ? "server.tls_key" : "server.tls_cert",
            "needs the other one of tls_cert and tls_key");
}

static void document_load(struct loader *loader)
{
    root_check(loader);
    sections_load(loader);
    loader_providers(loader);
    loader_functions(loader);
    loader_environment(loader);

    struct database_config *database = &loader->config->database;
    if (database->migrate_url == NULL)
        database->migrate_url = database->url;
}

/* The directory of a file as an absolute path, without following links: that is how its author sees it. */
static const char *directory_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    if (*path == '/')
        return memory_copy_bytes(arena, path, length);

    char *here = getcwd(NULL, 0);
    const char *directory =
        memory_format(arena, "%s%s%.*s", here == NULL ? "" : here, length == 0 ? "" : "/", (int)length, path);
    free(here);
    return directory;
}

int config_parse(
    const char *path, const char *text, size_t length, struct config **config, struct config_error *error)
{
    *error = (struct config_error){ 0 };
    struct config_tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL)
        return fail(error, -ENOMEM, "%s: out of memory", path);
    arena_init(&tree->arena, MEMORY_MAX);

    struct loader loader = { .arena = &tree->arena, .config = &tree->config, .error = error };
    loader.path = tree->config.path = memory_copy(loader.arena, path);
    loader.directory = directory_of(loader.arena, path);

    struct toml_error failure;
    int result = toml_parse(text, length, &loader.document, &failure);
    if (result == 0) {
        document_load(&loader);
        toml_free(&loader.document);
        result = loader.error_line == 0 ? 0 : -EINVAL;
    } else {
        fail(error, result, "%s:%d:%d: %s", path, failure.line, failure.column, failure.text);
    }

    *config = &tree->config;
    if (result != 0) {
        config_free(*config);
        *config = NULL;
    }
    return result;
}

/* The whole file; *text is the caller's to free. */
static int file_read(const char *path, char **text, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;

    int result = 0;
    ssize_t got = 0;
    *length = 0;
    *text = malloc(FILE_MAX);
    if (*text == NULL)
        result = -ENOMEM;
    while (result == 0 && *length < FILE_MAX && (got = read(fd, *text + *length, FILE_MAX - *length)) > 0)
        *length += (size_t)got;
    if (got < 0)
        result = -errno;
    else if (*length == FILE_MAX)
        result = -EFBIG;
    close(fd);
    return result;
}

/* The development issuer takes the place of any other: its key, its name, no key server. */
static int development_apply(struct config *config, struct config_error *error)
{
    struct config_tree *tree = (struct config_tree *)config;
    struct auth_config *auth = &config->auth;
    if (auth->development_key == NULL)
        return 0;

    EVP_PKEY *key = NULL;
    int result = development_key_open(auth->development_key, &key);
    char *pem = result == 0 ? development_key_public(key) : NULL;
    EVP_PKEY_free(key);
    if (pem == NULL)
        return fail(error, result == 0 ? -ENOMEM : result,
            "%s: auth.development_key: \"%s\" can be neither read nor made: %s", config->path,
            auth->development_key, strerror(-result));

    auth->jwt_key = memory_copy(&tree->arena, pem);
    auth->issuer = DEVELOPMENT_ISSUER;
    auth->jwks_url = NULL;
    free(pem);
    return 0;
}

/*
 * A project has only migrations of its own, if any. Those of the runtime, which make the roles that a host
 * works with, come before them: of its installation, or of the tree that it was built in. NULL for a directory
 * that has them itself, as the runtime's tree has, and for a program that stands alone.
 */
static const char *runtimes_migrations(struct config *config)
{
    static const char *const places[] = { "share/edge/sql/migrations", "sql/migrations", NULL };
    struct config_tree *tree = (struct config_tree *)config;
    char prefix[PATH_MAX], path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/" FIRST_MIGRATION, config->database.migrations);
    if (access(path, F_OK) == 0)
        return NULL;
    ssize_t length = readlink("/proc/self/exe", prefix, sizeof prefix - 1);
    prefix[length < 0 ? 0 : length] = '\0';
    for (int i = 0; i < 2 && strrchr(prefix, '/') != NULL; i++)
        *strrchr(prefix, '/') = '\0';
    for (const char *const *place = places; *place != NULL; place++) {
        snprintf(path, sizeof path, "%s/%s/" FIRST_MIGRATION, prefix, *place);
        if (access(path, F_OK) != 0)
            continue;
        *strrchr(path, '/') = '\0';
        return memory_copy(&tree->arena, path);
    }
    return NULL;
}

int config_load(const char *path, struct config **config, struct config_error *error)
{
    return config_load_copy(path, path, config, error);
}

int config_load_copy(const char *path, const char *copy, struct config **config, struct config_error *error)
{
    char *text = NULL;
    size_t length = 0;
    *config = NULL;
    int result = file_read(copy, &text, &length);
    if (result != 0)
        fail(error, result, "%s: cannot be read: %s", copy, strerror(-result));
    else
        result = config_parse(path, text, length, config, error);
    free(text);

    if (result == 0)
        (*config)->database.runtimes = runtimes_migrations(*config);
    if (result == 0 && (result = development_apply(*config, error)) != 0) {
        config_free(*config);
        *config = NULL;
    }
    return result;
}

void config_free(struct config *config)
{
    struct config_tree *tree = (struct config_tree *)config;
    if (tree == NULL)
        return;
    arena_free(&tree->arena);
    free(tree);
}

const struct function_config *config_function(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->function_count; i++)
        if (strcmp(config->functions[i].name, name) == 0)
            return &config->functions[i];
    return NULL;
}
