/*
 * A request's path, decoded and cut into segments: what route.c matches against.
 */
#ifndef HTTP_ROUTE_PATH_H
#define HTTP_ROUTE_PATH_H

#include <stddef.h>

/* A route longer than this is refused; a path may be, only a wildcard can match it then. */
#define ROUTE_SEGMENT_MAX 24

struct route_path {
    const char *raw;
    size_t raw_length;
    const char *text; /* decoded but for %2F, NUL-terminated */
    size_t length;
    /* starts[i] is the offset of segment i's text; segment i ends before starts[i + 1] - 1. */
    size_t starts[ROUTE_SEGMENT_MAX + 1];
    size_t segment_count; /* ROUTE_SEGMENT_MAX + 1: more than that */
};

/* Decodes a path into out (length + 1 bytes). 0 or -EINVAL, as route_find. */
int route_path_read(struct route_path *path, const char *raw, size_t length, char *out);

/* Text of segment i < segment_count, and its length. */
const char *route_path_segment(const struct route_path *path, size_t i, size_t *length);

/* Value of segment i < segment_count with its encoded slashes decoded, for a parameter; returns its length. */
size_t route_path_value(const struct route_path *path, size_t i, char *out);

#endif
