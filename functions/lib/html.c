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
