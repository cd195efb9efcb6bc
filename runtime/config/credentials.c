/*
 * credentials: files become variables; see credentials.h.
 */
#include "credentials.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CREDENTIAL_MAX = 64 * 1024
};

static bool is_variable(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t plain = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return name[0] != '\0' && name[plain] == '\0' && strchr(letters, name[0]) != NULL;
}

/* NULL, or what is wrong with it. */
static const char *credential_read(int directory, const char *name, char text[CREDENTIAL_MAX + 1])
{
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "re") : NULL;
    if (file == NULL)
        return strerror(errno);
    size_t length = fread(text, 1, CREDENTIAL_MAX + 1, file);
    const char *problem = ferror(file) ? strerror(errno) : NULL;
    fclose(file);
    if (problem != NULL)
        return problem;
    if (length > CREDENTIAL_MAX)
        return "it is longer than 64 KiB";
    text[length] = '\0';
    if (strlen(text) != length)
        return "it holds a zero byte";
    if (length > 0 && text[length - 1] == '\n')
        text[length - 1] = '\0';
    return NULL;
}

void credentials_apply(void)
{
    const char *path = getenv("CREDENTIALS_DIRECTORY");
    DIR *directory = path != NULL ? opendir(path) : NULL;
    char *text = directory != NULL ? malloc(CREDENTIAL_MAX + 1) : NULL;
    const struct dirent *entry;
    while (text != NULL && (entry = readdir(directory)) != NULL) {
        if (!is_variable(entry->d_name) || getenv(entry->d_name) != NULL)
            continue;
        const char *problem = credential_read(dirfd(directory), entry->d_name, text);
        if (problem != NULL)
            fprintf(stderr, "edge: the credential \"%s\" is left out: %s\n", entry->d_name, problem);
        else
            setenv(entry->d_name, text, 0);
    }
    if (text != NULL)
        explicit_bzero(text, CREDENTIAL_MAX + 1);
    free(text);
    if (directory != NULL)
        closedir(directory);
}
