/*
 * Words between the supervisor and one worker, over a SOCK_SEQPACKET pair: one byte a message, and for those
 * about revisions (worker/revision.h) a number and a text behind it.
 */
#ifndef SUPERVISOR_CONTROL_H
#define SUPERVISOR_CONTROL_H

#include <stdint.h>

enum control {
    CONTROL_NONE = 0,
    CONTROL_CLOSED = -1,
    CONTROL_READY = 'r',    /* worker: revision number is loaded */
    CONTROL_GO = 'g',       /* supervisor: accept */
    CONTROL_RETIRING = 't', /* worker: I finish what I have and go; start another */
    CONTROL_DRAIN = 'd',    /* supervisor: stop accepting, finish, exit 0 */
    CONTROL_LEAVE = 'l',    /* the same, when others go on: idle connections have a moment for a last request */
    CONTROL_PREPARE = 'p',  /* supervisor: load revision number, text is its manifest */
    CONTROL_PREPARED = 'y', /* worker: I have */
    CONTROL_REFUSED = 'n',  /* worker: I could not, text says why */
    CONTROL_FOLLOW = 'f',   /* supervisor: serve revision number from now on */
    CONTROL_ABANDON = 'x',  /* supervisor: forget what you prepared */
};

struct control_message {
    enum control kind;
    uint64_t number;
    char text[1024];
};

/* Two connected ends, non-blocking and close-on-exec. 0 or a negative errno. */
int control_open(int *supervisor_fd, int *worker_fd);

/* Async-signal-safe. 0 or a negative errno; a full queue is -EAGAIN. */
int control_send(int fd, enum control message);

/* The same with number and text, which may be NULL. Not async-signal-safe. */
int control_say(int fd, enum control kind, uint64_t number, const char *text);

/* The next message, CONTROL_NONE when there is none, CONTROL_CLOSED when the other end has gone. */
enum control control_receive(int fd);
enum control control_hear(int fd, struct control_message *message);

#endif
