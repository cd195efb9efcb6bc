/*
 * Numbers in texts (ECMAScript 7.1.4.1, StringToNumber).
 */
#include "lib/number.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define WHITE_SPACE " \t\n\r\f\v"
#define DIGITS "0123456789"

/* How many bytes a decimal literal takes, 0 when there is none. */
static size_t decimal_length(const char *text)
{
    const char *at = text + (*text == '+' || *text == '-');
    size_t before = strspn(at, DIGITS);
    at += before;
    size_t behind = *at == '.' ? strspn(at + 1, DIGITS) : 0;
    if (before + behind == 0)
        return 0;
    if (*at == '.')
        at += 1 + behind;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1 + (at[1] == '+' || at[1] == '-');
        size_t digits = strspn(exponent, DIGITS);
        if (digits > 0)
            at = exponent + digits;
    }
    return (size_t)(at - text);
}

static int digit_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 16;
}

static double read_based(const char *digits, size_t length, int base, double otherwise)
{
    double value = 0;
    for (size_t i = 0; i < length; i++) {
        if (digit_value(digits[i]) >= base)
            return otherwise;
        value = value * base + digit_value(digits[i]);
    }
    return length > 0 ? value : otherwise;
}

double number_read(const char *text, double otherwise)
{
    text += strspn(text, WHITE_SPACE);
    size_t length = strlen(text);
    while (length > 0 && strchr(WHITE_SPACE, text[length - 1]) != NULL)
        length--;
    if (length == 0)
        return 0;

    int marker = length > 1 && text[0] == '0' ? tolower((unsigned char)text[1]) : 0;
    int base = marker == 'x' ? 16 : marker == 'o' ? 8 : marker == 'b' ? 2 : 0;
    if (base != 0)
        return read_based(text + 2, length - 2, base, otherwise);
    return decimal_length(text) == length ? strtod(text, NULL) : otherwise;
}
