/*
 * listen: opens the socket that all workers inherit.
 */
#include "supervisor/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 4096 /* connections the kernel queues while workers restart; capped by somaxconn */
#define UNIX_PREFIX "unix:"

/* What the operator can do about a failed bind. */
static const char *advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "Stop the process that has it, or choose another with --listen or [server] listen";
    case EACCES:
        return "Ports below 1024 need CAP_NET_BIND_SERVICE, a socket file needs a writable directory; or "
               "choose another with --listen or [server] listen";
    case EADDRNOTAVAIL:
        return "No interface of this machine has that address; [server] listen = \":8000\" takes them all";
    default:
        return "Check [server] listen";
    }
}

static int refuse(struct listen_error *error, const char *address, int number)
{
    snprintf(error->text, sizeof(error->text), "cannot listen on \"%s\": %s. %s", address, strerror(number),
        advice(number));
    return -number;
}

static int refuse_form(struct listen_error *error, const char *address)
{
    snprintf(error->text, sizeof(error->text),
        "\"%s\" is no address to listen on. Write \"127.0.0.1:8000\", \"[::1]:8000\", \":8000\" or "
        "\"unix:/path\"",
        address);
    return -EINVAL;
}

static void name_tcp(int fd, char *out, size_t size)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
    getsockname(fd, (struct sockaddr *)&bound, &length);
    getnameinfo((struct sockaddr *)&bound, length, host, sizeof(host), port, sizeof(port),
        NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(out, size, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* Accepted sockets inherit TCP_NODELAY, which saves workers a call a connection. */
static int bind_tcp(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;

    const int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (info->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
        int status = -errno;
        close(fd);
        return status;
    }
    return fd;
}

/* Splits host:port; an empty host is every interface, IPv6 in brackets. False when it is neither. */
static bool split(const char *address, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        atol(colon + 1) > 65535)
        return false;

    bool bracketed = address[0] == '[' && colon > address + 1 && colon[-1] == ']';
    const char *start = bracketed ? address + 1 : address;
    size_t length = (size_t)(colon - start) - (bracketed ? 1 : 0);
    if (length >= size || (!bracketed && memchr(start, ':', length) != NULL))
        return false;

    memcpy(host, start, length);
    host[length] = '\0';
    *port = colon + 1;
    return true;
}

static int listen_tcp(const char *address, struct listener *listener, struct listen_error *error)
{
    char host[256];
    const char *port;
    if (!split(address, host, sizeof(host), &port))
        return refuse_form(error, address);

    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *infos;
    /* Every interface: the IPv6 wildcard takes IPv4 too, where the machine has IPv6 at all. */
    int status = getaddrinfo(host[0] == '\0' ? "::" : host, port, &hints, &infos);
    if (status != 0) {
        snprintf(error->text, sizeof(error->text), "cannot listen on \"%s\": %s. Check [server] listen",
            address, gai_strerror(status));
        return -EINVAL;
    }

    int fd = bind_tcp(infos);
    freeaddrinfo(infos);
    if (fd == -EAFNOSUPPORT && host[0] == '\0') {
        char any[16];
        snprintf(any, sizeof(any), "0.0.0.0:%s", port);
        return listen_tcp(any, listener, error);
    }
    if (fd < 0)
        return refuse(error, address, -fd);

    listener->fd = fd;
    name_tcp(fd, listener->address, sizeof(listener->address));
    return 0;
}

/* A socket file that nobody listens on was left by a killed process: it is in the way. */
static void remove_stale(const struct sockaddr_un *name)
{
    struct stat info;
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return;
    if (lstat(name->sun_path, &info) == 0 && S_ISSOCK(info.st_mode) &&
        connect(probe, (const struct sockaddr *)name, sizeof(*name)) < 0 && errno == ECONNREFUSED)
        unlink(name->sun_path);
    close(probe);
}

static int listen_unix(const char *address, struct listener *listener, struct listen_error *error)
{
    const char *path = address + strlen(UNIX_PREFIX);
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    if (path[0] == '\0')
        return refuse_form(error, address);
    if (strlen(path) >= sizeof(name.sun_path))
        return refuse(error, address, ENAMETOOLONG);
    memcpy(name.sun_path, path, strlen(path) + 1);
    remove_stale(&name);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse(error, address, errno);
    if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
        int number = errno;
        close(fd);
        return refuse(error, address, number);
    }

    listener->fd = fd;
    snprintf(listener->address, sizeof(listener->address), "%s", address);
    return 0;
}

int listen_open(const char *address, struct listener *listener, struct listen_error *error)
{
    if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        return listen_unix(address, listener, error);
    return listen_tcp(address, listener, error);
}

/* --- of a service manager --- */

/* Holds over an upgrade too, which keeps the environment and the process id. */
static bool is_activated(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    return pid != NULL && count != NULL && atol(pid) == (long)getpid() && atol(count) > 0;
}

static void name_unix(int fd, char *out, size_t size)
{
    struct sockaddr_un bound = { 0 };
    socklen_t length = sizeof bound;
    getsockname(fd, (struct sockaddr *)&bound, &length);
    snprintf(out, size, UNIX_PREFIX "%.*s", (int)sizeof bound.sun_path, bound.sun_path);
}

bool listen_inherit(struct listener *listener, struct listen_error *error)
{
    enum {
        FIRST = 3 /* SD_LISTEN_FDS_START */
    };
    struct sockaddr_storage bound = { 0 };
    socklen_t bound_length = sizeof bound, size = sizeof(int);
    int accepts = 0;
    error->text[0] = '\0';
    if (!is_activated())
        return false;
    if (getsockopt(FIRST, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) < 0 || accepts == 0) {
        snprintf(error->text, sizeof(error->text),
            "LISTEN_FDS hands over no listening stream socket. The socket unit needs ListenStream= and "
            "Accept=no");
        return false;
    }
    fcntl(FIRST, F_SETFD, FD_CLOEXEC);
    fcntl(FIRST, F_SETFL, fcntl(FIRST, F_GETFL) | O_NONBLOCK);
    listener->fd = FIRST;
    getsockname(FIRST, (struct sockaddr *)&bound, &bound_length);
    if (bound.ss_family == AF_UNIX) {
        name_unix(FIRST, listener->address, sizeof(listener->address));
        return true;
    }
    setsockopt(FIRST, IPPROTO_TCP, TCP_NODELAY, &(const int){ 1 }, sizeof(int));
    name_tcp(FIRST, listener->address, sizeof(listener->address));
    return true;
}

void listen_close(struct listener *listener)
{
    if (listener->fd < 0)
        return;
    close(listener->fd);
    listener->fd = -1;
    if (strncmp(listener->address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0 && !is_activated())
        unlink(listener->address + strlen(UNIX_PREFIX));
}
