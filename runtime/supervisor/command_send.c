/*
 * command: where the socket is, and the command line's end of it; see command.h.
 */
#include "supervisor/command.h"

#include "supervisor/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ANSWER_MAX = 4 * 1024 * 1024
};

void command_path(const char *config_path, char *out, size_t size)
{
    const char *given = getenv("EDGE_CONTROL"), *runtime = getenv("XDG_RUNTIME_DIR");
    char *real = realpath(config_path, NULL), hash[STORE_HASH_BYTES];
    const char *path = real != NULL ? real : config_path;
    store_hash(path, strlen(path), hash);
    if (given != NULL && given[0] != '\0')
        snprintf(out, size, "%s", given);
    else
        snprintf(out, size, "%s/edge-%u-%.16s.sock", runtime != NULL && runtime[0] == '/' ? runtime : "/tmp",
            (unsigned)geteuid(), hash);
    free(real);
}

/* Code is replaced by who listens there: it has to be this user's host, or root's. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct ucred peer;
    socklen_t size = sizeof peer;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result = fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? -errno : fd;
    if (result >= 0 &&
        (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || (peer.uid != 0 && peer.uid != geteuid())))
        result = -EPERM;
    if (result < 0 && fd >= 0)
        close(fd);
    return result;
}

static int send_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t done = send(fd, text, length, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        text += done;
        length -= (size_t)done;
    }
    return 0;
}

static json_t *read_answer(int fd)
{
    char *text = malloc(ANSWER_MAX);
    size_t length = 0;
    ssize_t got = 0;
    while (text != NULL && length < ANSWER_MAX && (got = recv(fd, text + length, ANSWER_MAX - length, 0)) > 0)
        length += (size_t)got;
    json_t *answer = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
    free(text);
    return answer;
}

/* The host's socket; -1 and *problem: nobody is there. */
static int connect_host(const char *config_path, char *problem, size_t size)
{
    char path[108];
    command_path(config_path, path, sizeof path);
    int fd = connect_to(path);
    if (fd == -ENOENT || fd == -ECONNREFUSED)
        snprintf(problem, size, "no host serves \"%s\" (nobody listens at %s)", config_path, path);
    else if (fd < 0)
        snprintf(problem, size, "the host of \"%s\" cannot be spoken to at %s: %s", config_path, path,
            strerror(-fd));
    return fd < 0 ? -1 : fd;
}

/* The descriptor that comes with an answer, -1: none does. */
static int receive_descriptor(int fd)
{
    char text[256];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec part = { text, sizeof text };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes
    };
    int received = -1;
    if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0)
        return -1;
    const struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(&received, CMSG_DATA(rights), sizeof received);
    return received;
}

int command_log(const char *config_path, char *problem, size_t size)
{
    static const char command[] = "{\"command\":\"log\"}\n";
    int fd = connect_host(config_path, problem, size), log = -1;
    if (fd < 0)
        return -1;
    if (send_all(fd, command, sizeof command - 1) == 0)
        log = receive_descriptor(fd);
    close(fd);
    if (log < 0)
        snprintf(problem, size, "the host has no log to give: it is of an older version, or is ending");
    return log;
}

json_t *command_send(const char *config_path, const json_t *command, char *problem, size_t size)
{
    int fd = connect_host(config_path, problem, size);
    if (fd < 0)
        return NULL;
    char *text = json_dumps(command, JSON_COMPACT);
    json_t *answer = NULL;
    if (text != NULL && send_all(fd, text, strlen(text)) == 0 && send_all(fd, "\n", 1) == 0)
        answer = read_answer(fd);
    free(text);
    close(fd);
    if (answer == NULL)
        snprintf(problem, size, "the host ended before it answered; its log says why");
    return answer;
}
