/*
 * Mail messages as octets.
 */
#include "lib/mime.h"

#include <string.h>

#define CRLF "\r\n"
#define FOLD CRLF " "

enum {
    /*
     * Bytes that an encoded word holds: 45 make 60 characters of base64, 72 with "=?UTF-8?B?" and "?=", and
     * with the blank of a folded line 73 of the 76 that RFC 2047 2 allows. "Subject: " takes 9 of the first
     * line.
     */
    WORD_MAX = 45,
    FIRST_WORD_MAX = 39,
    BODY_LINE = 76,
};

/* Bytes of the first code points of a text that have no more than max. */
static size_t whole_characters(const char *text, size_t max)
{
    size_t length = strnlen(text, max + 1);
    if (length <= max)
        return length;
    for (length = max; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
        length--;
    return length;
}

static void add_words(struct text *out, const char *text, size_t first_max)
{
    for (size_t max = first_max, length; *text != '\0'; text += length, max = WORD_MAX) {
        length = whole_characters(text, max);
        text_add_format(
            out, "=?UTF-8?B?%s?=%s", edge_base64(out->ctx, text, length), text[length] != '\0' ? FOLD : "");
    }
}

static bool is_printable(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return true;
}

static void add_quoted(struct text *out, const char *name)
{
    text_add(out, "\"");
    for (; *name != '\0'; name++) {
        if (*name == '"' || *name == '\\')
            text_add(out, "\\");
        text_add_bytes(out, name, 1);
    }
    text_add(out, "\"");
}

static void add_address(struct text *out, const struct address *address)
{
    if (address->name == NULL) {
        text_add(out, address->address);
        return;
    }
    if (is_printable(address->name))
        add_quoted(out, address->name);
    else
        add_words(out, address->name, WORD_MAX);
    text_add_format(out, " <%s>", address->address);
}

static void add_addresses(struct text *out, const char *header, const struct addresses *list)
{
    for (size_t i = 0; i < list->count; i++) {
        text_add(out, i == 0 ? header : "," FOLD);
        add_address(out, &list->items[i]);
    }
    if (list->count > 0)
        text_add(out, CRLF);
}

static void add_subject(struct text *out, const char *subject)
{
    text_add(out, "Subject: ");
    if (is_printable(subject) && strstr(subject, "=?") == NULL)
        text_add(out, subject);
    else
        add_words(out, subject, FIRST_WORD_MAX);
    text_add(out, CRLF);
}

/* CRLF, a lone CR and a lone LF all end a line. */
static struct text with_crlf(edge_ctx *ctx, const char *body)
{
    struct text lines = { .ctx = ctx };
    for (size_t length; *body != '\0'; body += length) {
        length = strcspn(body, "\r\n");
        text_add_bytes(&lines, body, length);
        if (body[length] == '\0')
            break;
        text_add(&lines, CRLF);
        length += strncmp(body + length, CRLF, 2) == 0 ? 2 : 1;
    }
    return lines;
}

static void add_body(struct text *out, const char *body)
{
    struct text lines = with_crlf(out->ctx, body);
    const char *encoded = edge_base64(out->ctx, text_value(&lines), lines.length);
    for (size_t length; *encoded != '\0'; encoded += length) {
        length = strnlen(encoded, BODY_LINE);
        text_add_bytes(out, encoded, length);
        text_add(out, CRLF);
    }
}

struct text mime_write(edge_ctx *ctx, const struct mime_message *message)
{
    struct text out = { .ctx = ctx };
    add_addresses(&out, "To: ", message->to);
    add_addresses(&out, "Cc: ", message->cc);
    add_addresses(&out, "Bcc: ", message->bcc);
    add_subject(&out, message->subject);
    text_add_format(&out,
        "MIME-Version: 1.0" CRLF "Content-Type: text/%s; charset=utf-8" CRLF
        "Content-Transfer-Encoding: base64" CRLF CRLF,
        message->html ? "html" : "plain");
    add_body(&out, message->body);
    return out;
}
