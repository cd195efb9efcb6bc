/*
 * A WebSocket for the command line; see websocket_client.h.
 */
#include "cli/websocket_client.h"

#include "cli/command.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_MAX = 64 * 1024,
    MESSAGE_MAX = 256 << 20,
    WAIT_MS = 30000
};

static bool wait_for(struct websocket_client *client, short events)
{
    struct pollfd socket = { .fd = client->fd, .events = events };
    int ready;
    do
        ready = poll(&socket, 1, WAIT_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static int send_all(struct websocket_client *client, const char *data, size_t length)
{
    while (length > 0) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(client->handle, data, length, &sent);
        if (code != CURLE_OK && (code != CURLE_AGAIN || !wait_for(client, POLLOUT)))
            return -1;
        data += sent;
        length -= sent;
    }
    return 0;
}

/* Takes what has come. 1: something has; 0: nothing more now; -1: the connection is gone. */
static int receive(struct websocket_client *client)
{
    if (client->size - client->length < 16384) {
        client->size = client->size * 2 + 32768;
        client->input = realloc(client->input, client->size);
        if (client->input == NULL)
            abort();
    }
    size_t got = 0;
    CURLcode code =
        curl_easy_recv(client->handle, client->input + client->length, client->size - client->length - 1, &got);
    if (code == CURLE_AGAIN)
        return 0;
    if (code != CURLE_OK || got == 0)
        return -1;
    client->length += got;
    client->input[client->length] = '\0';
    return 1;
}

static void drop(struct websocket_client *client, size_t count)
{
    memmove(client->input, client->input + count, client->length - count);
    client->length -= count;
}

static int request_send(struct websocket_client *client, const char *path, const struct curl_slist *fields)
{
    unsigned char nonce[16], key[32];
    char *request = NULL, *host = NULL;
    size_t size = 0;
    if (RAND_bytes(nonce, sizeof nonce) != 1)
        abort();
    EVP_EncodeBlock(key, nonce, sizeof nonce);
    curl_easy_getinfo(client->handle, CURLINFO_EFFECTIVE_URL, &host);
    host = strstr(host, "//") + 2;

    FILE *out = open_memstream(&request, &size);
    fprintf(out, "GET %s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", path,
        (int)strcspn(host, "/"), host);
    fprintf(out, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", (const char *)key);
    for (; fields != NULL; fields = fields->next)
        if (strncmp(fields->data, "Expect:", 7) != 0)
            fprintf(out, "%s\r\n", fields->data);
    fputs("\r\n", out);
    if (fclose(out) != 0)
        abort();
    int result = send_all(client, request, size);
    free(request);
    return result;
}

/* Reads the answer's head; its body, when it is a refusal, is shown. */
static int answer_take(struct websocket_client *client)
{
    char *end = NULL;
    while (end == NULL) {
        int got = receive(client);
        if (got < 0 || client->length > HEAD_MAX || (got == 0 && !wait_for(client, POLLIN)))
            return failure("the host has closed the connection"), -1;
        end = strstr(client->input, "\r\n\r\n");
    }
    long status = client->length > 12 ? strtol(client->input + 9, NULL, 10) : 0;
    drop(client, (size_t)(end + 4 - client->input));
    if (status == 101)
        return 0;
    client->refused = status;
    /* The body comes in one piece with the head, or right behind it. */
    if (client->length == 0 && wait_for(client, POLLIN))
        receive(client);
    failure("the WebSocket was refused with %ld: %.*s", status, (int)client->length, client->input);
    return -1;
}

int websocket_client_open(struct websocket_client *client, const struct host_place *place, const char *path,
    const struct curl_slist *fields)
{
    *client = (struct websocket_client){ .handle = curl_easy_init(), .fd = CURL_SOCKET_BAD };
    if (client->handle == NULL)
        abort();
    host_place_apply(client->handle, place, path);
    curl_easy_setopt(client->handle, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(client->handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(client->handle, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(client->handle);
    curl_easy_setopt(client->handle, CURLOPT_ERRORBUFFER, NULL);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(client->handle, CURLINFO_ACTIVESOCKET, &client->fd);
    if (code != CURLE_OK) {
        host_place_failed(place, path, code, detail);
        return -1;
    }
    if (request_send(client, path, fields) != 0)
        return failure("the host has closed the connection"), -1;
    return answer_take(client);
}

int websocket_client_send(struct websocket_client *client, int type, const void *data, size_t length)
{
    unsigned char head[14] = { (unsigned char)(0x80 | type) }, *at = head + 2;
    head[1] = (unsigned char)(0x80 | (length < 126 ? length : length < 65536 ? 126 : 127));
    for (int byte = length < 126 ? -1 : length < 65536 ? 1 : 7; byte >= 0; byte--)
        *at++ = (unsigned char)((uint64_t)length >> (8 * byte));
    unsigned char *mask = at;
    char *masked = malloc(length + 1);
    if (masked == NULL || RAND_bytes(mask, 4) != 1)
        abort();
    for (size_t i = 0; i < length; i++)
        masked[i] = (char)(((const unsigned char *)data)[i] ^ mask[i % 4]);
    int result = send_all(client, (const char *)head, (size_t)(mask + 4 - head));
    if (result == 0)
        result = send_all(client, masked, length);
    free(masked);
    return result;
}

/* Where a frame's content begins and how long it is; false: its head has not come whole. */
static bool frame_measure(const struct websocket_client *client, size_t *start, uint64_t *length)
{
    const unsigned char *head = (const unsigned char *)client->input;
    if (client->length < 2)
        return false;
    int bytes = head[1] < 126 ? 0 : head[1] == 126 ? 2 : 8;
    *start = 2 + (size_t)bytes;
    *length = bytes == 0 ? head[1] : 0;
    if (client->length < *start)
        return false;
    for (int i = 0; i < bytes; i++)
        *length = *length << 8 | head[2 + i];
    return true;
}

static void message_add(struct websocket_client *client, const char *data, size_t length)
{
    client->message = realloc(client->message, client->message_length + length + 1);
    if (client->message == NULL)
        abort();
    memcpy(client->message + client->message_length, data, length);
    client->message_length += length;
    client->message[client->message_length] = '\0';
}

/* Takes one frame that has come whole: 1 when it ends a message, whose content is in client->message. */
static int frame_take(struct websocket_client *client, size_t start, size_t length, int *type)
{
    int opcode = client->input[0] & 15;
    bool last = (client->input[0] & 0x80) != 0;
    if (opcode == WS_PING)
        websocket_client_send(client, WS_PONG, client->input + start, length);
    if (opcode == WS_PING || opcode == WS_PONG) {
        drop(client, start + length);
        return 0;
    }
    if (opcode != 0) {
        client->message_length = 0;
        client->message_type = opcode;
    }
    message_add(client, client->input + start, length);
    drop(client, start + length);
    *type = client->message_type;
    return last;
}

int websocket_client_next(struct websocket_client *client, int *type, const char **data, size_t *length)
{
    for (;;) {
        size_t start;
        uint64_t size;
        bool whole = frame_measure(client, &start, &size);
        if (whole && size > MESSAGE_MAX)
            return -1;
        if (whole && client->length - start >= size) {
            if (frame_take(client, start, (size_t)size, type) == 0)
                continue;
            *data = client->message;
            *length = client->message_length;
            return 1;
        }
        int got = receive(client);
        if (got <= 0)
            return got;
    }
}

void websocket_client_free(struct websocket_client *client)
{
    curl_easy_cleanup(client->handle);
    free(client->input);
    free(client->message);
}
