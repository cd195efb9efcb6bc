/*
 * Time stamps: reading and writing them.
 */
#include "lib/timestamp.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/field.h"

enum {
    OFFSET_MAX = 14 * 3600,
    MINUTE = 60,
    HOUR = 3600,
};

static bool matches(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++)
        if (*pattern == 'd' ? *text < '0' || *text > '9' : *text != *pattern)
            return false;
    return true;
}

/* timegm makes a real day of any; what comes back different was none. */
static bool read_date(const char *text, int64_t *wall)
{
    if (!matches(text, "dddd-dd-dd") || atoi(text) == 0)
        return false;
    struct tm day = { .tm_year = atoi(text) - 1900, .tm_mon = atoi(text + 5) - 1, .tm_mday = atoi(text + 8) };
    const struct tm asked = day;
    *wall = timegm(&day);
    return day.tm_mday == asked.tm_mday && day.tm_mon == asked.tm_mon && day.tm_year == asked.tm_year;
}

/* HH:MM[:SS[.fraction]]; returns what is behind it, NULL when it is none. */
static const char *read_clock(const char *text, int64_t *wall)
{
    if (!matches(text, "dd:dd") || atoi(text) > 23 || atoi(text + 3) > 59)
        return NULL;
    *wall += atoi(text) * HOUR + atoi(text + 3) * MINUTE;
    text += 5;
    if (*text != ':')
        return text;
    if (!matches(text, ":dd") || atoi(text + 1) > 59)
        return NULL;
    *wall += atoi(text + 1);
    text += 3;
    if (*text != '.')
        return text;
    size_t digits = strspn(text + 1, FIELD_DIGITS);
    return digits > 0 ? text + 1 + digits : NULL;
}

static bool read_offset(edge_ctx *ctx, const char *text, struct timestamp *read)
{
    size_t length = strlen(text);
    read->offset = "";
    if (length == 0)
        return true;
    if (strcasecmp(text, "z") == 0) {
        read->offset = "Z";
        return true;
    }
    bool colon = length == 6 && matches(text + 1, "dd:dd"), bare = length == 5 && matches(text + 1, "dddd");
    if ((text[0] != '+' && text[0] != '-') || (!colon && !bare))
        return false;
    const char *minutes = text + (colon ? 4 : 3);
    int seconds = atoi(edge_copy_bytes(ctx, text + 1, 2)) * HOUR + atoi(minutes) * MINUTE;
    read->offset = edge_format(ctx, "%.3s:%s", text, minutes);
    read->offset_seconds = text[0] == '-' ? -seconds : seconds;
    return atoi(minutes) <= 59 && seconds <= OFFSET_MAX;
}

static const char *seconds_text(edge_ctx *ctx, int64_t wall)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)wall;
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    return edge_copy(ctx, text);
}

bool timestamp_parse(edge_ctx *ctx, const char *text, struct timestamp *read)
{
    *read = (struct timestamp){ .offset = "", .date_only = true };
    if (!read_date(text, &read->wall))
        return false;
    if (text[10] != '\0') {
        read->date_only = false;
        const char *rest = text[10] == 'T' || text[10] == ' ' ? read_clock(text + 11, &read->wall) : NULL;
        if (rest == NULL || !read_offset(ctx, rest, read))
            return false;
    }
    /* strftime's year has no leading zeros. */
    read->seconds = edge_format(ctx, "%.4s%s", text, strchr(seconds_text(ctx, read->wall) + 1, '-'));
    return true;
}

struct timestamp timestamp_read(edge_ctx *ctx, const char *field, const char *text)
{
    struct timestamp read;
    if (!timestamp_parse(ctx, text, &read))
        field_fail(
            ctx, field, "must be a date, or a date and time, as 2031-03-09 or 2031-03-09T14:30:00-05:00");
    return read;
}

int64_t timestamp_instant(edge_ctx *ctx, const char *zone, const struct timestamp *time)
{
    return time->offset[0] != '\0' ? time->wall - time->offset_seconds
                                   : zone_instants(ctx, zone, &time->wall, 1)[0];
}

const char *timestamp_local(edge_ctx *ctx, int64_t instant, int64_t offset_seconds)
{
    int64_t size = llabs(offset_seconds);
    return edge_format(ctx, "%s%c%02lld:%02lld", seconds_text(ctx, instant + offset_seconds),
        offset_seconds < 0 ? '-' : '+', (long long)(size / HOUR), (long long)(size % HOUR / MINUTE));
}
