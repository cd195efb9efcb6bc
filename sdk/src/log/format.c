/*
 * The form of a log line: JSON for machines, key=value for people on a terminal.
 */
#include "line.h"

#include <string.h>
#include <time.h>

#define TAIL ",\"cut\":true}\n" /* kept free until line_end */

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* The day and second change seldom: they are formatted once a second. */
static void put_time(struct line *line)
{
    static time_t second = -1;
    static char utc[32], local[16];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != second) {
        struct tm parts;
        second = now.tv_sec;
        strftime(utc, sizeof(utc), "%Y-%m-%dT%H:%M:%S.", gmtime_r(&second, &parts));
        strftime(local, sizeof(local), "%H:%M:%S.", localtime_r(&second, &parts));
    }

    long ms = now.tv_nsec / 1000000;
    const char digits[] = { (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };
    const char *date = line->format == LOG_JSON ? utc : local;
    line_put(line, date, strlen(date));
    line_put(line, digits, sizeof(digits));
}

/* Takes a field back that began at start and did not fit. */
static void field_end(struct line *line, char *start)
{
    if (!line->full)
        return;
    line->at = start;
    line->full = false;
    line->cut = true;
}

static void put_key(struct line *line, const struct line_key *key)
{
    if (line->format == LOG_JSON)
        line_put(line, key->json, key->json_length);
    else
        line_put(line, key->text, key->text_length);
}

void line_text(struct line *line, const struct line_key *key, const char *value)
{
    if (value == NULL)
        return;
    char *start = line->at;
    put_key(line, key);
    line_put_string(line, value, strlen(value));
    field_end(line, start);
}

void line_word(struct line *line, const struct line_key *key, const char *value)
{
    if (value == NULL)
        return;
    char *start = line->at;
    bool json = line->format == LOG_JSON;
    put_key(line, key);
    if (json)
        line_put(line, "\"", 1);
    line_put(line, value, strlen(value));
    if (json)
        line_put(line, "\"", 1);
    field_end(line, start);
}

void line_integer(struct line *line, const struct line_key *key, int64_t value)
{
    char *start = line->at;
    put_key(line, key);
    line_put_integer(line, value);
    field_end(line, start);
}

void line_milliseconds(struct line *line, const struct line_key *key, int64_t microseconds)
{
    int rest = (int)(microseconds % 1000);
    const char fraction[] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
        (char)('0' + rest % 10) };
    char *start = line->at;
    put_key(line, key);
    line_put_integer(line, microseconds / 1000);
    line_put(line, fraction, sizeof(fraction));
    field_end(line, start);
}

void line_field(struct line *line, const char *key, const edge_arg *value)
{
    char *start = line->at;
    bool json = line->format == LOG_JSON;
    line_put(line, json ? "," : " ", 1);
    line_put_string(line, key, strlen(key));
    line_put(line, json ? ":" : "=", 1);
    line_put_value(line, key, value);
    field_end(line, start);
}

static void begin_json(struct line *line, edge_log_level level, const char *source, const char *event)
{
    line_put(line, "{\"ts\":\"", 7);
    put_time(line);
    line_put(line, "Z\"", 2);
    line_word(line, LINE_KEY("level"), level_names[level]);
    line_text(line, LINE_KEY("source"), source);
    line_text(line, LINE_KEY("event"), event);
}

static void begin_text(struct line *line, edge_log_level level, const char *source, const char *event)
{
    static const char *const labels[] = { "DEBUG ", "INFO  ", "WARN  ", "ERROR " };
    static const char *const colours[] = { "\033[2m", "\033[32m", "\033[33m", "\033[31m" };
    put_time(line);
    line_put(line, " ", 1);
    if (line->colour)
        line_put(line, colours[level], strlen(colours[level]));
    line_put(line, labels[level], strlen(labels[level]));
    if (line->colour)
        line_put(line, "\033[0m", 4);
    line_put(line, source, strlen(source));
    line_put(line, " ", 1);
    line_put_string(line, event, strlen(event));
}

void line_begin(
    struct line *line, edge_log_level level, const char *source, const char *event, const edge_ctx *ctx)
{
    line->end -= strlen(TAIL);
    (line->format == LOG_JSON ? begin_json : begin_text)(line, level, source, event);
    if (ctx == NULL)
        return;
    line_word(line, LINE_KEY("requestId"), ctx->request_id);
    line_text(line, LINE_KEY("function"), ctx->name);
    if (line->format == LOG_JSON) /* of no use to somebody who reads along */
        line_word(line, LINE_KEY("generation"), ctx->generation);
    line_text(line, LINE_KEY("user"), ctx->identity.user);
}

void line_end(struct line *line)
{
    line->end += strlen(TAIL);
    if (line->cut)
        line->format == LOG_JSON ? line_put(line, ",\"cut\":true", 11) : line_put(line, " cut", 4);
    line->format == LOG_JSON ? line_put(line, "}\n", 2) : line_put(line, "\n", 1);
}
