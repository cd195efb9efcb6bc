/*
 * Whole numbers as decimal digits. Answers, statements and log lines have dozens of them, and printf takes
 * twenty times as long for one.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

/* "-9223372036854775808" */
#define DECIMAL_SIZE 20

/* Writes the digits so that they end at end, at most DECIMAL_SIZE of them; returns where they begin. No NUL. */
static inline char *decimal_before(char *end, int64_t value)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--end = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0)
        *--end = '-';
    return end;
}

/* Writes exactly count digits, with zeros in front, and returns the place behind them. value is not negative.
 */
static inline char *decimal_fixed(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + count;
}

#endif
