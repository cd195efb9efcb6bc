/*
 * Text that grows, in malloc's memory: COPY's rows, which an arena could not give back.
 */
#ifndef DB_BUFFER_H
#define DB_BUFFER_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
    char *data;
    size_t length, size;
};

/* Room for more bytes behind what is there; NULL when memory is short. */
static inline char *buffer_room(struct buffer *buffer, size_t more)
{
    if (buffer->size - buffer->length < more) {
        size_t size = buffer->size == 0 ? 1024 : buffer->size * 2;
        while (size - buffer->length < more)
            size *= 2;
        char *data = realloc(buffer->data, size);
        if (data == NULL)
            return NULL;
        buffer->data = data;
        buffer->size = size;
    }
    return buffer->data + buffer->length;
}

static inline bool buffer_put(struct buffer *buffer, const void *data, size_t length)
{
    char *room = buffer_room(buffer, length);
    if (room == NULL)
        return false;
    memcpy(room, data, length);
    buffer->length += length;
    return true;
}

static inline void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){ 0 };
}

#endif
