/*
 * Escaping (spec events.md S5).
 */
#include "lib/html.h"

#include <string.h>

static const char *reference(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return "&#39;";
    }
}

void html_add(struct text *html, const char *text)
{
    for (size_t plain; *text != '\0'; text += plain) {
        plain = strcspn(text, "&<>\"'");
        text_add_bytes(html, text, plain);
        if (text[plain] != '\0')
            text_add(html, reference(text[plain++]));
    }
}

void html_add_lines(struct text *html, const char *text)
{
    for (size_t length; *text != '\0'; text += length) {
        length = strcspn(text, "\r\n");
        html_add(html, edge_copy_bytes(html->ctx, text, length));
        if (text[length] == '\0')
            return;
        length += strncmp(text + length, "\r\n", 2) == 0 ? 2 : 1;
        text_add(html, "<br>");
    }
}
