/*
 * Times as PostgreSQL writes them with DateStyle ISO (src/backend/utils/adt/datetime.c, EncodeDateTime):
 * 2026-03-10 12:00:00.123456+00, offset of hours, minutes when not zero; "infinity"; " BC" behind a year
 * before 1.
 */
#include "db/rows.h"

#include <ctype.h>
#include <stdio.h>
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

static int64_t offset_seconds(const char *at)
{
    if (*at != '+' && *at != '-')
        return 0;
    int hours = 0, minutes = 0, seconds = 0;
    sscanf(at + 1, "%2d:%2d:%2d", &hours, &minutes, &seconds);
    int64_t offset = hours * 3600 + minutes * 60 + seconds;
    return *at == '-' ? -offset : offset;
}

int64_t rows_parse_time(const char *text)
{
    if (strcmp(text, "infinity") == 0)
        return INT64_MAX;
    if (strcmp(text, "-infinity") == 0)
        return INT64_MIN;

    long long year = 0;
    int month = 1, day = 1, hour = 0, minute = 0, second = 0, length = 0;
    if (sscanf(text, "%lld-%2d-%2d%n", &year, &month, &day, &length) < 3)
        return 0;
    const char *at = text + length;
    if (*at == ' ' && sscanf(at, " %2d:%2d:%2d%n", &hour, &minute, &second, &length) == 3)
        at += length;
    int64_t micros = fraction_us(&at);
    int64_t offset = offset_seconds(at);
    if (strstr(at, "BC") != NULL)
        year = 1 - year;

    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
    return seconds * 1000000 + micros;
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
