/*
 * Values in HTML.
 */
#ifndef LIB_HTML_H
#define LIB_HTML_H

#include "lib/text.h"

/* Adds text so that it is shown as it is, between tags and in quoted attributes: & < > " ' become references.
 */
void html_add(struct text *html, const char *text);

/* The same for a text of several lines, which stay lines: <br> between them. */
void html_add_lines(struct text *html, const char *text);

#endif
