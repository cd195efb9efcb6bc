/*
 * The event-stream parser: no input makes it read outside its piece, hold more than it may, or give other
 * events when the same bytes come in other pieces. The first byte of the input says how long the pieces are.
 */
#include <http/sse.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    EVENT_MAX_BYTES = 4096
};

/* Adds all events, each string with its end, to an FNV-1a hash. */
static uint64_t add(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
    while (*text++ != '\0');
    return hash;
}

static uint64_t parse(const char *bytes, size_t length, size_t piece_length)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    struct sse_parser parser;
    sse_init(&parser, EVENT_MAX_BYTES);

    int rc = 0;
    for (size_t at = 0; at < length && rc >= 0;) {
        size_t rest = length - at < piece_length ? length - at : piece_length, used = 0;
        char *piece = malloc(rest);
        memcpy(piece, bytes + at, rest);
        rc = sse_feed(&parser, piece, rest, &used);
        free(piece);
        if (used > rest || (rc == 0 && used != rest) ||
            parser.line.length + parser.data.length > EVENT_MAX_BYTES + 1)
            abort();
        if (rc == 1)
            hash = add(add(add(hash, parser.event.event), parser.event.data), parser.event.id);
        at += used;
    }
    sse_free(&parser);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const char *bytes = (const char *)data + 1;
    if (parse(bytes, size - 1, size) != parse(bytes, size - 1, data[0] + (size_t)1))
        abort();
    return 0;
}
