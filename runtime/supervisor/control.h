/*
 * Words between the supervisor and one worker, over a SOCK_SEQPACKET pair: one byte a message.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

enum control {
    CONTROL_NONE = 0,
    CONTROL_CLOSED = -1,
    CONTROL_READY = 'r',    /* worker: I accept */
    CONTROL_RETIRING = 't', /* worker: I finish what I have and go; start another */
    CONTROL_DRAIN = 'd',    /* supervisor: stop accepting, finish, exit 0 */
};

/* Two connected ends, non-blocking and close-on-exec. 0 or a negative errno. */
int control_open(int *supervisor_fd, int *worker_fd);

/* Async-signal-safe. 0 or a negative errno; a full queue is -EAGAIN. */
int control_send(int fd, enum control message);

/* The next message, CONTROL_NONE when there is none, CONTROL_CLOSED when the other end has gone. */
enum control control_receive(int fd);

#endif
