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
#include <time.h>

enum {
    MOMENTS = 10 /* of 5 ms: as long as requests that are on their way are waited for */
};

#define REQUEST_ID "00000000-0000-0000-0000-000000000000"
#define BODY(message, code) "{\"error\":\"" message "\",\"code\":\"" code "\",\"requestId\":\"" REQUEST_ID "\"}"

static struct words {
    char text[768];
    size_t length, id;
} crashed_words[2], lost_words[2], event_words; /* [1]: of a function that is stale (exchange.h) */

static void render(struct words words[2], const char *status, const char *code, const char *body)
{
    for (int stale = 0; stale < 2; stale++) {
        words[stale].length = (size_t)snprintf(words[stale].text, sizeof words[stale].text,
            "HTTP/1.1 %s\r\ncontent-type: application/json\r\nsb-error-code: %s\r\nx-relay-error: true\r\n%s"
            "access-control-allow-origin: *\r\n"
            "access-control-expose-headers: x-relay-error, sb-error-code, x-function-stale\r\n"
            "retry-after: 1\r\nconnection: close\r\ncontent-length: %zu\r\n\r\n%s",
            status, code, stale ? "x-function-stale: true\r\n" : "", strlen(body), body);
        words[stale].id = (size_t)(strstr(words[stale].text, REQUEST_ID) - words[stale].text);
    }
}

void last_words_prepare(void)
{
    static const char event[] =
        "event: error\ndata: " BODY("The worker that served this was lost", "worker_lost") "\n\n";
    render(crashed_words, "500 Internal Server Error", "function_crashed",
        BODY("The function crashed", "function_crashed"));
    render(lost_words, "503 Service Unavailable", "worker_lost",
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

/* What stays unread would make the client's kernel drop the answer. */
static bool drain(const struct connection *connection)
{
    static char nowhere[16 * 1024];
    bool heard = connection->kept_length > 0;
    while (recv(connection->readable.fd, nowhere, sizeof nowhere, MSG_DONTWAIT) > 0)
        heard = true;
    return heard;
}

static void say_to_waiting(const struct connection *connection, const edge_ctx *crashed)
{
    const struct exchange *exchange = http1_waiting(connection);
    if (exchange == NULL || connection->tls != NULL || exchange->request_id[0] == '\0')
        return;
    if (exchange->head_sent && exchange->event_stream && exchange->chunks)
        say(connection, &event_words, exchange->request_id);
    else if (!exchange->head_sent && crashed != NULL && exchange->ctx == crashed)
        say(connection, &crashed_words[exchange->stale], exchange->request_id);
    else if (!exchange->head_sent)
        say(connection, &lost_words[exchange->stale], exchange->request_id);
}

/* Those whose request has not been read, or is on its way: a client that has just connected is about to send.
 */
static void say_to_coming(struct http_server *server)
{
    for (struct connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        if (connection->tls != NULL || !http1_listens(connection) || !drain(connection))
            continue;
        say(connection, &lost_words[0], REQUEST_ID);
        connection->state = CONNECTION_CLOSING;
    }
}

void last_words(struct http_server *server, const edge_ctx *crashed)
{
    const struct timespec moment = { .tv_nsec = 5 * 1000 * 1000 };
    for (const struct connection *connection = server->connections; connection != NULL;
         connection = connection->next)
        say_to_waiting(connection, crashed);
    for (int i = 0; i < MOMENTS; i++) {
        say_to_coming(server);
        nanosleep(&moment, NULL);
    }
}
