/*
 * The newest lines of a host's log in shared memory, whatever has become of standard error: for `edge logs`.
 *
 * The supervisor makes the ring before it forks; every process of the host writes each of its lines to it, as
 * JSON, by one atomic addition and one copy: no system call, no lock, nobody is woken. A reader gets the
 * descriptor over the control socket, maps it read-only and looks by itself, so it costs the host nothing,
 * however slow it is. What it has not read when the ring comes round is lost to it, and it can tell.
 */
#ifndef HOST_LOG_RING_H
#define HOST_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes the ring of this process and its children. Its descriptor, or a negative errno: then there is none. */
int log_ring_open(void);

/* The descriptor, -1: there is none. */
int log_ring_fd(void);

/* Writes a line, of at most 4096 bytes. Without a ring it does nothing. */
void log_ring_put(const char *line, size_t length);

struct log_ring_reader {
    const struct log_ring *ring;
    uint64_t at;      /* the next cell to look at */
    uint64_t lost;    /* cells that were overwritten before they were read */
    bool in_step;     /* at is where a line begins, or will begin */
    int64_t stuck_us; /* since when the line at it is not finished; 0: it is not so */
};

/* Maps a ring for reading from its oldest line. 0 or a negative errno. */
int log_ring_attach(int fd, struct log_ring_reader *reader);
void log_ring_detach(struct log_ring_reader *reader);

/*
 * Copies the next line, without its line feed and with a NUL, into a buffer of at least 4097 bytes. False when
 * there is none yet.
 */
bool log_ring_next(struct log_ring_reader *reader, char *line);

#endif
