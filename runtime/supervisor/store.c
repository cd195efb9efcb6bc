/*
 * The private directory; see store.h.
 */
#include "supervisor/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PREFIX "edge-plugins-"

enum {
    LARGEST_FILE = 256 * 1024 * 1024,
    PIECE = 256 * 1024
};

/* --- the directory --- */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status, (void)type, (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Of a supervisor that is gone, or of this process before it was upgraded. */
static bool is_left_over(const char *name)
{
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    pid_t pid = (pid_t)strtol(name + sizeof PREFIX - 1, NULL, 10);
    return pid == getpid() || (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH);
}

static void clear_away(const char *parent)
{
    DIR *directory = opendir(parent);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char path[STORE_PATH_BYTES];
        struct stat status;
        if (!is_left_over(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid())
            remove_tree(path);
    }
    if (directory != NULL)
        closedir(directory);
}

static int open_under(struct store *store, const char *parent, struct store_error *error)
{
    struct statvfs system;
    int length =
        snprintf(store->directory, sizeof store->directory, "%s/" PREFIX "%d-XXXXXX", parent, (int)getpid());
    int result = length >= (int)sizeof store->directory - 80 ? -ENAMETOOLONG : 0;
    if (result == 0 && statvfs(parent, &system) < 0)
        result = -errno;
    if (result == 0 && (system.f_flag & ST_NOEXEC) != 0)
        result = -EACCES;
    if (result == 0) {
        clear_away(parent);
        result = mkdtemp(store->directory) != NULL ? 0 : -errno;
    }
    if (result < 0) {
        store->directory[0] = '\0';
        snprintf(error->text, sizeof error->text,
            "no private directory for plugins in \"%s\": %s. Name one in EDGE_STATE_DIR", parent,
            result == -EACCES ? "code may not be run from it" : strerror(-result));
    }
    return result;
}

int store_open(struct store *store, const char *spool, const char *plugins, struct store_error *error)
{
    const char *given = getenv("EDGE_STATE_DIR");
    if (given != NULL && given[0] != '\0')
        return open_under(store, given, error);
    int result = open_under(store, spool, error);
    if (result == 0)
        return 0;
    char parent[STORE_PATH_BYTES];
    struct store_error second;
    snprintf(parent, sizeof parent, "%s/..", plugins);
    return open_under(store, parent, &second) == 0 ? 0 : result;
}

void store_close(struct store *store)
{
    if (store->directory[0] != '\0')
        remove_tree(store->directory);
    store->directory[0] = '\0';
}

/* --- files --- */

static void print_hash(const unsigned char digest[32], char out[STORE_HASH_BYTES])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void store_hash(const void *data, size_t length, char out[STORE_HASH_BYTES])
{
    unsigned char digest[32];
    EVP_Digest(data, length, digest, NULL, EVP_sha256(), NULL);
    print_hash(digest, out);
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, data, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        data += done;
        length -= (size_t)done;
    }
    return 0;
}

/* Copies and hashes in one go: what was hashed is what lies there. */
static int copy(int from, int to, EVP_MD_CTX *hash)
{
    char *piece = malloc(PIECE);
    int64_t total = 0;
    ssize_t length = 0;
    int result = piece != NULL ? 0 : -ENOMEM;
    while (result == 0 && (length = read(from, piece, PIECE)) != 0) {
        if (length < 0 && errno == EINTR)
            continue;
        total += length;
        if (length < 0)
            result = -errno;
        else if (total > LARGEST_FILE)
            result = -EFBIG;
        else if (EVP_DigestUpdate(hash, piece, (size_t)length) != 1)
            result = -ENOMEM;
        else
            result = write_all(to, piece, (size_t)length);
    }
    free(piece);
    return result;
}

static int copy_file(const char *path, const char *to_path, char hash_text[STORE_HASH_BYTES])
{
    struct stat status;
    unsigned char digest[32];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    int to = -1, from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), result = from < 0 ? -errno : 0;
    if (result == 0 && (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1))
        result = -ENOMEM;
    if (result == 0 && (fstat(from, &status) < 0 || !S_ISREG(status.st_mode)))
        result = -EISDIR;
    if (result == 0 && (to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700)) < 0)
        result = -errno;
    if (result == 0)
        result = copy(from, to, hash);
    if (result == 0 && EVP_DigestFinal_ex(hash, digest, NULL) != 1)
        result = -ENOMEM;
    if (result == 0)
        print_hash(digest, hash_text);
    if (to >= 0 && close(to) < 0 && result == 0)
        result = -errno;
    if (from >= 0)
        close(from);
    EVP_MD_CTX_free(hash);
    return result;
}

/*
 * <directory>/<name>-<hash>.so: profilers and debuggers go by the file's name. No directory a build: making an
 * inode is what costs most on ext4, which looks past all that were removed within the last minutes.
 */
int store_add(
    struct store *store, const char *path, const char *name, struct build *build, struct store_error *error)
{
    char incoming[STORE_PATH_BYTES];
    *build = (struct build){ 0 };
    snprintf(incoming, sizeof incoming, "%s/incoming", store->directory);
    int result = copy_file(path, incoming, build->hash);
    if (result == 0) {
        snprintf(build->file, sizeof build->file, "%.300s/%.100s-%.*s.so", store->directory, name,
            STORE_NAME_HASH_LENGTH, build->hash);
        result = rename(incoming, build->file) == 0 ? 0 : -errno;
    }
    if (result < 0) {
        snprintf(error->text, sizeof error->text, "%s cannot be read or copied: %s", path,
            result == -EISDIR ? "no regular file" : strerror(-result));
        unlink(incoming);
        build->hash[0] = '\0';
    }
    return result;
}

int store_write(struct store *store, const char *name, const char *text, size_t length,
    char out[STORE_PATH_BYTES], struct store_error *error)
{
    snprintf(out, STORE_PATH_BYTES, "%s/%s", store->directory, name);
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), result = fd < 0 ? -errno : 0;
    if (result == 0)
        result = write_all(fd, text, length);
    if (fd >= 0 && close(fd) < 0 && result == 0)
        result = -errno;
    if (result < 0) {
        snprintf(error->text, sizeof error->text, "%s cannot be written: %s", out, strerror(-result));
        unlink(out);
    }
    return result;
}

void store_remove(const struct build *build)
{
    unlink(build->file);
}

void store_shown_name(const char *file, char *out, size_t size)
{
    const char *base = strrchr(file, '/'), *suffix = strstr(file, ".so");
    base = base != NULL ? base + 1 : file;
    const char *dash =
        suffix != NULL && suffix - base > STORE_NAME_HASH_LENGTH ? suffix - STORE_NAME_HASH_LENGTH - 1 : NULL;
    bool copied = dash != NULL && dash > base && *dash == '-' &&
                  strspn(dash + 1, "0123456789abcdef") == STORE_NAME_HASH_LENGTH;
    if (copied)
        snprintf(out, size, "%.*s%s", (int)(dash - base), base, suffix);
    else
        snprintf(out, size, "%s", base);
}
