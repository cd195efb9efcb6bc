/*
 * The host's log on the terminal of `edge dev`: a request is one line, other events are readable too.
 */
#ifndef DEV_LOG_H
#define DEV_LOG_H

#include <stddef.h>
#include <stdint.h>

struct dev_log {
    char *text; /* an unfinished line */
    size_t length, room;
    int64_t saved_ms; /* when a source was saved last, on the monotonic clock; 0: none was */
};

/* Prints the lines that are complete with what has arrived; what is no JSON (a sanitizer's report) as it is. */
void dev_log_add(struct dev_log *log, const char *bytes, size_t length);
void dev_log_free(struct dev_log *log);

#endif
