/*
 * Mail addresses. The grammar is the part of RFC 5322 3.4 that mail programs write, with RFC 5321's lengths.
 */
#include "lib/address.h"

#include <string.h>

#include "lib/field.h"
#include "lib/text.h"

enum {
    LOCAL_MAX = 64,
    DOMAIN_MAX = 255,
    LABEL_MAX = 63,
};

#define LOCAL_CHARACTERS FIELD_LETTERS FIELD_DIGITS ".!#$%&'*+/=?^_`{|}~-"
#define LABEL_CHARACTERS FIELD_LETTERS FIELD_DIGITS "-"

/* Length of the part up to a comma that is neither in quotes nor in angle brackets. */
static size_t item_length(const char *text)
{
    bool quoted = false, bracketed = false;
    size_t at = 0;
    for (; text[at] != '\0'; at++) {
        char c = text[at];
        if (quoted && c == '\\' && text[at + 1] != '\0')
            at++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '<' || c == '>'))
            bracketed = c == '<';
        else if (c == ',' && !quoted && !bracketed)
            break;
    }
    return at;
}

static bool is_local(const char *text, size_t length)
{
    if (length == 0 || length > LOCAL_MAX || strspn(text, LOCAL_CHARACTERS) < length)
        return false;
    return text[0] != '.' && text[length - 1] != '.' && strstr(text, "..") == NULL;
}

static bool is_domain(const char *text)
{
    size_t labels = 0;
    if (strlen(text) > DOMAIN_MAX)
        return false;
    for (size_t length;; text += length + 1) {
        length = strspn(text, LABEL_CHARACTERS);
        if (length == 0 || length > LABEL_MAX || text[0] == '-' || text[length - 1] == '-')
            return false;
        labels++;
        if (text[length] != '.')
            return text[length] == '\0' && labels >= 2;
    }
}

static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');
    return at != NULL && is_local(text, (size_t)(at - text)) && is_domain(at + 1);
}

/* A display name without its quotes; NULL when the quotes are not closed at its end. */
static const char *unquoted(edge_ctx *ctx, const char *name)
{
    if (name[0] != '"')
        return name;
    char *text = edge_alloc(ctx, strlen(name) + 1), *end = text;
    for (name++; *name != '"'; *end++ = *name++) {
        if (*name == '\\')
            name++;
        if (*name == '\0')
            return NULL;
    }
    return name[1] == '\0' ? text : NULL;
}

/* local@domain, or a name and the address in angle brackets at the end. */
static struct address read_item(edge_ctx *ctx, const char *field, const char *item)
{
    struct address read = { .address = item };
    size_t length = strlen(item);
    const char *open = strrchr(item, '<');
    if (open != NULL && item[length - 1] == '>') {
        read.address = text_trim(ctx, edge_copy_bytes(ctx, open + 1, length - (size_t)(open - item) - 2));
        read.name = unquoted(ctx, text_trim(ctx, edge_copy_bytes(ctx, item, (size_t)(open - item))));
    }
    if (!is_address(read.address) || (open != NULL && read.name == NULL))
        field_fail(ctx, field, "has \"%s\", which is no mail address", text_cut(ctx, item, 100));
    if (read.name != NULL && read.name[0] == '\0')
        read.name = NULL;
    return read;
}

static void add(edge_ctx *ctx, struct addresses *list, const char *field, const char *item)
{
    item = text_trim(ctx, item);
    if (item[0] == '\0')
        return;
    struct address read = read_item(ctx, field, item);
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i].address, read.address) == 0)
            return;
    list->items[list->count++] = read;
}

static void add_text(edge_ctx *ctx, struct addresses *list, const char *field, const char *text)
{
    /* No more addresses than commas, and one. */
    list->items = edge_alloc(ctx, (strlen(text) / 2 + 1) * sizeof *list->items);
    for (size_t length; *text != '\0'; text += length + (text[length] == ',')) {
        length = item_length(text);
        add(ctx, list, field, edge_copy_bytes(ctx, text, length));
    }
}

struct addresses addresses_read(edge_ctx *ctx, const char *field, const json_t *value)
{
    struct addresses list = { 0 };
    if (json_is_string(value)) {
        field_refuse_controls(ctx, field, json_string_value(value));
        add_text(ctx, &list, field, json_string_value(value));
        return list;
    }
    if (value != NULL && !json_is_array(value))
        field_fail(ctx, field, "must be a string or an array of strings");

    size_t count = json_array_size(value);
    list.items = edge_alloc(ctx, (count + 1) * sizeof *list.items);
    for (size_t i = 0; i < count; i++) {
        const char *item = json_string_value(json_array_get(value, i));
        if (item == NULL)
            field_fail(ctx, field, "must be a string or an array of strings");
        field_refuse_controls(ctx, field, item);
        add(ctx, &list, field, item);
    }
    return list;
}

json_t *addresses_json(const struct addresses *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i].address));
    return array;
}
