/*
 * The form-data parser; see multipart.h. Debian has no C library that parses it from memory. It is fuzzed by
 * tests/fuzz/multipart.c.
 */
#include "multipart.h"

#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* RFC 9110 5.6.2 */
static bool is_token(char c)
{
    return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

/* Behind a quoted string's closing quote; NULL when it is not closed. A backslash escapes quotes only. */
static const char *end_of_quoted(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\' && at + 1 < end && at[1] == '"')
            at++;
    return at < end ? at + 1 : NULL;
}

struct multipart_parameter multipart_parameter(const char *value, size_t length, const char *name)
{
    const struct multipart_parameter none = { .length = -1 };
    const char *end = value + length, *at = memchr(value, ';', length);
    while (at != NULL && at < end && *at == ';') {
        const char *key = skip_blanks(at + 1, end);
        at = key;
        while (at < end && is_token(*at))
            at++;
        bool wanted = (size_t)(at - key) == strlen(name) && strncasecmp(key, name, strlen(name)) == 0;
        if (at == end || *at != '=')
            return none;
        const char *text = ++at;
        bool quoted = at < end && *at == '"';
        if (quoted)
            at = end_of_quoted(at, end);
        else
            while (at < end && is_token(*at))
                at++;
        if (at == NULL)
            return none;
        if (wanted)
            return (struct multipart_parameter){ text + quoted, at - text - 2 * quoted, quoted };
        at = skip_blanks(at, end);
    }
    return none;
}

/*
 * Browsers percent-encode the three characters that would break the header (WHATWG HTML 4.10.22.7), other
 * clients put a backslash before a quote.
 */
size_t multipart_unescape(struct multipart_parameter parameter, char *out)
{
    static const struct {
        char code[4], character;
    } escapes[] = { { "%22", '"' }, { "%0D", '\r' }, { "%0A", '\n' } };
    char *to = out;
    for (ptrdiff_t i = 0; i < parameter.length; i++) {
        char c = parameter.text[i];
        if (parameter.quoted && c == '\\' && i + 1 < parameter.length && parameter.text[i + 1] == '"')
            c = parameter.text[++i];
        for (size_t k = 0; c == '%' && i + 2 < parameter.length && k < 3; k++) {
            if (strncasecmp(parameter.text + i, escapes[k].code, 3) != 0)
                continue;
            c = escapes[k].character;
            i += 2;
        }
        *to++ = c;
    }
    *to = '\0';
    return (size_t)(to - out);
}

bool multipart_begin(struct multipart *multipart, const char *content_type, const void *body, size_t length)
{
    static const char type[] = "multipart/form-data";
    *multipart = (struct multipart){ .at = body, .end = (const char *)body + length };
    if (strncasecmp(content_type, type, sizeof type - 1) != 0 || is_token(content_type[sizeof type - 1]))
        return false;
    struct multipart_parameter boundary = multipart_parameter(content_type, strlen(content_type), "boundary");
    if (boundary.length < 1 || boundary.length > MULTIPART_BOUNDARY_MAX ||
        memchr(boundary.text, '\\', (size_t)boundary.length) != NULL)
        return false;
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary.text, (size_t)boundary.length);
    multipart->delimiter_length = 4 + (size_t)boundary.length;
    return true;
}

/* The next delimiter line from at on, with the line end before it; NULL: there is none. */
static const char *find_delimiter(const struct multipart *multipart, const char *at)
{
    size_t left = (size_t)(multipart->end - at);
    return left > 0 ? memmem(at, left, multipart->delimiter, multipart->delimiter_length) : NULL;
}

/* Behind a delimiter: "--" ends the body, blanks and a line end begin a part. NULL: neither. */
static const char *end_of_delimiter(struct multipart *multipart, const char *at)
{
    if (multipart->end - at >= 2 && at[0] == '-' && at[1] == '-') {
        multipart->ended = true;
        return multipart->end;
    }
    at = skip_blanks(at, multipart->end);
    return multipart->end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? at + 2 : NULL;
}

/*
 * The first delimiter: at the body's very beginning it needs no line end before it. What comes before it else
 * is a preamble that nobody reads.
 */
static bool start(struct multipart *multipart, const char **why)
{
    const char *at = multipart->at, *boundary = multipart->delimiter + 2;
    size_t length = multipart->delimiter_length - 2;
    bool first = (size_t)(multipart->end - at) >= length && memcmp(at, boundary, length) == 0;
    const char *found = first ? at : find_delimiter(multipart, at);
    *why = "The multipart body has no boundary line";
    if (found == NULL)
        return false;
    multipart->at = end_of_delimiter(multipart, found + length + (first ? 0 : 2));
    multipart->started = true;
    *why = "The multipart body has a malformed boundary line";
    return multipart->at != NULL;
}

/* The head ends with an empty line, which may be its first. */
static bool take_head(struct multipart *multipart, struct multipart_part *part)
{
    size_t left = (size_t)(multipart->end - multipart->at);
    size_t most = left < MULTIPART_HEAD_MAX_BYTES ? left : MULTIPART_HEAD_MAX_BYTES;
    part->head = multipart->at;
    part->head_length = 0;
    if (left >= 2 && memcmp(multipart->at, "\r\n", 2) == 0) {
        multipart->at += 2;
        return true;
    }
    const char *end = memmem(multipart->at, most, "\r\n\r\n", 4);
    if (end == NULL)
        return false;
    part->head_length = (size_t)(end + 2 - multipart->at);
    multipart->at = end + 4;
    return true;
}

int multipart_next(struct multipart *multipart, struct multipart_part *part, const char **why)
{
    if (!multipart->started && !start(multipart, why))
        return -1;
    if (multipart->ended)
        return 0;
    *why = "A part's header is malformed or larger than 8 KiB";
    if (!take_head(multipart, part))
        return -1;

    /* An empty part's delimiter may share its line end with the head. */
    part->data = multipart->at;
    const char *found = find_delimiter(multipart, multipart->at - 2);
    *why = "The multipart body ends within a part";
    if (found == NULL)
        return -1;
    part->length = found > part->data ? (size_t)(found - part->data) : 0;
    *why = "The multipart body has a malformed boundary line";
    multipart->at = end_of_delimiter(multipart, found + multipart->delimiter_length);
    return multipart->at != NULL ? 1 : -1;
}

int multipart_header(struct multipart_part *part, struct multipart_header *header)
{
    if (part->head_length == 0)
        return 0;
    const char *line = part->head, *end = memmem(line, part->head_length, "\r\n", 2);
    if (end == NULL)
        return -1;
    part->head_length -= (size_t)(end + 2 - line);
    part->head = end + 2;

    const char *at = line;
    while (at < end && is_token(*at))
        at++;
    if (at == line || at == end || *at != ':')
        return -1; /* a folded line, too: RFC 7578 has no use for them */
    header->name = line;
    header->name_length = (size_t)(at - line);
    header->value = skip_blanks(at + 1, end);
    while (end > header->value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    header->value_length = (size_t)(end - header->value);
    return 1;
}
