/*
 * Heads and host-made answers; see respond.h.
 */
#include "respond.h"

#include "cors.h"

#include <context.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct head_list {
    edge_header items[RESPOND_HEADER_MAX + 24];
    size_t count;
};

static void add(struct head_list *list, const char *name, const char *value)
{
    if (list->count + 1 < sizeof list->items / sizeof list->items[0])
        list->items[list->count++] = (edge_header){ name, value };
}

bool respond_is_host_fault(const char *code)
{
    static const char *const faults[] = { "function_not_found", "function_not_loaded", "function_crashed",
        "cpu_limit", "function_quarantined", "function_stale", "memory_limit", "worker_lost", "draining",
        "overloaded", NULL };
    for (const char *const *fault = faults; code != NULL && *fault != NULL; fault++)
        if (strcmp(*fault, code) == 0)
            return true;
    return false;
}

/* RFC 9110 6.6.1; made anew once a second. */
static const char *date_text(void)
{
    static char text[32];
    static time_t made;
    time_t now = time(NULL);
    if (now != made) {
        struct tm utc;
        gmtime_r(&now, &utc);
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        made = now;
    }
    return text;
}

/* The request headers that cross-origin rules look at, as cors.h wants them. */
static void cors_request(const struct exchange *exchange, edge_header out[4])
{
    static const char *const names[] = { "origin", "access-control-request-method",
        "access-control-request-headers" };
    size_t count = 0;
    for (size_t i = 0; i < 3; i++) {
        const char *value = exchange_header(exchange, names[i]);
        if (value != NULL)
            out[count++] = (edge_header){ names[i], value };
    }
    out[count] = (edge_header){ 0 };
}

static void add_cors(struct head_list *list, const struct exchange *exchange)
{
    edge_header request[4], answer[CORS_HEADER_MAX];
    cors_request(exchange, request);
    size_t count =
        cors_answer((const char *const *)exchange->server->config->server.cors_origins, request, answer);
    for (size_t i = 0; i < count; i++)
        add(list, answer[i].name, answer[i].value);
}

static void add_error(struct head_list *list, const struct answer *answer, char number[16])
{
    if (answer->code != NULL)
        add(list, "sb-error-code", answer->code);
    if (respond_is_host_fault(answer->code))
        add(list, "x-relay-error", "true");
    if (answer->retry_after_seconds > 0) {
        snprintf(number, 16, "%d", answer->retry_after_seconds);
        add(list, "retry-after", number);
    }
}

void respond_head(struct exchange *exchange, const struct answer *answer, int64_t length, const void *body,
    size_t body_length)
{
    struct head_list list = { .count = 0 };
    char retry_after[16];
    add(&list, "content-type", answer->media_type);
    add(&list, "date", date_text());
    if (exchange->request_id[0] != '\0')
        add(&list, "x-request-id", exchange->request_id);
    if (answer->generation != NULL)
        add(&list, "x-function-version", answer->generation);
    if (exchange->stale)
        add(&list, "x-function-stale", "true");
    add_error(&list, answer, retry_after);
    exchange->event_stream = strcmp(answer->media_type, "text/event-stream") == 0;
    if (exchange->event_stream) {
        add(&list, "cache-control", "no-cache");
        add(&list, "x-accel-buffering", "no"); /* nginx in front would collect the events */
    }
    add_cors(&list, exchange);
    for (const struct header_node *node = answer->more; node != NULL; node = node->next)
        add(&list, node->name, node->value);
    list.items[list.count] = (edge_header){ 0 };

    exchange->status = answer->status;
    exchange->head_sent = true;
    exchange->piecewise = length < 0;
    exchange->ops->head(exchange, answer->status, list.items, length, body, body_length);
}

void respond_json(struct exchange *exchange, const struct answer *answer, const char *text, size_t length)
{
    respond_head(exchange, answer, (int64_t)length, text, length);
    exchange->answered = true;
    exchange->ops->end(exchange);
}

static void send_error(struct exchange *exchange, const struct refusal *refusal)
{
    /* No user text is in these: codes and messages are the host's own constants. */
    char text[512];
    int length = snprintf(text, sizeof text, "{\"error\":\"%s\",\"code\":\"%s\",\"requestId\":\"%s\"}",
        refusal->message, refusal->code, exchange->request_id);
    struct header_node allow = { .name = "allow", .value = refusal->allow };
    struct answer answer = {
        .status = refusal->status,
        .media_type = "application/json",
        .code = refusal->code,
        .retry_after_seconds = refusal->retry_after_seconds,
        .more = refusal->allow != NULL ? &allow : NULL,
    };
    respond_json(exchange, &answer, text, (size_t)length);
}

void respond_error(struct exchange *exchange, int status, const char *code, const char *message)
{
    send_error(exchange, &(struct refusal){ .status = status, .code = code, .message = message });
}

void respond_refusal(struct exchange *exchange)
{
    struct refusal refusal = exchange->refused;
    if (refusal.answer != NULL)
        refusal.answer(exchange);
    else
        send_error(exchange, &refusal);
}

void respond_preflight(struct exchange *exchange)
{
    char scratch[CORS_SCRATCH_BYTES];
    edge_header request[4], answer[CORS_HEADER_MAX + 2] = { { "content-type", "application/json" } };
    cors_request(exchange, request);
    size_t count = cors_preflight(
        (const char *const *)exchange->server->config->server.cors_origins, request, scratch, answer + 1);
    answer[count + 1] = (edge_header){ 0 };
    exchange->status = 200;
    exchange->head_sent = exchange->answered = true;
    exchange->ops->head(exchange, 200, answer, sizeof CORS_PREFLIGHT_BODY - 1, CORS_PREFLIGHT_BODY,
        sizeof CORS_PREFLIGHT_BODY - 1);
    exchange->ops->end(exchange);
}
