/*
 * Request bodies that are read as they go out: files, and the parts of multipart/form-data. However large they
 * are, no more of them is in memory than libcurl's send buffer.
 */
#ifndef HTTP_SOURCE_H
#define HTTP_SOURCE_H

#include "call.h"

/* Bytes in memory, or a range of a file. */
struct call_source {
    struct http_call *call;
    const char *data; /* NULL: a file */
    int fd;
    bool opened;          /* fd is ours to close */
    int64_t from, length; /* of the range */
    int64_t at;           /* bytes of it that libcurl has taken */
};

/* Bytes that libcurl takes at a time from whatever has to be read. */
enum {
    SEND_BUFFER_BYTES = 32 * 1024
};

/* In the fiber: makes the sources of a call from its options, or ends the invocation. */
void sources_open(struct http_call *call, const edge_fetch_options *options);

/* Closes the files of a call that will not be sent again. */
void sources_close(struct http_call *call);

/* Loop's stack. Gives the body to libcurl, from its beginning. 0 or -ENOMEM. */
int sources_attach(struct http_call *call);

#endif
