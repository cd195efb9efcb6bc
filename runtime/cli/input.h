/*
 * What a command is given to read.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stddef.h>

/*
 * A whole file, or standard input for "-", with a NUL behind its last byte; to be freed. NULL after saying why
 * not: it cannot be read, or has more than most bytes.
 */
char *input_read(const char *path, size_t most, size_t *length);

#endif
