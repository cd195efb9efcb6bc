/*
 * Repeating calls; see retry.h.
 */
#include "retry.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BACKOFF_MS = 200,
    LARGEST_BACKOFF_MS = 5000,
    DOUBLINGS_MAX = 5,
    RETRY_AFTER_MAX = 24 * 3600
};

bool retry_helps(edge_http_failure failure, int status)
{
    if (failure != EDGE_HTTP_OK)
        return failure == EDGE_HTTP_UNREACHABLE || failure == EDGE_HTTP_TIMEOUT;
    return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

int64_t retry_backoff_ms(int repeat, int retry_after, uint32_t random)
{
    int64_t backoff = (int64_t)FIRST_BACKOFF_MS << (repeat < DOUBLINGS_MAX ? repeat : DOUBLINGS_MAX);
    if (backoff > LARGEST_BACKOFF_MS)
        backoff = LARGEST_BACKOFF_MS;
    int64_t jitter = random % (uint32_t)(backoff / 2 + 1);
    /* Everybody who was told the same second would come back in it: spread them behind it. */
    if (retry_after > 0)
        return (int64_t)retry_after * 1000 + jitter;
    return backoff - jitter;
}

int retry_after_seconds(const char *value, int64_t now_seconds)
{
    if (value == NULL)
        return 0;
    size_t digits = strspn(value, "0123456789");
    int64_t seconds;
    if (digits > 0 && value[digits] == '\0') {
        seconds = digits < 9 ? strtoll(value, NULL, 10) : RETRY_AFTER_MAX;
    } else {
        time_t when = curl_getdate(value, NULL);
        seconds = when < 0 ? 0 : (int64_t)when - now_seconds;
    }
    return seconds < 0 ? 0 : seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (int)seconds;
}
