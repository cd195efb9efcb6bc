/*
 * Pieces of a log line: bytes, numbers, and text made safe.
 *
 * Text comes from clients and providers. Control characters (C0, DEL, C1) are escaped, so that no value can
 * start a line of its own or talk to the operator's terminal; bytes that are no UTF-8 become U+FFFD.
 */
#include "line.h"

#include "base/decimal.h"
#include "base/words.h"

#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"
#define ELLIPSIS "\xE2\x80\xA6"
#define ESCAPE_MAX 6 /* bytes of \u0000, the longest piece that is written at once */

void line_put_integer(struct line *line, int64_t value)
{
    char digits[DECIMAL_SIZE], *at = decimal_before(digits + sizeof(digits), value);
    line_put(line, at, (size_t)(digits + sizeof(digits) - at));
}

static bool plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

/* How many plain bytes the text begins with. */
static size_t plain_run(const unsigned char *at, size_t length)
{
    size_t run = 0;
    for (; length - run >= sizeof(uint64_t); run += sizeof(uint64_t)) {
        uint64_t word = word_at(at + run);
        if ((word_has_control(word) | word_has_high(word) | word_has(word, 0x7F) | word_has(word, '"') |
                word_has(word, '\\')) != 0)
            break;
    }
    while (run < length && plain(at[run]))
        run++;
    return run;
}

static bool continues(const unsigned char *at, size_t left, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        if (i >= left || (at[i] & 0xC0) != 0x80)
            return false;
    return true;
}

/* Length of the well-formed sequence at a byte of 0x80 or more (Unicode 15, table 3-7); 0: there is none. */
static size_t sequence(const unsigned char *at, size_t left)
{
    unsigned char first = at[0], second = left > 1 ? at[1] : 0;
    if (first >= 0xC2 && first <= 0xDF)
        return continues(at, left, 1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        bool overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second > 0x9F;
        return !overlong && !surrogate && continues(at, left, 2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        bool overlong = first == 0xF0 && second < 0x90, beyond = first == 0xF4 && second > 0x8F;
        return !overlong && !beyond && continues(at, left, 3) ? 4 : 0;
    }
    return 0;
}

static void put_code(struct line *line, unsigned char code)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[] = { '\\', 'u', '0', '0', hex[code >> 4], hex[code & 15] };
    line_put(line, escape, sizeof(escape));
}

static void put_ascii_escape(struct line *line, unsigned char byte)
{
    static const char letters[] = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\' };
    if (byte < sizeof(letters) && letters[byte] != '\0')
        line_put(line, (const char[]){ '\\', letters[byte] }, 2);
    else
        put_code(line, byte);
}

/* Writes what is not plain at the start of the text; returns how much of it that was. */
static size_t put_special(struct line *line, const unsigned char *at, size_t left)
{
    if (at[0] < 0x80) {
        put_ascii_escape(line, at[0]);
        return 1;
    }
    size_t length = sequence(at, left);
    if (length == 0) {
        line_put(line, REPLACEMENT, strlen(REPLACEMENT));
        return 1;
    }
    if (length == 2 && at[0] == 0xC2 && at[1] < 0xA0)
        put_code(line, at[1]);
    else
        line_put(line, (const char *)at, length);
    return length;
}

/* The value is cut where it, or the line, has no more room for the longest piece and the closing quote. */
void line_put_quoted(struct line *line, const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    size_t closing = strlen(ELLIPSIS) + 1;
    line_put(line, "\"", 1);
    if (line->full || (size_t)(line->end - line->at) < ESCAPE_MAX + closing) {
        line->full = true;
        return;
    }

    size_t room = (size_t)(line->end - line->at) - closing;
    char *last = line->at + (room < LOG_VALUE_MAX ? room : LOG_VALUE_MAX) - ESCAPE_MAX;
    while (at < end && line->at <= last) {
        size_t fits = (size_t)(last - line->at) + 1, left = (size_t)(end - at);
        size_t run = plain_run(at, fits < left ? fits : left);
        line_put(line, (const char *)at, run);
        at += run;
        if (at < end && line->at <= last)
            at += put_special(line, at, (size_t)(end - at));
    }
    if (at < end)
        line_put(line, ELLIPSIS, strlen(ELLIPSIS));
    line_put(line, "\"", 1);
}
