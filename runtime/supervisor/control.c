/*
 * control: messages between the supervisor and a worker.
 */
#include "supervisor/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* On the wire; both ends are one binary, or its next version after an upgrade, which speaks no less. */
struct packet {
    char kind;
    uint64_t number;
    char text[1024];
};

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

int control_say(int fd, enum control kind, uint64_t number, const char *text)
{
    struct packet packet = { .kind = (char)kind, .number = number };
    size_t length = text != NULL ? strnlen(text, sizeof packet.text - 1) : 0;
    if (length > 0)
        memcpy(packet.text, text, length);
    size_t size = offsetof(struct packet, text) + length + 1;
    return send(fd, &packet, size, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

enum control control_hear(int fd, struct control_message *message)
{
    struct packet packet;
    memset(&packet, 0, sizeof packet);
    ssize_t length = recv(fd, &packet, sizeof packet - 1, 0);
    *message = (struct control_message){ .kind = CONTROL_CLOSED };
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        message->kind = CONTROL_NONE;
    if (length <= 0)
        return message->kind;
    message->kind = (enum control)packet.kind;
    if (length == 1)
        return message->kind;
    message->number = packet.number;
    packet.text[sizeof packet.text - 1] = '\0';
    memcpy(message->text, packet.text, sizeof message->text);
    return message->kind;
}

enum control control_receive(int fd)
{
    struct control_message message;
    return control_hear(fd, &message);
}
