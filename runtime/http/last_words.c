/*
 * Last words of a worker; see last_words.h.
 */
#include "last_words.h"

#include "connection.h"
#include "exchange.h"
#include "http1.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_ID "00000000-0000-0000-0000-000000000000"
#define BODY(message, code) "{\"error\":\"" message "\",\"code\":\"" code "\",\"requestId\":\"" REQUEST_ID "\"}"

static struct words {
    char text[768];
    size_t length, id;
} crashed_words, lost_words, event_words;

static void render(struct words *words, const char *status, const char *code, const char *body)
{
    int length = snprintf(words->text, sizeof words->text,
        "HTTP/1.1 %s\r\ncontent-type: application/json\r\nsb-error-code: %s\r\nx-relay-error: true\r\n"
        "access-control-allow-origin: *\r\naccess-control-expose-headers: x-relay-error, sb-error-code\r\n"
        "retry-after: 1\r\nconnection: close\r\ncontent-length: %zu\r\n\r\n%s",
        status, code, strlen(body), body);
    words->length = (size_t)length;
    words->id = (size_t)(strstr(words->text, REQUEST_ID) - words->text);
}

void last_words_prepare(void)
{
    static const char event[] =
        "event: error\ndata: " BODY("The worker that served this was lost", "worker_lost") "\n\n";
    render(&crashed_words, "500 Internal Server Error", "function_crashed",
        BODY("The function crashed", "function_crashed"));
    render(&lost_words, "503 Service Unavailable", "worker_lost",
        BODY("The worker that served this was lost", "worker_lost"));
    event_words.length = (size_t)snprintf(
        event_words.text, sizeof event_words.text, "%zx\r\n%s\r\n0\r\n\r\n", sizeof event - 1, event);
    event_words.id = (size_t)(strstr(event_words.text, REQUEST_ID) - event_words.text);
}

static void say(const struct connection *connection, struct words *words, const char *request_id)
{
    memcpy(words->text + words->id, request_id, sizeof REQUEST_ID - 1);
    send(connection->readable.fd, words->text, words->length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void last_words(struct http_server *server, const edge_ctx *crashed)
{
    for (struct connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        const struct exchange *exchange = http1_waiting(connection);
        if (exchange == NULL || connection->tls != NULL || exchange->request_id[0] == '\0')
            continue;
        if (exchange->head_sent && exchange->event_stream && exchange->chunks)
            say(connection, &event_words, exchange->request_id);
        else if (!exchange->head_sent && crashed != NULL && exchange->ctx == crashed)
            say(connection, &crashed_words, exchange->request_id);
        else if (!exchange->head_sent)
            say(connection, &lost_words, exchange->request_id);
    }
}
