/*
 * A directory of SQL files; see migrate_files.h.
 */
#include "cli/migrate_files.h"

#include <openssl/evp.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_sql(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL && strcmp(dot, ".sql") == 0;
}

static int read_stream(FILE *stream, struct sql_file *file)
{
    size_t length = 0, size = 0;
    for (;;) {
        if (length + 1 >= size) {
            size = size == 0 ? 16 * 1024 : size * 2;
            char *grown = realloc(file->text, size);
            if (grown == NULL)
                return -ENOMEM;
            file->text = grown;
        }
        size_t count = fread(file->text + length, 1, size - length - 1, stream);
        length += count;
        if (count == 0)
            break;
    }
    file->text[length] = '\0';
    if (ferror(stream))
        return -EIO;
    /* What follows a NUL byte would silently not be run. */
    return strlen(file->text) == length ? 0 : -EILSEQ;
}

static int read_text(struct sql_file *file)
{
    FILE *stream = fopen(file->path, "re");
    int error = stream != NULL ? read_stream(stream, file) : -errno;
    if (stream != NULL)
        fclose(stream);
    if (error < 0)
        fprintf(stderr, "%s: %s\n", file->path, error == -EILSEQ ? "contains a NUL byte" : strerror(-error));
    return error;
}

static int take_checksum(struct sql_file *file)
{
    unsigned char digest[32];
    if (!EVP_Digest(file->text, strlen(file->text), digest, NULL, EVP_sha256(), NULL))
        return -ENOMEM;
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(file->checksum + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

/* Splits NNNN_name.sql. */
static int take_version(struct sql_file *file, const char *entry)
{
    size_t digits = 0;
    while (isdigit((unsigned char)entry[digits]))
        digits++;
    size_t length = strlen(entry) - strlen(".sql");
    if (digits != 4 || entry[4] != '_' || length < 6) {
        fprintf(stderr, "%s: the name of a migration is NNNN_name.sql, as 0042_goals.sql\n", file->path);
        return -EINVAL;
    }
    memcpy(file->version, entry, digits);
    file->name = strndup(entry + 5, length - 5);
    return file->name != NULL ? 0 : -ENOMEM;
}

static int read_file(const char *directory, const char *entry, bool numbered, struct sql_file *file)
{
    if (asprintf(&file->path, "%s/%s", directory, entry) < 0) {
        file->path = NULL;
        return -ENOMEM;
    }
    int error = 0;
    if (numbered)
        error = take_version(file, entry);
    else if ((file->name = strdup(entry)) == NULL)
        error = -ENOMEM;
    if (error == 0)
        error = read_text(file);
    return error == 0 ? take_checksum(file) : error;
}

static int check_numbers(const struct sql_files *files)
{
    for (size_t i = 1; i < files->count; i++) {
        const struct sql_file *before = &files->items[i - 1], *file = &files->items[i];
        if (strcmp(before->version, file->version) != 0)
            continue;
        fprintf(stderr, "%s: has the number of %s; give it the next free one\n", file->path, before->path);
        return -EEXIST;
    }
    return 0;
}

static int add_directory(const char *directory, bool numbered, struct sql_files *files)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_sql, alphasort), error = 0;
    if (count < 0) {
        error = -errno;
        fprintf(stderr, "%s: %s\n", directory, strerror(-error));
        return error;
    }
    struct sql_file *grown = calloc(files->count + (size_t)count + 1, sizeof *grown);
    if (grown == NULL)
        error = -ENOMEM;
    else if (files->count > 0)
        memcpy(grown, files->items, files->count * sizeof *grown);
    if (grown != NULL) {
        free(files->items);
        files->items = grown;
    }
    for (int i = 0; i < count; i++) {
        if (error == 0)
            error = read_file(directory, entries[i]->d_name, numbered, &files->items[files->count++]);
        free(entries[i]);
    }
    free(entries);
    return error;
}

int sql_files_read(const char *directory, struct sql_files *files)
{
    *files = (struct sql_files){ 0 };
    return add_directory(directory, false, files);
}

static int check_own_numbers(const struct sql_files *files, size_t first)
{
    for (size_t i = first; i < files->count; i++) {
        const struct sql_file *file = &files->items[i];
        if (!version_is_runtimes(file->version))
            continue;
        fprintf(stderr, "%s: numbers below 1000 are for the runtime's own migrations; begin with 1000_%s.sql\n",
            file->path, file->name);
        return -EINVAL;
    }
    return 0;
}

int migrations_read(const char *runtimes, const char *directory, struct sql_files *files)
{
    *files = (struct sql_files){ 0 };
    int error = runtimes != NULL ? add_directory(runtimes, true, files) : 0;
    size_t first = files->count;
    /* A project that has no tables yet has no directory. */
    if (error == 0 && (runtimes == NULL || access(directory, F_OK) == 0))
        error = add_directory(directory, true, files);
    if (error == 0 && runtimes != NULL)
        error = check_own_numbers(files, first);
    return error == 0 ? check_numbers(files) : error;
}

void sql_files_free(struct sql_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].text);
        free(files->items[i].name);
    }
    free(files->items);
    *files = (struct sql_files){ 0 };
}
