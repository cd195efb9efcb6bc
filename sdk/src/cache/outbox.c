/*
 * What is still to be told; see outbox.h.
 */
#include "cache/outbox.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

enum {
    WAITING_MAX = 1024
};

static struct {
    char *waiting[WAITING_MAX];
    size_t count, sending;
    bool everything, sending_everything;
} outbox;

static void forget(size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(outbox.waiting[i]);
    memmove(outbox.waiting, outbox.waiting + count, (outbox.count - count) * sizeof *outbox.waiting);
    outbox.count -= count;
    outbox.sending = outbox.sending > count ? outbox.sending - count : 0;
}

void outbox_clear(void)
{
    forget(outbox.count);
    outbox.everything = outbox.sending_everything = false;
}

bool outbox_is_empty(void)
{
    return outbox.count == 0 && !outbox.everything;
}

void outbox_add(const char *payload)
{
    for (size_t i = outbox.sending; i < outbox.count; i++)
        if (strcmp(outbox.waiting[i], payload) == 0)
            return;
    char *copy = outbox.count < WAITING_MAX ? strdup(payload) : NULL;
    if (copy == NULL) {
        outbox.everything = true;
        outbox.sending_everything = false;
    } else {
        outbox.waiting[outbox.count++] = copy;
    }
}

static json_t *payloads(void)
{
    json_t *list = json_array();
    if (outbox.everything)
        json_array_append_new(list, json_string("*"));
    for (size_t i = 0; i < outbox.count && !outbox.everything; i++)
        json_array_append_new(list, json_string(outbox.waiting[i]));
    return list;
}

char *outbox_text(void)
{
    json_t *list = payloads();
    char *text = list != NULL ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    outbox.sending = outbox.count;
    outbox.sending_everything = outbox.everything;
    return text;
}

void outbox_sent(void)
{
    forget(outbox.sending);
    outbox.sending = 0;
    if (outbox.sending_everything)
        outbox.everything = false;
    outbox.sending_everything = false;
}
