/*
 * The log from the host's side: one line an event, JSON, or readable text on a terminal.
 *
 * Lines are collected and written once a loop turn (log_flush), and at once for warnings and errors.
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

/* Name of this process in its lines: "supervisor", "worker 0". */
void log_set_source(const char *source);

#define log_event(level, event, ...) edge_log(NULL, (level), (event), __VA_ARGS__)

/* The line of an ended invocation: status, duration, CPU, database and provider time, bytes, messages. */
void log_invocation(edge_ctx *ctx, int status);

#endif
