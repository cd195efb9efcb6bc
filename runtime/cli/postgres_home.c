/*
 * The directories of the embedded Postgres; see postgres_home.h.
 */
#include "cli/postgres_home.h"

#include "cli/command.h"
#include "cli/process.h"

#include <openssl/evp.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED_PARENT "/var/lib/pulse-edge-dev"
#define OWN_USER "pulse-edge-dev"
#define SOCKET_NAME "/.s.PGSQL.5432"
enum {
    SOCKET_PATH_MAX = 107,
    USERADD_TIMEOUT_MS = 30000
};

const char *postgres_home_path(const struct postgres_home *home, const char *name, char buffer[PATH_MAX])
{
    if (snprintf(buffer, PATH_MAX, "%s/%s", home->base, name) >= PATH_MAX)
        abort();
    return buffer;
}

/* Twelve hexadecimal digits that stand for a path. */
static void path_hash(const char *path, char hash[13])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_Digest(path, strlen(path), digest, NULL, EVP_sha256(), NULL);
    for (int i = 0; i < 6; i++)
        snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}

static bool user_make(void)
{
    char *const arguments[] = { "/usr/sbin/useradd", "--system", "--no-create-home", "--home-dir",
        SHARED_PARENT, "--shell", "/usr/sbin/nologin", OWN_USER, NULL };
    const struct process_start start = { arguments, .output = -1, .error = -1, .keep = -1 };
    pid_t pid = process_start(&start);
    int status = -1;
    return pid > 0 && process_wait(pid, USERADD_TIMEOUT_MS, &status) == 0 && status == 0;
}

/* The unprivileged user that is to run Postgres for root: Debian's, else one of our own. */
static const struct passwd *user_choose(void)
{
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL || user->pw_uid == 0)
        user = getpwnam(OWN_USER);
    if (user == NULL && user_make())
        user = getpwnam(OWN_USER);
    if (user == NULL)
        failure("Postgres does not run as root, and the user \"%s\" could not be made. Run edge dev as another "
                "user",
            OWN_USER);
    return user;
}

static bool directory_make(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return true;
    failure("cannot make \"%s\": %s", path, strerror(errno));
    return false;
}

/* Makes the directory that the link at path points to, or will point to. */
static bool shared_make(const char *link, const char *target)
{
    const struct passwd *user = user_choose();
    if (user == NULL || !directory_make(SHARED_PARENT, 0755))
        return false;
    if (access(target, F_OK) == 0)
        fprintf(stderr, "edge: taking up the database in %s again\n", target);
    if (!directory_make(target, 0700))
        return false;
    unlink(link);
    if (chown(target, user->pw_uid, user->pw_gid) == 0 && chmod(target, 0700) == 0 &&
        symlink(target, link) == 0)
        return true;
    failure("cannot set up \"%s\": %s", target, strerror(errno));
    return false;
}

/* Finds out who owns the base directory, and with that who runs Postgres. */
static bool owner_find(struct postgres_home *home)
{
    struct stat status;
    if (stat(home->base, &status) != 0 || !S_ISDIR(status.st_mode)) {
        failure("\"%s\" is no directory. Move it away", home->base);
        return false;
    }
    if (status.st_uid == geteuid() && geteuid() != 0)
        return true;

    const struct passwd *owner = geteuid() == 0 && status.st_uid != 0 ? getpwuid(status.st_uid) : NULL;
    if (owner == NULL) {
        failure("the database in \"%s\" belongs to user %u, who cannot run it for us. Start edge dev as that "
                "user, or "
                "move the directory away to begin with an empty database",
            home->base, (unsigned)status.st_uid);
        return false;
    }
    snprintf(home->user_name, sizeof home->user_name, "%s", owner->pw_name);
    home->user = home->user_name;
    return true;
}

static bool base_open(struct postgres_home *home, const char *edge_directory)
{
    char link[PATH_MAX], hash[13], target[sizeof SHARED_PARENT + sizeof hash];
    struct stat status;
    if (snprintf(link, sizeof link, "%s/postgres", edge_directory) >= (int)sizeof link)
        return failure("the path \"%s\" is too long", edge_directory), false;

    /* A link whose directory is gone counts as absent. */
    bool absent = stat(link, &status) != 0;
    path_hash(edge_directory, hash);
    snprintf(target, sizeof target, "%s/%s", SHARED_PARENT, hash);
    if (absent && !(geteuid() == 0 ? shared_make(link, target) : directory_make(link, 0700)))
        return false;
    if (realpath(link, home->base) == NULL)
        return failure("cannot resolve \"%s\": %s", link, strerror(errno)), false;
    return owner_find(home);
}

/* Whether a socket may lie in a directory: short enough, and nothing that needs quoting in a URL or a setting.
 */
static bool socket_fits(const char *directory)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    return strlen(directory) + strlen(SOCKET_NAME) <= SOCKET_PATH_MAX &&
           directory[strspn(directory, plain)] == '\0';
}

/* A directory of ours in a place that others can write to: it must be ours alone, not merely there. */
static bool private_make(const char *path)
{
    struct stat status;
    if (!directory_make(path, 0700))
        return false;
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
        (status.st_mode & 077) == 0)
        return true;
    failure("\"%s\" is not a directory of this user alone. Remove it", path);
    return false;
}

static bool run_open(struct postgres_home *home)
{
    postgres_home_path(home, "run", home->run);
    if (socket_fits(home->run)) {
        const struct passwd *user = home->user == NULL ? NULL : getpwnam(home->user);
        return directory_make(home->run, 0700) &&
               (user == NULL || chown(home->run, user->pw_uid, user->pw_gid) == 0);
    }

    char hash[13];
    path_hash(home->base, hash);
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime != NULL && *runtime == '/')
        snprintf(home->run, sizeof home->run, "%s/pulse-edge-%s", runtime, hash);
    if (!socket_fits(home->run))
        snprintf(home->run, sizeof home->run, "/tmp/pulse-edge-%u-%s", (unsigned)geteuid(), hash);
    return private_make(home->run);
}

static bool lock_take(struct postgres_home *home)
{
    char path[PATH_MAX];
    home->lock = open(postgres_home_path(home, "lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (home->lock >= 0 && flock(home->lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    failure("the database in \"%s\" is in use by another edge dev: %s", home->base, strerror(errno));
    return false;
}

bool postgres_home_open(struct postgres_home *home, const char *edge_directory)
{
    *home = (struct postgres_home){ 0 };
    return base_open(home, edge_directory) && lock_take(home) && run_open(home);
}
