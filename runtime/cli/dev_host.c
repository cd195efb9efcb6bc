/*
 * The host below `edge dev`; see dev_host.h.
 */
#include "cli/dev_host.h"

#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOCK_TIMEOUT_MS = 15000,
    POLL_MS = 50,
    START_TIMEOUT_MS = 30000,
    STOP_TIMEOUT_MS = 15000
};

/* The process that wrote the lock's file, 0 when it has ended. */
static pid_t lock_owner(int lock)
{
    char text[32];
    ssize_t length = pread(lock, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    pid_t pid = (pid_t)atoi(text);
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) ? pid : 0;
}

/* A lock without a living owner is held by a host whose `edge dev` was killed: it is about to end. */
static bool lock_take(struct dev_host *host, const char *config_path)
{
    char *path = development_path(config_path, "dev/lock");
    host->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (host->lock < 0)
        failure("cannot open \"%s\": %s", path, strerror(errno));
    free(path);
    if (host->lock < 0)
        return false;

    int64_t end = process_clock_ms() + LOCK_TIMEOUT_MS;
    while (flock(host->lock, LOCK_EX | LOCK_NB) != 0) {
        pid_t owner = lock_owner(host->lock);
        if (owner != 0 || process_clock_ms() > end) {
            failure("edge dev already runs in this directory (process %d)", (int)owner);
            return false;
        }
        process_sleep_ms(POLL_MS);
    }
    if (ftruncate(host->lock, 0) == 0)
        dprintf(host->lock, "%d\n", (int)getpid());
    return true;
}

/* Splits "[::1]:8000" or "127.0.0.1:8000"; an empty host means all addresses. */
static bool listen_split(const char *listen, char node[128], char port[8])
{
    const char *colon = strrchr(listen, ':');
    if (strncmp(listen, "unix:", 5) == 0 || colon == NULL || strlen(colon + 1) >= 8 || colon - listen >= 128)
        return false;
    bool bracketed = *listen == '[';
    snprintf(node, 128, "%.*s", (int)(colon - listen) - 2 * bracketed, listen + bracketed);
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return true;
}

/* Binds a socket to the address and lets go of it again: 0 and the port it got, or a negative errno. */
static int address_try(const char *node, const char *port, int *bound)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *address = NULL;
    if (getaddrinfo(*node == '\0' ? NULL : node, port, &hints, &address) != 0)
        return -EADDRNOTAVAIL;

    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    int result = bind(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : -errno;
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    char text[8] = "";
    if (result == 0 && getsockname(fd, (struct sockaddr *)&name, &length) == 0)
        getnameinfo((struct sockaddr *)&name, length, NULL, 0, text, sizeof text, NI_NUMERICSERV);
    *bound = atoi(text);
    close(fd);
    freeaddrinfo(address);
    return result;
}

static bool address_find(struct dev_host *host, const char *listen)
{
    char node[128], port[8];
    int bound = 0;
    if (!listen_split(listen, node, port)) {
        failure("edge dev listens on a TCP address, not on \"%s\". Choose one with --listen 127.0.0.1:8000",
            listen);
        return false;
    }
    int result = address_try(node, port, &bound);
    if (result != 0) {
        failure("cannot listen on %s: %s. Choose another address: edge dev --listen 127.0.0.1:0", listen,
            strerror(-result));
        return false;
    }

    bool six = strchr(node, ':') != NULL;
    bool everywhere = *node == '\0' || strcmp(node, "0.0.0.0") == 0 || strcmp(node, "::") == 0;
    snprintf(host->listen, sizeof host->listen, six ? "[%s]:%d" : "%s:%d", node, bound);
    if (everywhere)
        snprintf(host->origin, sizeof host->origin, "http://127.0.0.1:%d", bound);
    else
        snprintf(host->origin, sizeof host->origin, "http://%s", host->listen);
    return true;
}

bool dev_host_prepare(struct dev_host *host, const char *config_path, const char *listen)
{
    return lock_take(host, config_path) && address_find(host, listen);
}

/* The host prints a line when every worker accepts. False when it ended before, or took too long. */
static bool host_wait(struct dev_host *host)
{
    struct pollfd output = { .fd = host->output, .events = POLLIN };
    char line[256];
    int ready;
    do
        ready = poll(&output, 1, START_TIMEOUT_MS);
    while (ready < 0 && errno == EINTR);
    if (ready > 0 && read(host->output, line, sizeof line) > 0)
        return true;
    failure(ready == 0 ? "the host does not get ready" : "the host did not start");
    return false;
}

bool dev_host_start(struct dev_host *host, const char *config_path, const char *workers)
{
    int ends[2], log[2] = { -1, -1 };
    if (pipe2(ends, O_CLOEXEC) != 0 || (host->takes_log && pipe2(log, O_CLOEXEC) != 0))
        return failure("cannot make a pipe: %s", strerror(errno)), false;
    host->log = log[0];
    if (host->log >= 0)
        fcntl(host->log, F_SETFL, O_NONBLOCK);

    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *const arguments[] = { program, "serve", "--config", (char *)config_path, "--listen", host->listen,
        "--workers", (char *)workers, NULL };
    const struct process_start start = { arguments, .death_signal = SIGTERM, .own_session = host->apart,
        .output = ends[1], .error = log[1], .keep = host->lock };
    pid_t pid = process_start(&start);
    close(ends[1]);
    if (log[1] >= 0)
        close(log[1]);
    host->output = ends[0];
    host->pid = pid > 0 ? pid : 0;
    if (pid < 0)
        return failure("cannot start the host: %s", strerror(-pid)), false;
    return host_wait(host);
}

void dev_host_stop(struct dev_host *host)
{
    int status;
    if (host->pid <= 0)
        return;
    kill(host->pid, SIGTERM);
    if (process_wait(host->pid, STOP_TIMEOUT_MS, &status) != 0) {
        kill(host->pid, SIGKILL);
        process_wait(host->pid, STOP_TIMEOUT_MS, &status);
    }
    host->pid = 0;
}
