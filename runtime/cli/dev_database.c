/*
 * The database of `edge dev`; see dev_database.h.
 */
#include "cli/dev_database.h"

#include "cli/command.h"
#include "cli/environment_file.h"
#include "cli/migrate.h"
#include "config/config.h"
#include "config/interpolate.h"

#include <openssl/evp.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DIGEST_HEX = 64
};

static bool digest_file(EVP_MD_CTX *digest, const char *directory, const char *name)
{
    char path[PATH_MAX], block[8192];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    EVP_DigestUpdate(digest, name, strlen(name) + 1);
    size_t length;
    while ((length = fread(block, 1, sizeof block, file)) > 0)
        EVP_DigestUpdate(digest, block, length);
    bool complete = !ferror(file);
    fclose(file);
    return complete;
}

static int is_sql(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".sql") == 0;
}

/* Adds names and contents of a directory's .sql files. One that cannot be read is the migration's to complain
 * of. */
static bool digest_directory(EVP_MD_CTX *digest, const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_sql, alphasort);
    if (count < 0)
        return false;
    bool complete = true;
    for (int i = 0; i < count; i++) {
        complete = complete && digest_file(digest, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return complete;
}

/* A directory that need not be there: of a project without tables of its own, without demonstration data. */
static bool digest_optional(EVP_MD_CTX *digest, const char *directory)
{
    return directory == NULL || access(directory, F_OK) != 0 || digest_directory(digest, directory);
}

/* A text that changes with the migrations and the seed; false when they cannot be read. */
static bool files_digest(const struct database_config *config, char hex[DIGEST_HEX + 1])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool done = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
                digest_optional(digest, config->runtimes) && digest_optional(digest, config->migrations) &&
                digest_optional(digest, config->seed) && EVP_DigestFinal_ex(digest, bytes, NULL) == 1;
    EVP_MD_CTX_free(digest);
    for (int i = 0; done && i < DIGEST_HEX / 2; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return done;
}

/* Whether the digest noted beside the cluster, in its base directory, is this one. */
static bool noted(const char *path, const char *hex)
{
    char line[DIGEST_HEX + 1] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool equal = fgets(line, sizeof line, file) != NULL && strcmp(line, hex) == 0;
    fclose(file);
    return equal;
}

static void note(const char *path, const char *hex)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return;
    fprintf(file, "%s\n", hex);
    fclose(file);
}

static bool migrate(const char *url, const struct database_config *config, bool seed)
{
    const struct migrate_options options = { 0 };
    if (migrate_run(url, config->runtimes, config->migrations, &options) != 0)
        return false;
    /* A project need not have demonstration data. */
    return !seed || access(config->seed, F_OK) != 0 || seed_run(url, config->seed) == 0;
}

static bool embedded_start(
    struct dev_database *database, const struct config *config, struct environment_file *file)
{
    char hex[DIGEST_HEX + 1], path[PATH_MAX];
    if (!postgres_start(&database->postgres))
        return false;
    environment_file_set(file, "EDGE_DEV_DATABASE", "embedded");
    environment_file_set(file, "DATABASE_URL", database->postgres.url);
    environment_file_set(file, "DATABASE_MIGRATE_URL", database->postgres.owner_url);

    bool known = files_digest(&config->database, hex);
    postgres_home_path(&database->postgres.home, "migrated", path);
    if (known && noted(path, hex))
        return true;
    if (!migrate(database->postgres.owner_url, &config->database, true)) {
        failure("the migrations failed. To begin with an empty database instead, remove \"%s/data\"",
            database->postgres.home.base);
        return false;
    }
    if (known)
        note(path, hex);
    return true;
}

static bool own_start(const struct config *config, struct environment_file *file, bool seed)
{
    const struct database_config *database = &config->database;
    environment_file_set(file, "EDGE_DEV_DATABASE", "own");
    environment_file_set(file, "DATABASE_URL", database->url);
    environment_file_set(file, "DATABASE_MIGRATE_URL", database->migrate_url);
    return migrate(database->migrate_url, database, seed);
}

bool dev_database_start(
    struct dev_database *database, const struct config *config, struct environment_file *file, bool seed)
{
    return database->embedded ? embedded_start(database, config, file) : own_start(config, file, seed);
}

void dev_database_stop(struct dev_database *database)
{
    if (database->embedded)
        postgres_stop(&database->postgres);
}
