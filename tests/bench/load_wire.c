/*
 * What the load generator sends, and how it tells an answer from the next one.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FRAME_HEAD_MAX = 8, /* two bytes, two of length, four of mask */
    TEXT_FRAME = 0x81,
    MASKED = 0x80,
    LENGTH_IN_2_BYTES = 126
};

static char *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        load_die("%s: %m", path);
    char *text = NULL;
    size_t capacity = 0;
    ssize_t got = getdelim(&text, &capacity, EOF, file);
    if (got <= 0)
        load_die("%s is empty", path);
    fclose(file);
    *length = (size_t)got;
    return text;
}

/* A text message of a client: masked, as RFC 6455 5.3 demands; always with the same key, which is all it
 * demands. */
static struct load_bytes framed(struct load_bytes message)
{
    static const unsigned char key[] = { 0x37, 0xfa, 0x21, 0x3d };
    if (message.length > UINT16_MAX)
        load_die("a message is longer than 64 KiB");
    unsigned char *frame = malloc(FRAME_HEAD_MAX + message.length), *end = frame;
    *end++ = TEXT_FRAME;
    if (message.length < LENGTH_IN_2_BYTES) {
        *end++ = MASKED | (unsigned char)message.length;
    } else {
        *end++ = MASKED | LENGTH_IN_2_BYTES;
        *end++ = (unsigned char)(message.length >> 8);
        *end++ = (unsigned char)message.length;
    }
    end = mempcpy(end, key, sizeof key);
    for (size_t i = 0; i < message.length; i++)
        *end++ = (unsigned char)message.data[i] ^ key[i % sizeof key];
    return (struct load_bytes){ (char *)frame, (size_t)(end - frame) };
}

void load_read_requests(struct load *load, const char *path)
{
    size_t length;
    char *text = read_file(path, &length);
    size_t count = 1;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '\0';

    load->requests = calloc(count, sizeof *load->requests);
    for (char *at = text, *end = text + length; at < end;) {
        struct load_bytes part = { at, strnlen(at, (size_t)(end - at)) };
        at += part.length + 1;
        if (load->websocket && load->opening.data == NULL)
            load->opening = part;
        else
            load->requests[load->request_count++] = load->websocket ? framed(part) : part;
    }
    if (load->request_count == 0)
        load_die("%s has no request", path);
}

static void demand(const char *body, size_t length, const char *expected)
{
    if (memmem(body, length, expected, strlen(expected)) == NULL)
        load_die("an answer does not contain \"%s\": %.*s", expected, (int)length, body);
}

/* Of the head between data and end; every server here is asked for answers that say their length. */
static size_t content_length(const char *data, const char *end)
{
    static const char name[] = "\r\ncontent-length:";
    for (const char *line = data; (line = memchr(line, '\r', (size_t)(end - line))) != NULL; line++)
        if (strncasecmp(line, name, sizeof name - 1) == 0)
            return strtoul(line + sizeof name - 1, NULL, 10);
    load_die("an answer has no content-length: %.*s", (int)(end - data), data);
}

size_t load_http_answer(const char *data, size_t length, int status, const char *expected)
{
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    static const size_t status_at = sizeof "HTTP/1.1 " - 1;
    bool opening = status == 101;
    size_t head = (size_t)(end - data) + 4, body = opening ? 0 : content_length(data, end);
    if (length < head + body)
        return 0;
    if (atoi(data + status_at) != status)
        load_die("%d was expected: %.*s", status, (int)(head + body), data);
    if (!opening)
        demand(end + 4, body, expected);
    return head + body;
}

size_t load_frame_answer(const char *data, size_t length, const char *expected)
{
    const unsigned char *bytes = (const unsigned char *)data;
    if (length < 2)
        return 0;
    bool longer = bytes[1] == LENGTH_IN_2_BYTES;
    if (bytes[0] != TEXT_FRAME || bytes[1] > LENGTH_IN_2_BYTES)
        load_die("a frame is no short text: %02x %02x", bytes[0], bytes[1]);
    size_t head = longer ? 4 : 2;
    if (length < head)
        return 0;
    size_t body = longer ? (size_t)bytes[2] << 8 | bytes[3] : bytes[1];
    if (length < head + body)
        return 0;
    demand(data + head, body, expected);
    return head + body;
}
