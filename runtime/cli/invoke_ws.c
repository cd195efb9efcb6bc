/*
 * edge invoke --ws: a conversation with a function, a message a line each way.
 */
#include "cli/invoke.h"
#include "cli/json_print.h"
#include "cli/process.h"
#include "cli/terminal.h"
#include "cli/websocket_client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINGER_MS = 1000, /* for answers, when nothing more is said */
    CLOSE_MS = 5000   /* for the host's close behind ours */
};

struct talk {
    struct invoke *invoke;
    struct websocket_client socket;
    char *line; /* of standard input, begun */
    size_t length, size;
    bool said_all, closing, over, gone;
    int heard;
    int64_t quiet_since_ms;
    int code; /* of the host's close */
    char reason[128];
};

static void send_message(struct talk *talk, const char *text, size_t length)
{
    talk->quiet_since_ms = process_clock_ms();
    if (websocket_client_send(&talk->socket, WS_TEXT, text, length) != 0)
        talk->gone = true;
}

static void send_close(struct talk *talk)
{
    static const char normal[] = { 0x03, (char)0xE8 }; /* 1000 */
    talk->closing = true;
    talk->quiet_since_ms = process_clock_ms();
    if (websocket_client_send(&talk->socket, WS_CLOSE, normal, sizeof normal) != 0)
        talk->gone = true;
}

/* Takes what standard input has, and sends the lines that are whole. */
static void input_take(struct talk *talk)
{
    if (talk->size - talk->length < 4096) {
        talk->size = talk->size * 2 + 8192;
        talk->line = realloc(talk->line, talk->size);
        if (talk->line == NULL)
            abort();
    }
    ssize_t got = read(STDIN_FILENO, talk->line + talk->length, talk->size - talk->length);
    if (got < 0 && errno == EINTR)
        return;
    if (got > 0)
        talk->length += (size_t)got;
    char *start = talk->line, *end;
    while ((end = memchr(start, '\n', talk->length - (size_t)(start - talk->line))) != NULL) {
        send_message(talk, start, (size_t)(end - start));
        start = end + 1;
    }
    talk->length -= (size_t)(start - talk->line);
    memmove(talk->line, start, talk->length);
    if (got <= 0) {
        if (talk->length > 0)
            send_message(talk, talk->line, talk->length);
        talk->said_all = true;
    }
}

static void close_take(struct talk *talk, const char *data, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)data;
    talk->code = length >= 2 ? bytes[0] << 8 | bytes[1] : 1005;
    snprintf(talk->reason, sizeof talk->reason, "%.*s", length > 2 ? (int)length - 2 : 0, data + 2);
    if (!talk->closing)
        send_close(talk);
    talk->over = true;
}

static void print_message(const struct talk *talk, int type, const char *data, size_t length)
{
    if (talk->invoke->json) {
        json_t *value = json_loadb(data, length, JSON_DECODE_ANY, NULL);
        json_t *line = json_pack("{s:s, s:o?}", "type", type == WS_BINARY ? "binary" : "text", "data",
            value != NULL ? value : json_stringn(data, length));
        json_print(stdout, line);
        json_decref(line);
    } else {
        fwrite(data, 1, length, stdout);
    }
    putchar('\n');
    fflush(stdout);
}

static void socket_take(struct talk *talk)
{
    int type, got;
    const char *data;
    size_t length;
    while (!talk->over && (got = websocket_client_next(&talk->socket, &type, &data, &length)) != 0) {
        if (got < 0) {
            talk->gone = true;
            return;
        }
        talk->quiet_since_ms = process_clock_ms();
        if (type == WS_CLOSE) {
            close_take(talk, data, length);
            return;
        }
        print_message(talk, type, data, length);
        if (++talk->heard == talk->invoke->messages && !talk->closing)
            send_close(talk);
    }
}

/* Milliseconds until we stop waiting, -1: never. */
static int patience(const struct talk *talk)
{
    int64_t limit = talk->closing ? CLOSE_MS : LINGER_MS;
    bool endless = !talk->closing && (!talk->said_all || talk->invoke->messages > 0);
    int64_t left = talk->quiet_since_ms + limit - process_clock_ms();
    return endless ? -1 : left > 0 ? (int)left : 0;
}

static void converse(struct talk *talk)
{
    talk->quiet_since_ms = process_clock_ms();
    while (!talk->over && !talk->gone) {
        struct pollfd sources[] = {
            { .fd = talk->socket.fd, .events = POLLIN },
            { .fd = talk->said_all || talk->closing ? -1 : STDIN_FILENO, .events = POLLIN },
        };
        int wait = patience(talk);
        if (wait == 0 && talk->closing)
            return;
        if (wait == 0)
            send_close(talk);
        else if (poll(sources, 2, wait) < 0 && errno != EINTR)
            return;
        if (sources[1].revents != 0)
            input_take(talk);
        socket_take(talk);
    }
}

int invoke_ws(struct invoke *invoke, const char *body)
{
    struct talk talk = { .invoke = invoke };
    int64_t began = process_clock_ms();
    if (websocket_client_open(&talk.socket, &invoke->place, invoke->path, invoke->fields) != 0) {
        websocket_client_free(&talk.socket);
        return STATUS_FAILED;
    }
    if (body != NULL) {
        send_message(&talk, body, strlen(body));
        talk.said_all = true;
    }
    converse(&talk);
    bool well = talk.over && (talk.code == 1000 || talk.code == 1001 || talk.code == 1005);
    const char *colour = well ? terminal_green(STDERR_FILENO) : terminal_red(STDERR_FILENO);
    if (talk.over)
        fprintf(stderr, "%sclosed with %d%s%s%s  %lld ms  %d messages\n", colour, talk.code,
            terminal_plain(STDERR_FILENO), talk.reason[0] != '\0' ? " " : "", talk.reason,
            (long long)(process_clock_ms() - began), talk.heard);
    else
        failure("the connection ended without a close");
    websocket_client_free(&talk.socket);
    free(talk.line);
    return well ? STATUS_DONE : STATUS_FAILED;
}
