/*
 * Parsing and matching of cron schedules; see cron.h for the syntax.
 */
#include "cron.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct field {
    const char *name;
    int low, high;
    const char *names; /* three letters each, the first one for value low; NULL: numbers only */
};

static const struct field fields[] = {
    { "minute", 0, 59, NULL },
    { "hour", 0, 23, NULL },
    { "day of month", 1, 31, NULL },
    { "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
    { "day of week", 0, 7, "sunmontuewedthufrisat" },
};
enum {
    FIELD_COUNT = 5
};

/* A value of the field at *text, which is moved behind it; -1 when there is none. */
static int value_parse(const struct field *field, const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    if (digits > 0 && digits <= 2) {
        int value = 0;
        for (; digits > 0; digits--)
            value = value * 10 + (*(*text)++ - '0');
        return value >= field->low && value <= field->high ? value : -1;
    }
    for (const char *name = field->names; name != NULL && *name != '\0'; name += 3) {
        if (strncasecmp(*text, name, 3) == 0) {
            *text += 3;
            return field->low + (int)(name - field->names) / 3;
        }
    }
    return -1;
}

/* "/n" at *text, 1 when there is none, -1 when it is malformed. */
static int step_parse(const char **text)
{
    if (**text != '/')
        return 1;
    const struct field steps = { "step", 1, 59, NULL };
    ++*text;
    return value_parse(&steps, text);
}

/* One item of a list: its bits, 0 when it is malformed. */
static uint64_t item_parse(const struct field *field, const char **text)
{
    int low = field->low, high = field->high;
    bool single = false;
    if (**text == '*') {
        ++*text;
    } else {
        low = high = value_parse(field, text);
        single = **text != '-';
        if (!single) {
            ++*text;
            high = value_parse(field, text);
        }
    }

    /* "5/10" means from 5 on, as cron implementations have it. */
    if (single && **text == '/')
        high = field->high;
    int step = step_parse(text);
    if (low < 0 || high < low || step < 0)
        return 0;

    uint64_t bits = 0;
    for (int value = low; value <= high; value += step)
        bits |= UINT64_C(1) << value;
    return bits;
}

static uint64_t field_parse(const struct field *field, const char *text)
{
    uint64_t bits = 0;
    for (;;) {
        uint64_t item = item_parse(field, &text);
        if (item == 0)
            return 0;
        bits |= item;
        if (*text == '\0')
            return bits;
        if (*text++ != ',')
            return 0;
    }
}

/* Splits text at blanks; false when it has not exactly five fields, or one is too long to be meant. */
static bool fields_split(const char *text, char parts[FIELD_COUNT][64])
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        text += strspn(text, " \t");
        size_t length = strcspn(text, " \t");
        if (length == 0 || length >= sizeof parts[i])
            return false;
        memcpy(parts[i], text, length);
        parts[i][length] = '\0';
        text += length;
    }
    return text[strspn(text, " \t")] == '\0';
}

/* 30 February and the like: valid fields that no date satisfies. */
static bool comes_due(const struct cron *cron)
{
    static const int lengths[] = { 0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (!cron->any_weekday)
        return true;
    for (int month = 1; month <= 12; month++)
        if ((cron->months >> month & 1) != 0 && (cron->days & ((UINT64_C(2) << lengths[month]) - 1)) != 0)
            return true;
    return false;
}

bool cron_parse(const char *text, struct cron *cron, char *problem, size_t size)
{
    char parts[FIELD_COUNT][64];
    if (!fields_split(text, parts)) {
        snprintf(
            problem, size, "is no schedule of five fields (minute, hour, day of month, month, day of week)");
        return false;
    }

    uint64_t bits[FIELD_COUNT];
    for (int i = 0; i < FIELD_COUNT; i++) {
        bits[i] = field_parse(&fields[i], parts[i]);
        if (bits[i] == 0) {
            snprintf(problem, size,
                "has \"%s\" as its %s, which takes %d to %d%s, ranges a-b, steps /n and lists", parts[i],
                fields[i].name, fields[i].low, fields[i].high,
                fields[i].names == NULL ? "" : " or names of three letters");
            return false;
        }
    }

    uint64_t weekdays = (bits[4] | bits[4] >> 7) & 0x7f;
    *cron = (struct cron){ bits[0], bits[1], bits[2], bits[3], weekdays, *parts[2] == '*', *parts[4] == '*' };
    if (!comes_due(cron)) {
        snprintf(problem, size, "never comes due: no such day in these months");
        return false;
    }
    return true;
}

static bool day_due(const struct cron *cron, const struct tm *time)
{
    bool day = (cron->days >> time->tm_mday & 1) != 0;
    bool weekday = (cron->weekdays >> time->tm_wday & 1) != 0;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

bool cron_due(const struct cron *cron, const struct tm *time)
{
    return (cron->minutes >> time->tm_min & 1) != 0 && (cron->hours >> time->tm_hour & 1) != 0 &&
           (cron->months >> (time->tm_mon + 1) & 1) != 0 && day_due(cron, time);
}
