/*
 * Which part of an object is asked for, and whether at all (RFC 9110 13 and 14).
 */
#ifndef HTTP_STORAGE_RANGE_H
#define HTTP_STORAGE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    enum {
        RANGE_WHOLE,
        RANGE_PART,
        RANGE_UNSATISFIABLE
    } kind;
    int64_t offset, length;
};

/* What the object is known by, as it is sent. */
struct validators {
    const char *etag;          /* with quotes, NULL when it has none */
    const char *last_modified; /* HTTP date */
    int64_t modified_s;
};

/*
 * Header Range (NULL: absent) against an object of size bytes. Several ranges, other units and what is
 * malformed count as none: the whole object is a right answer to those.
 */
struct range range_read(const char *header, int64_t size);

/* Whether header If-Range (NULL: absent) lets a range be answered. */
bool range_applies(const char *if_range, const struct validators *object);

/* Whether the client has the object already: If-None-Match, or without that If-Modified-Since. */
bool range_not_modified(
    const char *if_none_match, const char *if_modified_since, const struct validators *object);

#endif
