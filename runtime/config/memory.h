/*
 * Memory of a configuration: an arena whose allocations do not fail. A supervisor that cannot allocate its
 * configuration ends, and is started again by whoever runs it.
 */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <arena.h>
#include <stddef.h>
#include <stdio.h>

__attribute__((returns_nonnull)) void *memory_take(struct arena *arena, size_t size);
__attribute__((returns_nonnull)) char *memory_copy(struct arena *arena, const char *text);
__attribute__((returns_nonnull)) char *memory_copy_bytes(struct arena *arena, const char *text, size_t length);
__attribute__((returns_nonnull, format(printf, 2, 3))) char *memory_format(
    struct arena *arena, const char *format, ...);

/* A stream that writes to *buffer, to be freed after fclose. */
__attribute__((returns_nonnull)) FILE *memory_stream(char **buffer, size_t *size);

#endif
