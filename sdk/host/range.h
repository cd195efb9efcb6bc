/*
 * Which part of a file, if any, a request asks for: conditional requests and ranges of RFC 9110 13 and 14, for
 * whatever answers with files.
 *
 * Conditions count in GET and HEAD requests only, ranges in GET requests (14.2); every other method gets the
 * whole. One range is served; a request for several gets the whole, as 14.2 allows. 304 is for clients that
 * said If-None-Match or If-Modified-Since themselves: others (supabase-js takes any 304 for an error) always
 * get 200.
 *
 *     struct file_answer answer;
 *     file_answer_decide(&answer, &request, &file);
 *     -> answer.status 200 or 206: send answer.length bytes from answer.offset on
 */
#ifndef HOST_RANGE_H
#define HOST_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* What is there to be sent. */
struct file_state {
    uint64_t size;
    int64_t modified_s; /* Unix time; 0: not known */
    char etag[72];      /* strong, with its quotes; "": none */
};

/* The request's method, and its headers; NULL where one is absent. */
struct file_request {
    const char *method;
    const char *range, *if_range;
    const char *if_match, *if_none_match;
    const char *if_modified_since, *if_unmodified_since;
};

struct file_answer {
    int status; /* 200, 206, 304, 412 or 416 */
    uint64_t offset, length;
    char content_range[80]; /* of a 206 or 416, else "" */
    char last_modified[32]; /* "" when it is not known */
};

void file_answer_decide(
    struct file_answer *answer, const struct file_request *request, const struct file_state *file);

/* Size, time and an entity tag made of size and time, of an open regular file. */
void file_state_of(struct file_state *file, const struct stat *status);

/* HTTP dates (RFC 9110 5.6.7): all three formats are read, the first is written. False: it is none. */
bool http_date_read(const char *text, int64_t *seconds);
void http_date_write(int64_t seconds, char out[32]);

#endif
