/*
 * When a call is repeated, and after how long. Pure: no call, no clock, no loop.
 */
#ifndef HTTP_RETRY_H
#define HTTP_RETRY_H

#include <edge/http.h>

/* True when what came of an attempt may be better the next time: no answer, or 429, 500, 502, 503, 504. */
bool retry_helps(edge_http_failure failure, int status);

/*
 * Milliseconds before the repeat-th repeat (counted from 0): doubling from 200 ms to 5 s, of which random (any
 * value) takes up to half away; not before Retry-After, when the provider said one.
 */
int64_t retry_backoff_ms(int repeat, int retry_after_seconds, uint32_t random);

/* Retry-After in seconds (RFC 9110 10.2.3: seconds or a date), 0 when there is none to be understood. */
int retry_after_seconds(const char *value, int64_t now_seconds);

#endif
