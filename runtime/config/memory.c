/*
 * Allocations of a configuration; see memory.h.
 */
#include "memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("edge: out of memory while reading the configuration\n", stderr);
        abort();
    }
    return memory;
}

void *memory_take(struct arena *arena, size_t size)
{
    return must(arena_alloc(arena, size));
}

char *memory_copy_bytes(struct arena *arena, const char *text, size_t length)
{
    char *copy = memory_take(arena, length + 1);
    memcpy(copy, text, length);
    return copy;
}

char *memory_copy(struct arena *arena, const char *text)
{
    return memory_copy_bytes(arena, text, strlen(text));
}

char *memory_format(struct arena *arena, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    must(length < 0 ? NULL : text);
    char *copy = memory_copy_bytes(arena, text, (size_t)length);
    free(text);
    return copy;
}

FILE *memory_stream(char **buffer, size_t *size)
{
    return must(open_memstream(buffer, size));
}
