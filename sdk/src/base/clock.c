/*
 * Clocks: the wall clock that functions see, and the monotonic one that deadlines and durations use.
 */
#include <context.h>

#include "base/decimal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

int64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t edge_now_exact(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t edge_now(edge_ctx *ctx)
{
    return ctx->now_us;
}

const char *edge_iso_time(edge_ctx *ctx, int64_t microseconds)
{
    int64_t seconds = microseconds / 1000000, rest = microseconds % 1000000;
    if (rest < 0) {
        seconds--;
        rest += 1000000;
    }

    time_t when = (time_t)seconds;
    struct tm utc;
    gmtime_r(&when, &utc);
    int year = utc.tm_year + 1900;
    if (year < 0 || year > 9999)
        return edge_format(ctx, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, utc.tm_mon + 1, utc.tm_mday,
            utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(rest / 1000));

    static const char separators[] = "--T::.Z";
    const int parts[] = { year, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
        (int)(rest / 1000) };
    const int digits[] = { 4, 2, 2, 2, 2, 2, 3 };
    char *text = edge_alloc(ctx, sizeof "2026-03-10T12:00:00.123Z"), *at = text;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        at = decimal_fixed(at, parts[i], digits[i]);
        *at++ = separators[i];
    }
    return text;
}
