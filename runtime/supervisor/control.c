/*
 * control: one-byte messages between the supervisor and a worker.
 */
#include "supervisor/control.h"

#include <errno.h>
#include <sys/socket.h>

int control_open(int *supervisor_fd, int *worker_fd)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;

    *supervisor_fd = ends[0];
    *worker_fd = ends[1];
    return 0;
}

int control_send(int fd, enum control message)
{
    char byte = (char)message;
    return send(fd, &byte, 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

enum control control_receive(int fd)
{
    char byte;
    ssize_t length = recv(fd, &byte, 1, 0);
    if (length == 1)
        return (enum control)byte;
    return length < 0 && (errno == EAGAIN || errno == EINTR) ? CONTROL_NONE : CONTROL_CLOSED;
}
