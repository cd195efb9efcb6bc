/*
 * Files and directories of the directory back end; see tree.h.
 */
#include "storage/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MARK_LENGTH = 12,
    LENGTH_DIGITS = 8,
    TAIL_LENGTH = LENGTH_DIGITS + MARK_LENGTH, /* the footer's length in hexadecimal digits, the mark */
    FOOTER_MAX = TREE_ETAG_LENGTH + 1 + TREE_TYPE_MAX + 1 + TAIL_LENGTH,
    PENDING_SECONDS = 24 * 3600
};

static const char mark[MARK_LENGTH + 1] = "edge-object\n";

/* One step down; made when it is missing, and then on the disk with its parent. */
static int step(int parent, const char *name, bool make)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent, name, flags);
    if (fd >= 0 || errno != ENOENT || !make)
        return fd >= 0 ? fd : -errno;
    if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (fsync(parent) < 0)
        return -errno;
    fd = openat(parent, name, flags);
    return fd >= 0 ? fd : -errno;
}

int tree_directory(int root, const char *bucket, const char *path, bool make, const char **name)
{
    int fd = step(root, bucket, make);
    const char *slash = NULL;
    for (; fd >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        char segment[NAME_MAX + 1];
        size_t length = (size_t)(slash - path);
        int next = -ENAMETOOLONG;
        if (length < sizeof segment) {
            memcpy(segment, path, length);
            segment[length] = '\0';
            next = step(fd, segment, make);
        }
        close(fd);
        fd = next;
    }
    *name = path;
    return fd;
}

static bool file_name(const char *name, char out[NAME_MAX + 1])
{
    return snprintf(out, NAME_MAX + 1, "%s%s", name, TREE_SUFFIX) <= NAME_MAX;
}

static int read_exactly(int fd, void *out, size_t length, int64_t offset)
{
    ssize_t got = pread(fd, out, length, offset);
    if (got < 0)
        return -errno;
    return (size_t)got == length ? 0 : -EBADMSG;
}

/* footer: "<etag>\n<content type>\n" without its tail. */
static int take_footer(const char *footer, size_t length, struct tree_facts *facts)
{
    size_t type_length = length - TREE_ETAG_LENGTH - 2;
    if (footer[TREE_ETAG_LENGTH] != '\n' || footer[length - 1] != '\n')
        return -EBADMSG;
    memcpy(facts->etag, footer, TREE_ETAG_LENGTH);
    facts->etag[TREE_ETAG_LENGTH] = '\0';
    memcpy(facts->content_type, footer + TREE_ETAG_LENGTH + 1, type_length);
    facts->content_type[type_length] = '\0';
    return 0;
}

static int read_footer(int fd, struct tree_facts *facts)
{
    struct stat status;
    char tail[TAIL_LENGTH + 1] = { 0 }, footer[FOOTER_MAX];
    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || status.st_size < TAIL_LENGTH)
        return -EBADMSG;
    int result = read_exactly(fd, tail, TAIL_LENGTH, status.st_size - TAIL_LENGTH);
    if (result < 0)
        return result;

    if (memcmp(tail + LENGTH_DIGITS, mark, MARK_LENGTH) != 0 ||
        strspn(tail, "0123456789abcdef") < LENGTH_DIGITS)
        return -EBADMSG;
    tail[LENGTH_DIGITS] = '\0'; /* the mark begins with digits, too */
    unsigned long length = strtoul(tail, NULL, 16);
    if (length > FOOTER_MAX - TAIL_LENGTH || length < TREE_ETAG_LENGTH + 2 ||
        (int64_t)length > status.st_size - TAIL_LENGTH)
        return -EBADMSG;
    facts->size_bytes = status.st_size - TAIL_LENGTH - (int64_t)length;
    facts->modified_us = (int64_t)status.st_mtim.tv_sec * 1000000 + status.st_mtim.tv_nsec / 1000;
    result = read_exactly(fd, footer, length, facts->size_bytes);
    return result < 0 ? result : take_footer(footer, length, facts);
}

