/*
 * Child processes of `edge dev`: started so that they end with it, however it ends.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_start {
    char *const *arguments; /* the first one is the program's path */
    const char *user;       /* run as this user; NULL: as we are */
    int death_signal;       /* what the child gets when we die, 0: nothing */
    bool own_session;       /* out of reach of the terminal's Ctrl-C */
    int output, error;      /* descriptors for standard output and error, -1: ours */
    int keep;               /* one more descriptor that the child inherits, -1: none */
};

/* The child's pid or a negative errno. A program that cannot be started exits with 127. */
pid_t process_start(const struct process_start *start);

/* Waits for a child; 0 and its wait status, or -ETIMEDOUT. */
int process_wait(pid_t pid, int64_t timeout_ms, int *status);

/* Milliseconds on the monotonic clock, and a pause. */
int64_t process_clock_ms(void);
void process_sleep_ms(int64_t milliseconds);

#endif
