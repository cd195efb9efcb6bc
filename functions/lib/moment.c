/*
 * Days and times. Nothing here looks at a clock or a time zone.
 */
#include "lib/moment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DAY_YEAR_MIN = 1900, /* of a day alone; what is further off is a typing error */
    DAY_YEAR_MAX = 2200,
    FRACTION_MAX = 9,
};

/* "d" in pattern is any digit; false unless text begins so. */
static bool begins(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++)
        if (*pattern == 'd' ? !isdigit((unsigned char)*text) : *text != *pattern)
            return false;
    return true;
}

static bool real_day(int year, int month, int day)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool iso_day(const char *text)
{
    return begins(text, "dddd-dd-dd") && real_day(atoi(text), atoi(text + 5), atoi(text + 8));
}

/* Length of hh:mm or hh:mm:ss at text, 0 when there is none. */
static size_t clock_length(const char *text)
{
    if (!begins(text, "dd:dd") || atoi(text) > 23 || atoi(text + 3) > 59)
        return 0;
    if (!begins(text + 5, ":dd"))
        return 5;
    return atoi(text + 6) <= 59 ? 8 : 0;
}

/* Nothing, Z, or an offset of at most 15:59, which is as far as PostgreSQL goes. */
static bool is_offset(const char *text)
{
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    size_t length = strlen(text);
    bool shaped = (length == 6 && begins(text + 1, "dd:dd")) || (length == 5 && begins(text + 1, "dddd")) ||
                  (length == 3 && begins(text + 1, "dd"));
    if (!shaped)
        return false;
    int minutes = length == 6 ? atoi(text + 4) : length == 5 ? atoi(text + 3) : 0;
    char hours[] = { text[1], text[2], '\0' };
    return atoi(hours) <= 15 && minutes <= 59;
}

/* What follows the day: T or a blank, a time of day, a fraction of a second, an offset. */
static bool is_time_behind_day(const char *text)
{
    if (strchr("Tt ", text[0]) == NULL)
        return false;
    size_t length = clock_length(text + 1);
    if (length == 0)
        return false;
    text += 1 + length;
    if (length == 8 && *text == '.') {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits == 0 || digits > FRACTION_MAX)
            return false;
        text += 1 + digits;
    }
    return is_offset(text);
}

static bool near_year(int year)
{
    return year >= DAY_YEAR_MIN && year <= DAY_YEAR_MAX;
}

bool moment_day(const char *text, char out[MOMENT_BYTES])
{
    if (!iso_day(text) || !near_year(atoi(text)) || (text[10] != '\0' && !is_time_behind_day(text + 10)))
        return false;
    snprintf(out, MOMENT_BYTES, "%.10s", text);
    return true;
}

/* Reads one or two digits. */
static const char *short_number(const char *text, int *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 2)
        return NULL;
    *number = atoi(text);
    return text + digits;
}

bool moment_day_loose(const char *text, char out[MOMENT_BYTES])
{
    int month = 0, day = 0;
    const char *rest = short_number(text, &month);
    if (rest == NULL || *rest != '/')
        return moment_day(text, out);
    rest = short_number(rest + 1, &day);
    if (rest == NULL || !begins(rest, "/dddd") || rest[5] != '\0' || !near_year(atoi(rest + 1)) ||
        !real_day(atoi(rest + 1), month, day))
        return false;
    snprintf(out, MOMENT_BYTES, "%.4s-%02d-%02d", rest + 1, month, day);
    return true;
}

bool moment_clock(const char *text, char out[MOMENT_BYTES])
{
    size_t length = clock_length(text);
    if (length == 0 || text[length] != '\0')
        return false;
    snprintf(out, MOMENT_BYTES, "%s%s", text, length == 5 ? ":00" : "");
    return true;
}

bool moment_time(const char *text, char out[MOMENT_BYTES])
{
    if (!iso_day(text) || strlen(text) > MOMENT_BYTES - 2)
        return false;
    if (text[10] == '\0') {
        snprintf(out, MOMENT_BYTES, "%.10sT00:00:00Z", text);
        return true;
    }
    if (!is_time_behind_day(text + 10))
        return false;
    bool zoned = strpbrk(text + 11, "Zz+-") != NULL;
    snprintf(out, MOMENT_BYTES, "%s%s", text, zoned ? "" : "Z");
    return true;
}
