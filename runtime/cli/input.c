/*
 * Reading input; see input.h.
 */
#include "cli/input.h"

#include "cli/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *input_read(const char *path, size_t most, size_t *length)
{
    bool is_input = strcmp(path, "-") == 0;
    FILE *file = is_input ? stdin : fopen(path, "rbe");
    if (file == NULL) {
        failure("\"%s\" cannot be read: %m", path);
        return NULL;
    }
    char *text = NULL;
    size_t room = 0, got = 0;
    *length = 0;
    do {
        if (*length + 1 >= room) {
            room = room == 0 ? 65536 : room * 2;
            text = realloc(text, room);
            if (text == NULL)
                abort();
        }
        got = fread(text + *length, 1, room - *length - 1, file);
        *length += got;
    } while (got > 0 && *length <= most);
    text[*length] = '\0';
    bool done = ferror(file) == 0 && *length <= most;
    if (!is_input)
        fclose(file);
    if (done)
        return text;
    failure("\"%s\" cannot be read, or is larger than %zu bytes", path, most);
    free(text);
    return NULL;
}
