/*
 * A look over TOML text before it is parsed; see toml_scan.h for what it is after.
 */
#include "toml_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_PARTS_MAX = 100,
    NESTING_MAX = 60,
};

struct scan {
    const char *at, *end;
    const char *line_start;
    int line;
    int dots; /* since the key, or whatever may be one, began */
    /* What is open: a bit each, the innermost lowest, 1 for an array and 0 for an inline table. */
    uint64_t arrays;
    int depth;
    bool value; /* a value may stand here, not a key */
};

static int refuse(const struct scan *scan, struct toml_error *error, const char *problem)
{
    error->line = scan->line;
    error->column = (int)(scan->at - scan->line_start) + 1;
    snprintf(error->text, sizeof error->text, "%s", problem);
    return -EINVAL;
}

static void line_ended(struct scan *scan)
{
    scan->line++;
    scan->line_start = scan->at;
    scan->dots = 0;
    if (scan->depth == 0)
        scan->value = false;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* How often the character at the current place is repeated, up to most. */
static size_t run_length(const struct scan *scan, size_t most)
{
    size_t length = 1;
    while (length < most && scan->at + length < scan->end && scan->at[length] == *scan->at)
        length++;
    return length;
}

/* Moves behind a string; to the end of the text when it is not closed, so that toml++ says so. */
static void skip_string(struct scan *scan)
{
    const char quote = *scan->at;
    const size_t opening = run_length(scan, 3);
    scan->at += opening;
    if (opening == 2)
        return;

    while (scan->at < scan->end) {
        if (*scan->at == '\n') {
            if (opening == 1)
                break;
            scan->at++;
            scan->line++;
            scan->line_start = scan->at;
        } else if (*scan->at == '\\' && quote == '"') {
            /* An escaped line end is a line end still. */
            scan->at += scan->at + 1 < scan->end && scan->at[1] != '\n' ? 2 : 1;
        } else if (*scan->at == quote && run_length(scan, 3) >= opening) {
            /* A string of three quotes may end in up to two more of them. */
            scan->at += opening == 1 ? 1 : run_length(scan, 5);
            return;
        } else {
            scan->at++;
        }
    }
    scan->at = scan->end;
}

/* Whether a header, at its first bracket, begins with a key, or with "]", which toml++ refuses in its own
 * words. */
static bool header_begins(const struct scan *scan)
{
    const char *at = scan->at + 1;
    if (at < scan->end && *at == '[')
        at++;
    while (at < scan->end && (*at == ' ' || *at == '\t'))
        at++;
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-]";
    return at == scan->end || is_quote(*at) || (*at != '\0' && strchr(bare, *at) != NULL);
}

static bool line_begins(const struct scan *scan)
{
    for (const char *at = scan->line_start; at < scan->at; at++)
        if (*at != ' ' && *at != '\t')
            return false;
    return true;
}

/*
 * Whether a string, array or inline table at the current place would begin within a word. toml++ reads such a
 * word to its end, whatever stands in the quotes.
 */
static bool within_word(const struct scan *scan)
{
    if (scan->at == scan->line_start)
        return false;
    char before = scan->at[-1];
    return before == '\0' || strchr(scan->value ? " \t,[=" : " \t,[{.", before) == NULL;
}

static void open_bracket(struct scan *scan, bool array)
{
    scan->arrays = scan->arrays << 1 | array;
    scan->depth++;
    scan->value = array;
}

static void close_bracket(struct scan *scan)
{
    if (scan->depth > 0) {
        scan->arrays >>= 1;
        scan->depth--;
        scan->value = true;
    }
}

/* Follows what stands at the current place outside of strings and comments, and moves on. */
static void follow(struct scan *scan)
{
    switch (*scan->at++) {
    case '[':
        open_bracket(scan, true);
        break;
    case '{':
        open_bracket(scan, false);
        scan->dots = 0;
        break;
    case ']':
    case '}':
        close_bracket(scan);
        break;
    case '=':
        scan->value = true;
        scan->dots = 0;
        break;
    case ',':
        scan->value = (scan->arrays & 1) != 0;
        scan->dots = 0;
        break;
    case '.':
        scan->dots++;
        break;
    case '\n':
        line_ended(scan);
        break;
    }
}

static int check_character(const struct scan *scan, struct toml_error *error)
{
    unsigned char c = (unsigned char)*scan->at;
    if (c >= 0x80)
        return refuse(scan, error, "a character beyond ASCII stands outside of strings and comments");
    if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
        return refuse(scan, error, "a control character stands outside of strings");
    bool begins = is_quote(*scan->at) || (scan->value && (*scan->at == '[' || *scan->at == '{'));
    if ((begins && within_word(scan)) || (scan->value && *scan->at == '='))
        return refuse(scan, error, "a quote, bracket or equals sign stands within a word");
    if (is_quote(*scan->at) && !scan->value && run_length(scan, 3) == 3)
        return refuse(scan, error, "a string of several lines is no key");
    if (scan->dots >= KEY_PARTS_MAX)
        return refuse(scan, error, "a key has too many parts");
    if (scan->depth >= NESTING_MAX)
        return refuse(scan, error, "values are nested too deeply");
    return 0;
}

/* Takes one character, or one string, comment or header's beginning. */
static int scan_one(struct scan *scan, struct toml_error *error)
{
    int result = check_character(scan, error);
    if (result != 0)
        return result;

    if (is_quote(*scan->at)) {
        skip_string(scan);
    } else if (*scan->at == '#') {
        const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
        scan->at = newline == NULL ? scan->end : newline;
    } else if (*scan->at == '[' && scan->depth == 0 && line_begins(scan)) {
        if (!header_begins(scan))
            return refuse(scan, error, "a table's header begins with no key");
        scan->at += scan->at + 1 < scan->end && scan->at[1] == '[' ? 2 : 1;
    } else {
        follow(scan);
    }
    return 0;
}

int toml_scan(const char *text, size_t length, struct toml_error *error)
{
    /* A byte order mark may begin a document, and is no character of it. */
    const char *start = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    struct scan scan = { .at = start, .end = text + length, .line_start = start, .line = 1 };
    int result = 0;
    while (scan.at < scan.end && result == 0)
        result = scan_one(&scan, error);
    return result;
}
