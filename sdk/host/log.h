/*
 * The log from the host's side: one line an event, JSON, or readable text on a terminal.
 *
 * Lines are collected until log_flush, which warnings and errors call themselves.
 */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include <edge/log.h>

enum log_format {
    LOG_JSON,
    LOG_TEXT
};

void log_open(int fd, enum log_format format, edge_log_level lowest);
void log_flush(void);

/* Bytes that wait for log_flush. */
size_t log_waiting(void);

/*
 * Memory in which a process's lines wait, shared with those that are forked later: a parent writes what a child
 * that was killed has left. NULL when memory is short. One at a time uses it.
 */
struct log_buffer;
struct log_buffer *log_buffer_create(void);
void log_buffer_free(struct log_buffer *buffer);

/* Lines of this process wait there from now on; what waits already is its parent's, who has it too. */
void log_buffer_use(struct log_buffer *buffer);

/*
 * Writes the whole lines that are left in it, and empties it; its process must have ended. The ring has them
 * already. Lines that were being written when it was killed may come twice.
 */
void log_buffer_rescue(struct log_buffer *buffer);

/* Name of this process in its lines: "supervisor", "worker 0". */
void log_set_source(const char *source);

#define log_event(level, event, ...) edge_log(NULL, (level), (event), __VA_ARGS__)

/*
 * The line of an ended invocation: status, duration, CPU, database and provider time, bytes, messages. Returns
 * the duration, in microseconds.
 */
int64_t log_invocation(edge_ctx *ctx, int status);

#endif
