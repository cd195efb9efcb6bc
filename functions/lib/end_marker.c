/*
 * Finding [[END]] in text that comes in pieces.
 */
#include "lib/end_marker.h"

#include <string.h>

#define MARKER "[[END]]"

const char *end_marker_remove(edge_ctx *ctx, const char *text, bool *found)
{
    const char *at;
    while ((at = strstr(text, MARKER)) != NULL) {
        *found = true;
        text = edge_format(ctx, "%.*s%s", (int)(at - text), text, at + strlen(MARKER));
    }
    return text;
}

/* How many bytes at the end of the text are the beginning of a marker. */
static size_t begun(const char *text, size_t length)
{
    size_t most = strlen(MARKER) - 1;
    for (size_t count = length < most ? length : most; count > 0; count--)
        if (strncmp(text + length - count, MARKER, count) == 0)
            return count;
    return 0;
}

const char *end_marker_pass(struct end_marker *marker, const char *text)
{
    bool found = false;
    if (marker->held != NULL)
        text = edge_format(marker->ctx, "%s%s", marker->held, text);
    text = end_marker_remove(marker->ctx, text, &found);

    size_t length = strlen(text), held = begun(text, length);
    marker->held = held > 0 ? edge_copy(marker->ctx, text + length - held) : NULL;
    return held > 0 ? edge_copy_bytes(marker->ctx, text, length - held) : text;
}

const char *end_marker_rest(struct end_marker *marker)
{
    return marker->held != NULL ? marker->held : "";
}
