/*
 * edge invoke --stream: an event a line, as they come.
 */
#include "cli/invoke.h"
#include "cli/json_print.h"
#include "cli/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A line that has not ended yet, and what the event's lines before it said. */
struct reader {
    const struct invoke *invoke;
    char *line;
    size_t length, size;
    char event[64];
    char *data;
    bool failed; /* the function has ended with an event "error" */
};

static void print_event(struct reader *reader)
{
    const char *event = reader->event[0] != '\0' ? reader->event : "message";
    if (reader->data == NULL)
        return;
    json_t *value = json_loads(reader->data, JSON_DECODE_ANY, NULL);
    reader->failed = reader->failed || strcmp(event, "error") == 0;
    if (reader->invoke->json) {
        json_t *line =
            json_pack("{s:s, s:o}", "event", event, "data", value != NULL ? value : json_string(reader->data));
        json_print(stdout, line);
        putchar('\n');
        json_decref(line);
    } else {
        printf("%s%s%s %s\n", terminal_dim(STDOUT_FILENO), event, terminal_plain(STDOUT_FILENO), reader->data);
        json_decref(value);
    }
    fflush(stdout);
}

/* One line of an event stream, as this host writes them: data is on one line. */
static void take_line(struct reader *reader)
{
    const char *line = reader->line;
    if (*line == '\0') {
        print_event(reader);
        free(reader->data);
        reader->data = NULL;
        reader->event[0] = '\0';
    } else if (strncmp(line, "event: ", 7) == 0) {
        snprintf(reader->event, sizeof reader->event, "%s", line + 7);
    } else if (strncmp(line, "data: ", 6) == 0) {
        free(reader->data);
        reader->data = strdup(line + 6);
    }
}

static void on_body(struct host_call *call, const char *bytes, size_t length)
{
    struct reader *reader = call->arg;
    if (strncmp(call->content_type, "text/event-stream", 17) != 0) {
        fwrite(bytes, 1, length, stdout);
        fflush(stdout);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        if (reader->length + 1 >= reader->size) {
            reader->size = reader->size == 0 ? 4096 : reader->size * 2;
            reader->line = realloc(reader->line, reader->size);
            if (reader->line == NULL)
                abort();
        }
        if (bytes[i] != '\n') {
            reader->line[reader->length++] = bytes[i];
            continue;
        }
        reader->line[reader->length] = '\0';
        reader->length = 0;
        take_line(reader);
    }
}

int invoke_stream(struct invoke *invoke, const char *body, size_t length)
{
    struct reader reader = { .invoke = invoke };
    struct host_call call = { .place = &invoke->place,
        .path = invoke->path,
        .method = invoke->method,
        .headers = invoke->fields,
        .body = body,
        .length = length,
        .on_body = on_body,
        .arg = &reader };
    int code = host_call_make(&call);
    bool done = code == 0 && call.status >= 200 && call.status < 300 && !reader.failed;
    if (code == 0 && strncmp(call.content_type, "text/event-stream", 17) != 0)
        putchar('\n');
    if (code == 0)
        invoke_summary(&call);
    host_call_free(&call);
    free(reader.line);
    free(reader.data);
    return done ? STATUS_DONE : STATUS_FAILED;
}
