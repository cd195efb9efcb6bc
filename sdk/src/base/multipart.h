/*
 * multipart/form-data (RFC 7578) in memory, or in a mapped file: finds the parts, copies no bytes.
 */
#ifndef BASE_MULTIPART_H
#define BASE_MULTIPART_H

#include <edge/base.h>

enum {
    MULTIPART_BOUNDARY_MAX = 70,         /* RFC 2046 5.1.1 */
    MULTIPART_HEAD_MAX_BYTES = 8 * 1024, /* of one part */
    MULTIPART_HEADERS_MAX = 16,          /* of one part */
    MULTIPART_PARTS_MAX = 256,
};

struct multipart {
    const char *at, *end;
    char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CR LF -- boundary */
    size_t delimiter_length;
    bool started, ended;
};

/* A part as it lies in the body. */
struct multipart_part {
    const char *head; /* header lines, each with its line end */
    size_t head_length;
    const char *data;
    size_t length;
};

/* One of a part's header lines; name and value as received, the value trimmed. */
struct multipart_header {
    const char *name, *value;
    size_t name_length, value_length;
};

/* Value of a parameter of a header value (Content-Disposition, Content-Type); length < 0: it has none. */
struct multipart_parameter {
    const char *text;
    ptrdiff_t length;
    bool quoted;
};

/* Prepares reading a body whose Content-Type is given. False: that is no multipart/form-data with a boundary.
 */
bool multipart_begin(struct multipart *multipart, const char *content_type, const void *body, size_t length);

/* 1: *part is the next one; 0: there is none behind; -1: the body is malformed, *why says how (constant). */
int multipart_next(struct multipart *multipart, struct multipart_part *part, const char **why);

/* Takes the next line of a part's head: 1, 0 at its end, -1 when it is no header. */
int multipart_header(struct multipart_part *part, struct multipart_header *header);

struct multipart_parameter multipart_parameter(const char *value, size_t length, const char *name);

/* Writes a parameter's text, unescaped, to out (room for length bytes and the NUL); returns its length. */
size_t multipart_unescape(struct multipart_parameter parameter, char *out);

#endif
