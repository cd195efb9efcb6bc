/*
 * The embedded Postgres's cluster; see postgres_cluster.h.
 */
#include "cli/postgres_cluster.h"

#include "cli/command.h"
#include "cli/postgres_installed.h"
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    EMPTY_CLUSTER_MIB = 100, /* an empty cluster takes 40 MiB, and its write-ahead log grows from there */
    FULL_MIB = 4,
    INITDB_TIMEOUT_MS = 120000,
    STOP_TIMEOUT_MS = 10000,
    POLL_MS = 10,
    LOG_TAIL = 4096,
    LOG_LINES_SHOWN = 6,
};

static long long free_mib(const char *path)
{
    struct statvfs status;
    if (statvfs(path, &status) != 0)
        return 0;
    return (long long)(status.f_bavail * (unsigned long long)status.f_frsize >> 20);
}

/* The last bytes of the server's log. */
static void log_tail(const struct postgres_home *home, char text[LOG_TAIL + 1])
{
    char path[PATH_MAX];
    *text = '\0';
    FILE *log = fopen(postgres_home_path(home, "postgres.log", path), "re");
    if (log == NULL)
        return;
    fseek(log, 0, SEEK_END);
    long size = ftell(log);
    fseek(log, size > LOG_TAIL ? size - LOG_TAIL : 0, SEEK_SET);
    text[fread(text, 1, LOG_TAIL, log)] = '\0';
    fclose(log);
}

bool cluster_log_says(const struct postgres_home *home, const char *text)
{
    char tail[LOG_TAIL + 1];
    log_tail(home, tail);
    return strstr(tail, text) != NULL;
}

static void full_disk(const struct postgres_home *home, const char *what)
{
    failure("%s: the disk that holds \"%s\" is full (%lld MiB are free). Free at least %d MiB there and start "
            "again; "
            "what was stored is kept",
        what, home->base, free_mib(home->base), EMPTY_CLUSTER_MIB);
}

void cluster_explain(const struct postgres_home *home, const char *what)
{
    char tail[LOG_TAIL + 1];
    log_tail(home, tail);
    /* On a full disk the log itself may be cut off. */
    if (strstr(tail, "No space left on device") != NULL || free_mib(home->base) < FULL_MIB) {
        full_disk(home, what);
        return;
    }

    if (*tail == '\0') {
        failure("%s, and says nothing in its log", what);
        return;
    }
    failure("%s. Its log, %s/postgres.log, ends with:", what, home->base);
    char *start = tail + strlen(tail);
    for (int lines = 0; start > tail && lines <= LOG_LINES_SHOWN; start--)
        lines += start[-1] == '\n';
    fputs(start == tail ? tail : start + 1, stderr);
}

/* Major version of the cluster, 0 when there is none. */
static int cluster_version(const struct postgres_home *home)
{
    char path[PATH_MAX];
    int version = 0;
    FILE *file = fopen(postgres_home_path(home, "data/PG_VERSION", path), "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &version) != 1)
        version = 0;
    fclose(file);
    return version;
}

bool cluster_program(const struct postgres_home *home, char program[PATH_MAX])
{
    int wanted = cluster_version(home), best = postgres_installed(wanted, program);
    if (best == 0 && wanted == 0)
        failure("no PostgreSQL of version %d or newer is installed. Install it (on Debian: apt-get install "
                "postgresql), name the directory of its programs in EDGE_POSTGRES_BIN, or set DATABASE_URL to "
                "use a server of your own",
            POSTGRES_OLDEST);
    else if (best == 0)
        failure("the database in \"%s\" was made by PostgreSQL %d, which is not installed. Install "
                "postgresql-%d, or move the directory away to begin with an empty database",
            home->base, wanted, wanted);
    return best != 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *position)
{
    (void)status;
    (void)type;
    (void)position;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Drafts of clusters whose making was interrupted. */
static void remove_drafts(const struct postgres_home *home)
{
    char pattern[PATH_MAX];
    glob_t found;
    if (glob(postgres_home_path(home, "draft.*", pattern), GLOB_NOESCAPE, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            remove_tree(found.gl_pathv[i]);
    globfree(&found);
}

static bool initdb(const struct postgres_home *home, const char *program, const char *directory)
{
    char path[PATH_MAX], log[PATH_MAX];
    snprintf(path, sizeof path, "%.*sinitdb", (int)(strrchr(program, '/') + 1 - program), program);
    int output =
        open(postgres_home_path(home, "postgres.log", log), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char *const arguments[] = { path, "-D", (char *)directory, "-U", "postgres", "-E", "UTF8",
        "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", "--no-instructions", NULL };
    const struct process_start start = { arguments, home->user, .death_signal = SIGKILL, .own_session = true,
        .output = output, .error = output, .keep = -1 };

    pid_t pid = process_start(&start);
    int status = -1;
    if (pid > 0 && process_wait(pid, INITDB_TIMEOUT_MS, &status) != 0)
        kill(pid, SIGTERM);
    if (output >= 0)
        close(output);
    return status == 0;
}

bool cluster_make(const struct postgres_home *home, const char *program)
{
    /* A name of its own: the initdb of an edge dev that was killed may be at work in another draft still. */
    char data[PATH_MAX], draft[PATH_MAX], name[32];
    snprintf(name, sizeof name, "draft.%d", (int)getpid());
    postgres_home_path(home, "data", data);
    postgres_home_path(home, name, draft);
    if (access(data, F_OK) == 0)
        return true;
    if (free_mib(home->base) < EMPTY_CLUSTER_MIB) {
        full_disk(home, "cannot make a database");
        return false;
    }

    remove_drafts(home);
    if (!initdb(home, program, draft)) {
        cluster_explain(home, "initdb failed");
        remove_tree(draft);
        return false;
    }
    if (rename(draft, data) == 0)
        return true;
    failure("cannot rename \"%s\": %s", draft, strerror(errno));
    return false;
}

/* The process in the pid file when it is a server on this cluster (a server's directory is its cluster), else
 * 0. */
static pid_t server_find(const char *data, const char *pid_file)
{
    long pid = 0;
    FILE *file = fopen(pid_file, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    fclose(file);

    char link[64], directory[PATH_MAX];
    snprintf(link, sizeof link, "/proc/%ld/cwd", pid);
    ssize_t length = pid > 0 ? readlink(link, directory, sizeof directory - 1) : -1;
    if (length < 0)
        return 0;
    directory[length] = '\0';
    return strcmp(directory, data) == 0 ? (pid_t)pid : 0;
}

bool cluster_stop_orphan(const struct postgres_home *home)
{
    char data[PATH_MAX], pid_file[PATH_MAX];
    postgres_home_path(home, "data", data);
    postgres_home_path(home, "data/postmaster.pid", pid_file);
    pid_t pid = server_find(data, pid_file);
    if (pid != 0)
        kill(pid, SIGINT);

    int64_t end = process_clock_ms() + STOP_TIMEOUT_MS;
    for (; pid != 0 && process_clock_ms() < end; pid = server_find(data, pid_file))
        process_sleep_ms(POLL_MS);
    if (pid == 0) {
        /* What is left belongs to a killed server, and its number perhaps to another process by now. */
        unlink(pid_file);
        return true;
    }
    failure("Postgres (process %d) still runs on \"%s\" and does not stop", (int)pid, home->base);
    return false;
}
