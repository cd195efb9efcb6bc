/*
 * A look over TOML text before it is parsed; see toml_scan.h for what it is after.
 */
#include "toml_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_PARTS_MAX = 100
};

struct scan {
    const char *at, *end;
    const char *line_start;
    int line;
    int dots;   /* since the key, or whatever may be one, began */
    int arrays; /* that are open */
};

static int refuse(const struct scan *scan, const char *at, struct toml_error *error, const char *problem)
{
    error->line = scan->line;
    error->column = (int)(at - scan->line_start) + 1;
    snprintf(error->text, sizeof error->text, "%s", problem);
    return -EINVAL;
}

static void line_ended(struct scan *scan)
{
    scan->line++;
    scan->line_start = scan->at;
    scan->dots = 0;
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

/* Takes one character, or one string or comment, outside of both. */
static int scan_one(struct scan *scan, struct toml_error *error)
{
    if (is_quote(*scan->at)) {
        skip_string(scan);
        return 0;
    }
    if (*scan->at == '#') {
        const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
        scan->at = newline == NULL ? scan->end : newline;
        return 0;
    }
    if ((unsigned char)*scan->at >= 0x80)
        return refuse(scan, scan->at, error, "a character beyond ASCII stands outside of strings and comments");
    if (*scan->at == '[' && scan->arrays == 0 && line_begins(scan)) {
        if (!header_begins(scan))
            return refuse(scan, scan->at, error, "a table's header begins with no key");
    } else if (*scan->at == '[') {
        scan->arrays++;
    } else if (*scan->at == ']' && scan->arrays > 0) {
        scan->arrays--;
    }

    if (*scan->at == '.' && ++scan->dots >= KEY_PARTS_MAX)
        return refuse(scan, scan->at, error, "a key has too many parts");
    if (*scan->at == '=' || *scan->at == ',' || *scan->at == '{')
        scan->dots = 0;
    if (*scan->at++ == '\n')
        line_ended(scan);
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
