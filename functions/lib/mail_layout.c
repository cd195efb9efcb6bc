/*
 * Templates and the built-in layout. Every value is escaped where it goes into HTML; templates are
 * administrators' and are taken as they are.
 */
#include "lib/mail_layout.h"

#include <ctype.h>
#include <string.h>

#include "lib/html.h"

#define PRODUCT "Pulse AI"
#define FONT "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"

void mail_set(struct mail_content *content, const char *name, const char *value)
{
    if (content->variables_count < MAIL_VARIABLES_MAX)
        content->variables[content->variables_count++] = (struct mail_variable){ name, value };
}

void mail_add_section(struct mail_content *content, const char *heading, const char *lines)
{
    if (content->sections_count < MAIL_SECTIONS_MAX)
        content->sections[content->sections_count++] = (struct mail_section){ heading, lines };
}

/* The length of {identifier} at a brace, 0 when it is something else, as in style sheets. */
static size_t placeholder(const char *brace)
{
    size_t length = 1;
    if (!isascii((unsigned char)brace[1]) || !isalpha((unsigned char)brace[1]))
        return 0;
    while (isascii((unsigned char)brace[length]) &&
           (isalnum((unsigned char)brace[length]) || brace[length] == '_'))
        length++;
    return brace[length] == '}' ? length + 1 : 0;
}

static const char *value_of(const struct mail_content *content, const char *name, size_t length)
{
    for (size_t i = 0; i < content->variables_count; i++)
        if (strlen(content->variables[i].name) == length &&
            strncmp(content->variables[i].name, name, length) == 0)
            return content->variables[i].value;
    return "";
}

static void fill(struct text *out, const char *template, const struct mail_content *content,
    void (*add)(struct text *, const char *))
{
    while (*template != '\0') {
        size_t plain = strcspn(template, "{");
        text_add_bytes(out, template, plain);
        template += plain;
        if (*template == '\0')
            return;
        size_t length = placeholder(template);
        if (length > 0)
            add(out, value_of(content, template + 1, length - 2));
        else
            text_add_bytes(out, template, 1);
        template += length > 0 ? length : 1;
    }
}

static void add_html_footer(struct text *html, const struct mail_layout *layout)
{
    text_add(html, "<div style=\"max-width:600px;margin:24px auto 0;padding:16px 24px;" FONT
                   ";font-size:13px;line-height:1.5;color:#64748b\"><p style=\"margin:0\">");
    html_add(html, layout->reason);
    text_add(html, " <a href=\"");
    html_add(html, layout->preferences_url);
    text_add(html, "\" style=\"color:#64748b\">Change or stop these mails</a>.</p>");
    if (layout->postal_address != NULL) {
        text_add(html, "<p style=\"margin:8px 0 0\">");
        html_add_lines(html, layout->postal_address);
        text_add(html, "</p>");
    }
    text_add(html, "</div>");
}

static void add_text_footer(struct text *text, const struct mail_layout *layout)
{
    text_add_format(
        text, "\n\n-- \n%s\nChange or stop these mails: %s\n", layout->reason, layout->preferences_url);
    if (layout->postal_address != NULL)
        text_add_format(text, "%s\n", layout->postal_address);
}

/* Whether a template says by itself how to stop the mails. */
static bool has_link(const char *template)
{
    return strstr(template, "{preferencesUrl}") != NULL || strstr(template, "{unsubscribeUrl}") != NULL;
}

/* Where the footer goes: before the end of the body, of the last one if there are several. */
static const char *end_of_body(const char *template)
{
    const char *end = template + strlen(template);
    for (const char *at = template; (at = strstr(at, "</")) != NULL; at++)
        if (strncasecmp(at, "</body>", strlen("</body>")) == 0)
            end = at;
    return end;
}

static void fill_html(const struct mail_layout *layout, const struct mail_content *content, struct text *html)
{
    const char *template = layout->html_template;
    if (has_link(template)) {
        fill(html, template, content, html_add_lines);
        return;
    }
    const char *end = end_of_body(template);
    fill(html, edge_copy_bytes(html->ctx, template, (size_t)(end - template)), content, html_add_lines);
    add_html_footer(html, layout);
    fill(html, end, content, html_add_lines);
}

static void build_html(const struct mail_layout *layout, const struct mail_content *content, struct text *html)
{
    text_add(html, "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width\"><title>");
    html_add(html, content->subject);
    text_add(html,
        "</title></head><body style=\"margin:0;padding:24px 12px;background:#f1f5f9\">"
        "<div style=\"max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px;"
        "box-sizing:border-box;overflow-wrap:anywhere;" FONT ";font-size:16px;line-height:1.5;"
        "color:#0f172a\"><p style=\"margin:0 0 16px;font-weight:bold;color:#7c3aed\">" PRODUCT
        "</p><p style=\"margin:0 0 16px\">Hi ");
    html_add(html, content->first_name);
    text_add(html, ",</p>");
    for (size_t i = 0; i < content->sections_count; i++) {
        text_add(html, "<h2 style=\"margin:24px 0 8px;font-size:18px;line-height:1.3\">");
        html_add(html, content->sections[i].heading);
        text_add(html, "</h2><p style=\"margin:0\">");
        html_add_lines(html, content->sections[i].lines);
        text_add(html, "</p>");
    }
    text_add(html, "<p style=\"margin:32px 0 8px\"><a href=\"");
    html_add(html, layout->button_url);
    text_add(html, "\" style=\"display:inline-block;padding:12px 24px;border-radius:6px;background:#7c3aed;"
                   "color:#ffffff;text-decoration:none;font-weight:bold\">");
    html_add(html, layout->button);
    text_add(html, "</a></p></div>");
    add_html_footer(html, layout);
    text_add(html, "</body></html>");
}

static void build_text(const struct mail_layout *layout, const struct mail_content *content, struct text *text)
{
    text_add_format(text, PRODUCT "\n\nHi %s,\n", content->first_name);
    for (size_t i = 0; i < content->sections_count; i++)
        text_add_format(text, "\n%s\n%s\n", content->sections[i].heading, content->sections[i].lines);
    text_add_format(text, "\n%s: %s", layout->button, layout->button_url);
    add_text_footer(text, layout);
}

void mail_render(const struct mail_layout *layout, const struct mail_content *content, struct mail_text *mail)
{
    text_clear(&mail->subject);
    text_clear(&mail->html);
    text_clear(&mail->text);
    if (layout->subject_template != NULL)
        fill(&mail->subject, layout->subject_template, content, text_add);
    else
        text_add(&mail->subject, content->subject);
    if (layout->html_template != NULL)
        fill_html(layout, content, &mail->html);
    else
        build_html(layout, content, &mail->html);
    if (layout->text_template == NULL) {
        build_text(layout, content, &mail->text);
        return;
    }
    fill(&mail->text, layout->text_template, content, text_add);
    if (!has_link(layout->text_template))
        add_text_footer(&mail->text, layout);
}
