/*
 * Incremental parser of text/event-stream (WHATWG HTML 9.2.6). It takes bytes in whatever pieces they arrive
 * and gives one event at a time; it knows nothing of calls, fibers or the loop.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <edge/http.h>

struct sse_text {
    char *text; /* malloc'ed: an endless stream must not grow an arena */
    size_t length, size;
};

struct sse_parser {
    size_t max_bytes;
    struct sse_text line; /* begun, not ended yet */
    struct sse_text data, type, id;
    bool begun;    /* the first line, which may start with a byte order mark, is behind us */
    bool after_cr; /* a line feed now belongs to the line before */
    bool given;    /* the event was handed out: its buffers start anew with the next byte */
    edge_event event;
};

/* max_bytes bounds what one event may make the parser hold. */
void sse_init(struct sse_parser *parser, size_t max_bytes);
void sse_free(struct sse_parser *parser);

/* Before a wait: gives back the buffers that hold nothing, the event given last with them. */
void sse_rest(struct sse_parser *parser);

/*
 * Takes bytes up to the end of the next event. Returns 1 when parser->event is one (valid until the next
 * call), 0 when all bytes are used and more are needed, -EMSGSIZE for an event over max_bytes, -ENOMEM. *used
 * says how many bytes were taken; call again with the rest. What is incomplete when a stream ends is no event.
 */
int sse_feed(struct sse_parser *parser, const char *bytes, size_t length, size_t *used);

#endif
