/*
 * Input tables: days and times of day.
 */
#include "validate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool input_matches(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++) {
        bool fits = *pattern == 'd'   ? isdigit((unsigned char)*text) != 0
                    : *pattern == 'x' ? isxdigit((unsigned char)*text) != 0
                                      : *text == *pattern;
        if (!fits)
            return false;
    }
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

static bool is_date(const char *text)
{
    return strlen(text) >= 10 && input_matches(text, "dddd-dd-dd") &&
           real_day(atoi(text), atoi(text + 5), atoi(text + 8));
}

/* Behind the date: T or a blank, hh:mm[:ss[.fraction]], then nothing, Z or an offset (ISO 8601). */
bool input_is_datetime(const char *text)
{
    if (!is_date(text) || strchr("Tt ", text[10]) == NULL || text[10] == '\0' ||
        !input_matches(text + 11, "dd:dd"))
        return false;
    if (atoi(text + 11) > 23 || atoi(text + 14) > 59)
        return false;
    text += 16;
    if (input_matches(text, ":dd")) {
        if (atoi(text + 1) > 60)
            return false;
        text += 3;
        if (*text == '.') {
            size_t digits = strspn(text + 1, "0123456789");
            if (digits == 0)
                return false;
            text += 1 + digits;
        }
    }
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    size_t length = strlen(text);
    return (length == 6 && input_matches(text + 1, "dd:dd")) ||
           (length == 5 && input_matches(text + 1, "dddd")) || (length == 3 && input_matches(text + 1, "dd"));
}

bool input_is_day(const char *text)
{
    return strlen(text) == 10 && is_date(text);
}

/* The day counts, whatever time stands behind it. */
json_t *input_check_day(edge_ctx *ctx, const struct input_path *path, json_t *value)
{
    const char *text = input_text(ctx, path, value);
    if (!input_is_day(text) && !input_is_datetime(text))
        input_fail(ctx, path, "must be a date, YYYY-MM-DD");
    if (atoi(text) < 1900 || atoi(text) > 2200)
        input_fail(ctx, path, "must be a date of the years 1900 to 2200");
    return input_is_day(text) ? value : json_stringn(text, 10);
}

json_t *input_check_clock(edge_ctx *ctx, const struct input_path *path, json_t *value)
{
    const char *text = input_text(ctx, path, value);
    size_t length = strlen(text);
    bool fits =
        (length == 5 && input_matches(text, "dd:dd")) || (length == 8 && input_matches(text, "dd:dd:dd"));
    if (!fits || atoi(text) > 23 || atoi(text + 3) > 59 || (length == 8 && atoi(text + 6) > 59))
        input_fail(ctx, path, "must be a time of day, HH:MM or HH:MM:SS");
    return length == 8 ? value : json_string(edge_format(ctx, "%s:00", text));
}
