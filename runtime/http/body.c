/*
 * Request bodies: in memory while small, then in an unlinked file that is mapped when it is complete.
 */
#include "body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_all(int file, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        data += written;
        length -= (size_t)written;
    }
    return 0;
}

static int move_to_file(struct body *body, const char *directory)
{
    int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0)
        return -errno;
    int result = write_all(file, body->memory, body->length);
    if (result < 0) {
        close(file);
        return result;
    }
    free(body->memory);
    body->memory = NULL;
    body->capacity = 0;
    body->file = file;
    return 0;
}

static int grow(struct body *body, size_t needed)
{
    size_t capacity = body->capacity == 0 ? 512 : body->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *memory = realloc(body->memory, capacity);
    if (memory == NULL)
        return -ENOMEM;
    body->memory = memory;
    body->capacity = capacity;
    return 0;
}

void body_init(struct body *body, size_t limit)
{
    *body = (struct body){ .limit = limit, .file = -1 };
}

void body_expect(struct body *body, size_t length, size_t memory_max)
{
    if (length > memory_max || length > body->limit || body->memory != NULL)
        return;
    body->memory = malloc(length + 1);
    body->capacity = body->memory != NULL ? length + 1 : 0;
}

int body_add(struct body *body, const char *data, size_t length, size_t memory_max, const char *directory)
{
    if (length > body->limit - body->length)
        return -EFBIG;

    int result = 0;
    if (body->file < 0 && body->length + length > memory_max)
        result = move_to_file(body, directory);
    if (result == 0 && body->file >= 0)
        result = write_all(body->file, data, length);
    if (result == 0 && body->file < 0 && body->length + length + 1 > body->capacity)
        result = grow(body, body->length + length + 1);
    if (result < 0)
        return result;
    if (body->file < 0) {
        memcpy(body->memory + body->length, data, length);
        body->memory[body->length + length] = '\0';
    }
    body->length += length;
    return 0;
}

int body_finish(struct body *body)
{
    if (body->file < 0)
        return 0;
    void *mapping = mmap(NULL, body->length, PROT_READ, MAP_PRIVATE, body->file, 0);
    if (mapping == MAP_FAILED)
        return -errno;
    body->memory = mapping;
    body->mapped = true;
    return 0;
}

void body_free(struct body *body)
{
    if (body->mapped)
        munmap(body->memory, body->length);
    else
        free(body->memory);
    if (body->file >= 0)
        close(body->file);
    *body = (struct body){ .file = -1 };
}
