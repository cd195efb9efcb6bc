/*
 * Durations, sizes and rates; see units.h for the forms.
 */
#include "units.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Ascending, so that formatting can take the largest that divides. */
static const struct unit durations[] = {
    { "ms", 1 },
    { "s", 1000 },
    { "min", 60 * 1000 },
    { "h", 60 * 60 * 1000 },
    { "d", 24 * 60 * 60 * 1000 },
    { 0 },
};
static const struct unit sizes[] = {
    { "B", 1 },
    { "KiB", 1024 },
    { "MiB", 1024 * 1024 },
    { "GiB", 1024 * 1024 * 1024 },
    { 0 },
};
static const struct unit windows[] = {
    { "s", 1 },
    { "min", 60 },
    { "h", 60 * 60 },
    { "day", 24 * 60 * 60 },
    { 0 },
};

/* Reads a whole number of at most 12 digits and moves *text behind it. */
static bool number_parse(const char **text, int64_t *number)
{
    size_t digits = strspn(*text, "0123456789");
    if (digits == 0 || digits > 12)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++)
        *number = *number * 10 + ((*text)[i] - '0');
    *text += digits;
    return true;
}

static int64_t unit_factor(const struct unit *units, const char *name)
{
    for (; units->name != NULL; units++)
        if (strcmp(units->name, name) == 0)
            return units->factor;
    return 0;
}

static bool quantity_parse(const struct unit *units, const char *text, int64_t *result)
{
    int64_t number;
    if (!number_parse(&text, &number))
        return false;
    int64_t factor = unit_factor(units, text);
    return factor != 0 && !__builtin_mul_overflow(number, factor, result);
}

static const char *quantity_format(const struct unit *units, int64_t value, char *buffer)
{
    const struct unit *best = units;
    for (const struct unit *unit = units; value != 0 && unit->name != NULL; unit++)
        if (value % unit->factor == 0)
            best = unit;
    snprintf(buffer, 32, "%lld%s", (long long)(value / best->factor), best->name);
    return buffer;
}

bool duration_parse(const char *text, int64_t *result)
{
    return quantity_parse(durations, text, result);
}

bool size_parse(const char *text, int64_t *result)
{
    return quantity_parse(sizes, text, result);
}

const char *duration_format(int64_t milliseconds, char *buffer)
{
    return quantity_format(durations, milliseconds, buffer);
}

const char *size_format(int64_t bytes, char *buffer)
{
    return quantity_format(sizes, bytes, buffer);
}

static bool scope_parse(const char *text, enum rate_scope *scope)
{
    if (*text == '\0')
        *scope = RATE_TOTAL;
    else if (strcmp(text, " per user") == 0)
        *scope = RATE_PER_USER;
    else if (strcmp(text, " per ip") == 0)
        *scope = RATE_PER_IP;
    else
        return false;
    return true;
}

bool rate_parse(const char *text, struct rate_limit *result)
{
    *result = (struct rate_limit){ .scope = RATE_NONE };
    if (strcmp(text, "none") == 0)
        return true;

    int64_t count;
    if (!number_parse(&text, &count) || count < 1 || count > UINT32_MAX || *text++ != '/')
        return false;

    char window[8];
    size_t length = strcspn(text, " ");
    if (length >= sizeof window)
        return false;
    memcpy(window, text, length);
    window[length] = '\0';

    result->count = (uint32_t)count;
    result->window_seconds = (uint32_t)unit_factor(windows, window);
    return result->window_seconds != 0 && scope_parse(text + length, &result->scope);
}

const char *rate_format(const struct rate_limit *rate, char *buffer)
{
    if (rate->scope == RATE_NONE)
        return "-";
    const struct unit *window = windows;
    while (window->factor != rate->window_seconds)
        window++;
    const char *scope = rate->scope == RATE_PER_USER ? " per user"
                        : rate->scope == RATE_PER_IP ? " per ip"
                                                     : "";
    snprintf(buffer, 64, "%u/%s%s", rate->count, window->name, scope);
    return buffer;
}
