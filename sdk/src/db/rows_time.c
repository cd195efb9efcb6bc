/*
 * Times as PostgreSQL writes them with DateStyle ISO (src/backend/utils/adt/datetime.c, EncodeDateTime):
 * 2026-03-10 12:00:00.123456+00, offset of hours, minutes when not zero; "infinity"; " BC" behind a year
 * before 1.
 */
#include "db/rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Days from 1970-01-01 in the proleptic Gregorian calendar; years count from March, so leap days end them. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t fraction_us(const char **at)
{
    int64_t value = 0, unit = 100000;
    if (**at != '.')
        return 0;
    for ((*at)++; isdigit((unsigned char)**at); (*at)++, unit /= 10)
        value += (**at - '0') * unit;
    return value;
}

/* Reads digits, at most so many; 0 when there are none. sscanf takes ten times as long for a time. */
static int64_t number(const char **at, int digits_max)
{
    int64_t value = 0;
    for (; digits_max > 0 && isdigit((unsigned char)**at); digits_max--)
        value = value * 10 + *(*at)++ - '0';
    return value;
}

/* Steps over a separator, if it is there. */
static bool skip(const char **at, char separator)
{
    bool there = **at == separator;
    *at += there;
    return there;
}

/* Hours, and minutes and seconds when they are said, in seconds. */
static int64_t clock_seconds(const char **at)
{
    int64_t hours = number(at, 2), minutes = skip(at, ':') ? number(at, 2) : 0;
    int64_t seconds = skip(at, ':') ? number(at, 2) : 0;
    return hours * 3600 + minutes * 60 + seconds;
}

static int64_t offset_seconds(const char **at)
{
    if (skip(at, '+'))
        return clock_seconds(at);
    return skip(at, '-') ? -clock_seconds(at) : 0;
}

int64_t rows_parse_time(const char *text)
{
    if (strcmp(text, "infinity") == 0)
        return INT64_MAX;
    if (strcmp(text, "-infinity") == 0)
        return INT64_MIN;

    const char *at = text;
    int64_t year = number(&at, 9), month = skip(&at, '-') ? number(&at, 2) : 0;
    int64_t day = skip(&at, '-') ? number(&at, 2) : 0;
    if (day == 0) /* no time at all */
        return 0;
    bool timed = at[0] == ' ' && isdigit((unsigned char)at[1]) && skip(&at, ' ');
    int64_t seconds = timed ? clock_seconds(&at) : 0;
    int64_t micros = fraction_us(&at);
    seconds -= offset_seconds(&at);
    if (strstr(at, "BC") != NULL)
        year = 1 - year;
    return (days_from_civil(year, (int)month, (int)day) * 86400 + seconds) * 1000000 + micros;
}

const char *rows_iso_time(const char *text, char iso[ISO_TIME_SIZE])
{
    size_t length = strlen(text);
    const char *blank = strchr(text, ' ');
    if (blank == NULL || strstr(blank, "BC") != NULL || length + sizeof ":00" > ISO_TIME_SIZE)
        return text;

    memcpy(iso, text, length + 1);
    iso[blank - text] = 'T';
    if (length > 3 && (iso[length - 3] == '+' || iso[length - 3] == '-'))
        memcpy(iso + length, ":00", sizeof ":00");
    return iso;
}
