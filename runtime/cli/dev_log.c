/*
 * The host's log on a terminal; see dev_log.h.
 */
#include "cli/dev_log.h"

#include "cli/json_print.h"
#include "cli/keys.h"
#include "cli/process.h"
#include "cli/terminal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    GENERATION_SHOWN = 12
};

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    return text != NULL ? text : "";
}

/* Local time; the log's is UTC. It is printed as it arrives, so it is the present one. */
static void print_time(void)
{
    char text[16];
    time_t now = time(NULL);
    struct tm local;
    strftime(text, sizeof text, "%H:%M:%S", localtime_r(&now, &local));
    printf("%s%s%s ", terminal_dim(STDOUT_FILENO), text, terminal_plain(STDOUT_FILENO));
}

static const char *colour_of_status(json_int_t status)
{
    int out = STDOUT_FILENO;
    return status >= 500 ? terminal_red(out) : status >= 400 ? terminal_yellow(out) : terminal_green(out);
}

/* "12:03:04 200    12.3 ms  computePulse 3f2a91c0d1e2  POST /functions/v1/computePulse  user_demo" */
static void print_invocation(const json_t *event)
{
    json_int_t status = json_integer_value(json_object_get(event, "status"));
    const char *code = text_of(event, "code"), *detail = text_of(event, "detail");
    print_time();
    printf("%s%3d%s %8.1f ms  %s %s%.*s%s  %s ", colour_of_status(status), (int)status,
        terminal_plain(STDOUT_FILENO), json_number_value(json_object_get(event, "durationMs")),
        text_of(event, "function"), terminal_dim(STDOUT_FILENO), GENERATION_SHOWN, text_of(event, "generation"),
        terminal_plain(STDOUT_FILENO), text_of(event, "method"));
    print_safely(text_of(event, "path"), strlen(text_of(event, "path")));
    if (*code != '\0') {
        printf("  %s%s%s", colour_of_status(status), code, *detail != '\0' ? ": " : "");
        print_safely(detail, strlen(detail));
        printf("%s", terminal_plain(STDOUT_FILENO));
    }
    printf("\n");
}

/* A backtrace has a line a frame. */
static void print_value(const json_t *value)
{
    if (!json_is_string(value)) {
        json_print_safely(value);
        return;
    }
    const char *text = json_string_value(value);
    if (strchr(text, '\n') == NULL) {
        print_safely(text, strlen(text));
        return;
    }
    for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        printf("\n    ");
        print_safely(text, length);
    }
}

static void print_event(json_t *event, const char *name)
{
    const char *level = text_of(event, "level"), *key;
    bool error = strcmp(level, "error") == 0, warning = strcmp(level, "warn") == 0;
    json_t *value;
    print_time();
    printf("%s%s%s",
        error     ? terminal_red(STDOUT_FILENO)
        : warning ? terminal_yellow(STDOUT_FILENO)
                  : "",
        name, terminal_plain(STDOUT_FILENO));
    json_object_foreach(event, key, value)
    {
        static const char *const told[] = { "ts", "level", "event", "source", "worker", NULL };
        bool skip = json_is_null(value);
        for (const char *const *at = told; *at != NULL; at++)
            skip = skip || strcmp(key, *at) == 0;
        if (skip)
            continue;
        printf(" %s%s=%s", terminal_dim(STDOUT_FILENO), key, terminal_plain(STDOUT_FILENO));
        print_value(value);
    }
    printf("\n");
}

static void print_line(const struct dev_log *log, const char *text, size_t length)
{
    json_t *event = json_loadb(text, length, 0, NULL);
    const char *name = json_string_value(json_object_get(event, "event"));
    if (name == NULL)
        printf("%.*s\n", (int)length, text); /* a sanitizer's, which may be coloured */
    else if (strcmp(name, "invocation") == 0)
        print_invocation(event);
    else
        print_event(event, name);
    if (name != NULL && strcmp(name, "generation_live") == 0 && log->saved_ms != 0)
        printf("%s is live, %d ms after it was saved\n", text_of(event, "function"),
            (int)(process_clock_ms() - log->saved_ms));
    json_decref(event);
}

void dev_log_add(struct dev_log *log, const char *bytes, size_t length)
{
    if (log->room - log->length < length) {
        size_t room = (log->length + length) * 2;
        char *text = realloc(log->text, room);
        if (text == NULL)
            return;
        log->text = text;
        log->room = room;
    }
    memcpy(log->text + log->length, bytes, length);
    log->length += length;
    char *at = log->text, *end = at + log->length, *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        print_line(log, at, (size_t)(newline - at));
        at = newline + 1;
    }
    log->length = (size_t)(end - at);
    memmove(log->text, at, log->length);
    fflush(stdout);
}

void dev_log_free(struct dev_log *log)
{
    free(log->text);
    *log = (struct dev_log){ 0 };
}