/* Non-blocking: what lies there could be a pipe that nobody writes to. */
int tree_open_in(int directory, const char *name, struct tree_facts *facts)
{
    char file[NAME_MAX + 1];
    if (!file_name(name, file))
        return -ENAMETOOLONG;
    int fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ELOOP ? -EBADMSG : -errno;
    int result = read_footer(fd, facts);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

/* A link, or a file, where a directory should be: there is no object behind it. */
static int absent(int result)
{
    return result == -ENOTDIR || result == -ELOOP ? -ENOENT : result;
}

int tree_open(int root, const char *bucket, const char *path, struct tree_facts *facts)
{
    const char *name = NULL;
    int directory = tree_directory(root, bucket, path, false, &name);
    if (directory < 0)
        return absent(directory);
    int fd = tree_open_in(directory, name, facts);
    close(directory);
    return fd;
}

int tree_write(int fd, const void *data, size_t length)
{
    const char *at = data;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno != EINTR)
            return -errno;
        if (written > 0) {
            at += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

int tree_write_footer(int fd, const struct tree_facts *facts)
{
    char footer[FOOTER_MAX + 1];
    size_t length = TREE_ETAG_LENGTH + 1 + strlen(facts->content_type) + 1;
    int size =
        snprintf(footer, sizeof footer, "%s\n%s\n%08zx%s", facts->etag, facts->content_type, length, mark);
    return tree_write(fd, footer, (size_t)size);
}

int tree_place(int root, const char *pending, const char *bucket, const char *path, bool if_absent)
{
    const char *name = NULL;
    char from[NAME_MAX + 1], to[NAME_MAX + 1];
    snprintf(from, sizeof from, "%s/%s", TREE_PENDING, pending);
    int directory = tree_directory(root, bucket, path, true, &name);
    if (directory < 0)
        return directory;
    int result = file_name(name, to) ? 0 : -ENAMETOOLONG;
    if (result == 0 && renameat2(root, from, directory, to, if_absent ? RENAME_NOREPLACE : 0) < 0)
        result = -errno;
    if (result == 0 && fsync(directory) < 0)
        result = -errno;
    close(directory);
    return result;
}

int tree_remove(int root, const char *bucket, const char *path)
{
    const char *name = NULL;
    char file[NAME_MAX + 1];
    int directory = absent(tree_directory(root, bucket, path, false, &name));
    if (directory < 0)
        return directory == -ENOENT ? 0 : directory;
    int result = file_name(name, file) ? 0 : -ENAMETOOLONG;
    if (result == 0 && unlinkat(directory, file, 0) < 0)
        result = errno == ENOENT ? 0 : -errno;
    if (result == 0 && fsync(directory) < 0)
        result = -errno;
    close(directory);
    return result;
}

/* A host that was killed while it wrote leaves files there; those of living hosts are younger. */
static void remove_old(int fd)
{
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return;
    }
    const struct dirent *entry = NULL;
    struct stat status;
    while ((entry = readdir(directory)) != NULL)
        if (fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
            status.st_mtime < time(NULL) - PENDING_SECONDS)
            unlinkat(fd, entry->d_name, 0);
    closedir(directory);
}

/* The directory and those above it; the operator's own path, so links in it are followed. */
static int make_directories(const char *directory)
{
    char path[PATH_MAX];
    if (directory[0] == '\0' || strlen(directory) >= sizeof path)
        return -ENAMETOOLONG;
    snprintf(path, sizeof path, "%s", directory);
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return -errno;
        *at = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int tree_open_root(const char *directory)
{
    int result = make_directories(directory);
    if (result < 0)
        return result;
    int root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    int pending = step(root, TREE_PENDING, true);
    if (pending >= 0 && faccessat(root, TREE_PENDING, W_OK | X_OK, AT_EACCESS) < 0) {
        int error = errno;
        close(pending);
        pending = -error;
    }
    if (pending < 0) {
        close(root);
        return pending;
    }
    remove_old(pending);
    return root;
}
