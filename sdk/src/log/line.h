/*
 * One log line while it is written; format.c, value.c and text.c write it, log.c gives it room and sends it
 * off.
 *
 * A line is at most LOG_LINE_MAX long, which is PIPE_BUF: lines that several processes write to one pipe
 * stay whole. A value that does not fit is cut, a field that does not fit is left out and the line says
 * "cut": true.
 */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include <context.h>
#include <log.h>

#include <string.h>

#define LOG_LINE_MAX 4096
#define LOG_VALUE_MAX 2048 /* bytes of one value, escaped */

struct line {
    char *at, *end;
    enum log_format format;
    bool colour;
    bool full; /* the field being written did not fit */
    bool cut;  /* a field was left out */
};

/* Time, level, source, event, and who is at work: request, function, generation, user. ctx may be NULL. */
void line_begin(
    struct line *line, edge_log_level level, const char *source, const char *event, const edge_ctx *ctx);
void line_end(struct line *line);

/* A key of the host's as it stands before its value, in each form. Every request writes twenty of them. */
struct line_key {
    const char *json, *text;
    size_t json_length, text_length;
};

/* name is a literal that needs no quotes on a terminal. */
#define LINE_KEY(name)                                                                                         \
    (&(const struct line_key){ ",\"" name "\":", " " name "=", sizeof(name) + 3, sizeof(name) + 1 })

/* Fields of the host: the value is not masked. A NULL text writes nothing. */
void line_text(struct line *line, const struct line_key *key, const char *value);
/* For a value that the host has made of letters, digits and "-": nothing of it is looked at. */
void line_word(struct line *line, const struct line_key *key, const char *value);
void line_integer(struct line *line, const struct line_key *key, int64_t value);
void line_milliseconds(struct line *line, const struct line_key *key, int64_t microseconds);

/* A caller's field: masked when its key looks like a secret's. */
void line_field(struct line *line, const char *key, const edge_arg *value);

/* Pieces. quoted: in quotes, with all that needs it escaped; string: so too, but a word on a terminal is bare.
 */
static inline void line_put(struct line *line, const char *bytes, size_t length)
{
    if ((size_t)(line->end - line->at) < length) {
        line->full = true;
        return;
    }
    memcpy(line->at, bytes, length);
    line->at += length;
}

void line_put_integer(struct line *line, int64_t value);
void line_put_quoted(struct line *line, const char *text, size_t length);
void line_put_string(struct line *line, const char *text, size_t length);
void line_put_value(struct line *line, const char *key, const edge_arg *value);

#endif
