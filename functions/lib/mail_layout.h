/*
 * What scheduled mails look like (spec events.md S6): an administrator's template with variables, or the
 * built-in layout; each as HTML and as text that says the same.
 */
#ifndef LIB_MAIL_LAYOUT_H
#define LIB_MAIL_LAYOUT_H

#include <edge/edge.h>

#include "lib/text.h"

enum {
    MAIL_VARIABLES_MAX = 16,
    MAIL_SECTIONS_MAX = 8,
};

/* One mail's content. Values are plain text of one line or several; they live as long as the mail. */
struct mail_content {
    struct mail_variable {
        const char *name, *value;
    } variables[MAIL_VARIABLES_MAX];
    size_t variables_count;

    /* For the built-in layout. */
    const char *subject;
    struct mail_section {
        const char *heading, *lines;
    } sections[MAIL_SECTIONS_MAX];
    size_t sections_count;
    const char *first_name;

    json_t *facts; /* the function's own members of the log */
};

void mail_set(struct mail_content *content, const char *name, const char *value);
void mail_add_section(struct mail_content *content, const char *heading, const char *lines);

/* What all mails of a run have in common. */
struct mail_layout {
    const char *subject_template, *html_template, *text_template; /* NULL: the built-in one */
    const char *button, *button_url;
    const char *reason; /* why the reader gets it, for the footer */
    const char *preferences_url;
    const char *postal_address; /* may be NULL */
};

/* A rendered mail; its memory is used again for the next one. */
struct mail_text {
    struct text subject, html, text;
};

void mail_render(const struct mail_layout *layout, const struct mail_content *content, struct mail_text *mail);

#endif
