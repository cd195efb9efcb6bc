/*
 * Log events of a function: a constant name and key-value fields. Request id, function, generation and user
 * come by themselves; values of keys that look like secrets are masked. One line an event, JSON or readable.
 *
 *     edge_log(ctx, EDGE_LOG_WARN, "context_read_failed", { "table", edge_text("goals") });
 */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

#include <edge/base.h>

#pragma GCC visibility push(default)

typedef enum edge_log_level {
    EDGE_LOG_DEBUG,
    EDGE_LOG_INFO,
    EDGE_LOG_WARN,
    EDGE_LOG_ERROR
} edge_log_level;

typedef struct edge_log_field {
    const char *key;
    edge_arg value;
} edge_log_field;

/* Writes one event: a constant name, and any number of { key, value }. */
#define edge_log(ctx, level, event, ...)                                                                       \
    edge_log_fields((ctx), (level), (event), (const edge_log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })

/* fields ends with an entry whose key is NULL. ctx may be NULL outside an invocation. */
void edge_log_fields(edge_ctx *ctx, edge_log_level level, const char *event, const edge_log_field *fields);

#pragma GCC visibility pop

#endif
