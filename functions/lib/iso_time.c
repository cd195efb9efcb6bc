/*
 * Times as other systems write them.
 */
#include "lib/iso_time.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* d stands for a digit, everything else for itself. */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++)
        if (*pattern == 'd' ? !isdigit((unsigned char)*text) : *text != *pattern)
            return false;
    return true;
}

static bool begins_with_day(const char *text)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (!looks_like(text, "dddd-dd-dd"))
        return false;
    int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

bool iso_day_is_real(const char *text)
{
    return text != NULL && begins_with_day(text) && text[10] == '\0';
}

/* Seconds that a text behind the time shifts it from UTC; false when it is no offset. */
static bool read_offset(const char *text, int64_t *seconds)
{
    *seconds = 0;
    if (text[0] == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0 || strcmp(text, "GMT") == 0)
        return true;
    bool west = text[0] == '-';
    if ((!west && text[0] != '+') || !looks_like(text + 1, "dd"))
        return false;
    const char *minutes = text + 3 + (text[3] == ':');
    if (*minutes != '\0' && (!looks_like(minutes, "dd") || minutes[2] != '\0'))
        return false;
    *seconds = (atoi(text + 1) * 60 + atoi(minutes)) * 60;
    *seconds = west ? -*seconds : *seconds;
    return true;
}

bool iso_time_read(const char *text, int64_t *microseconds)
{
    enum {
        MICROSECOND_DIGITS = 6
    };
    if (text == NULL || !begins_with_day(text) || strchr("Tt ", text[10]) == NULL || text[10] == '\0' ||
        !looks_like(text + 11, "dd:dd:dd"))
        return false;
    struct tm at = { .tm_year = atoi(text) - 1900,
        .tm_mon = atoi(text + 5) - 1,
        .tm_mday = atoi(text + 8),
        .tm_hour = atoi(text + 11),
        .tm_min = atoi(text + 14),
        .tm_sec = atoi(text + 17) };
    if (at.tm_hour > 23 || at.tm_min > 59 || at.tm_sec > 60)
        return false;

    int64_t fraction = 0, offset;
    text += 19;
    if (*text == '.') {
        size_t digits = strspn(++text, "0123456789");
        if (digits == 0)
            return false;
        for (size_t i = 0; i < MICROSECOND_DIGITS; i++)
            fraction = fraction * 10 + (i < digits ? text[i] - '0' : 0);
        text += digits;
    }
    if (!read_offset(text, &offset))
        return false;
    *microseconds = ((int64_t)timegm(&at) - offset) * 1000000 + fraction;
    return true;
}

const char *iso_day(edge_ctx *ctx, int64_t microseconds)
{
    return edge_copy_bytes(ctx, edge_iso_time(ctx, microseconds), strlen("YYYY-MM-DD"));
}
