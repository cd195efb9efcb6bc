/*
 * Restoring the lines of PEM text; see pem.h.
 */
#include "pem.h"

#include "memory.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DASHES "-----"
enum {
    LINE_LENGTH = 64
};

/* The base64 text between begin and end, in lines. */
static void body_write(FILE *out, const char *begin, const char *end)
{
    int column = 0;
    for (const char *at = begin; at < end; at++) {
        if (*at == '\\' && (at[1] == 'n' || at[1] == 'r')) {
            at++;
        } else if (strchr(" \t\r\n", *at) == NULL) {
            fputc(*at, out);
            if (++column % LINE_LENGTH == 0)
                fputc('\n', out);
        }
    }
    if (column % LINE_LENGTH != 0)
        fputc('\n', out);
}

const char *pem_restore(struct arena *arena, const char *text)
{
    const char *head = strstr(text, DASHES "BEGIN ");
    const char *head_end = head == NULL ? NULL : strstr(head + strlen(DASHES), DASHES);
    const char *foot = head_end == NULL ? NULL : strstr(head_end, DASHES "END ");
    const char *foot_end = foot == NULL ? NULL : strstr(foot + strlen(DASHES), DASHES);
    if (foot_end == NULL)
        return text;

    head_end += strlen(DASHES);
    foot_end += strlen(DASHES);
    char *buffer = NULL;
    size_t size = 0;
    FILE *out = memory_stream(&buffer, &size);
    fprintf(out, "%.*s\n", (int)(head_end - head), head);
    body_write(out, head_end, foot);
    fprintf(out, "%.*s\n", (int)(foot_end - foot), foot);
    fclose(out);
    const char *restored = memory_copy_bytes(arena, buffer, size);
    free(buffer);
    return restored;
}
