/*
 * Contacts.
 */
#include "lib/contact.h"

#include "lib/text.h"

#include <string.h>

enum {
    FURTHER_MAX = 30,
    TEXT_MAX = 500,
};

/* Keys in the order in which they are tried; NULL-terminated. */
static const char *const phone_keys[] = { "phone", "phonenumber", "contactphone", NULL };
static const char *const full_keys[] = { "fullname", "name", NULL };
static const char *const first_keys[] = { "firstname", "first", NULL };
static const char *const last_keys[] = { "lastname", "last", NULL };
static const char *const address_keys[] = { "address", "propertyaddress", NULL };
static const char *const source_keys[] = { "leadsource", "source", NULL };
static const char *const meeting_keys[] = { "meetinglocation", NULL };
static const char *const *const known_keys[] = { phone_keys, full_keys, first_keys, last_keys, address_keys,
    source_keys, meeting_keys };

/* Lower case letters and digits of a key. */
static const char *plain_key(edge_ctx *ctx, const char *key)
{
    char *plain = edge_alloc(ctx, strlen(key) + 1);
    size_t length = 0;
    for (; *key != '\0'; key++) {
        char c = *key >= 'A' && *key <= 'Z' ? (char)(*key - 'A' + 'a') : *key;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            plain[length++] = c;
    }
    return plain;
}

/* A text or number without white space around it; NULL for anything else and for nothing. */
static const char *text_of(edge_ctx *ctx, const json_t *value)
{
    if (json_is_number(value))
        return edge_json_dump(ctx, value, NULL);
    const char *text = json_string_value(value);
    if (text == NULL)
        return NULL;
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    return length > 0 ? edge_copy_bytes(ctx, text, length) : NULL;
}

static const char *first_of(edge_ctx *ctx, const json_t *fields, const char *const *keys)
{
    const char *key;
    json_t *value;
    for (; *keys != NULL; keys++) {
        json_object_foreach((json_t *)fields, key, value)
        {
            const char *text = strcmp(plain_key(ctx, key), *keys) == 0 ? text_of(ctx, value) : NULL;
            if (text != NULL)
                return text;
        }
    }
    return NULL;
}

struct contact contact_read(edge_ctx *ctx, const json_t *fields)
{
    struct contact contact = {
        .fields = fields,
        .name = first_of(ctx, fields, full_keys),
        .phone = first_of(ctx, fields, phone_keys),
        .address = first_of(ctx, fields, address_keys),
        .source = first_of(ctx, fields, source_keys),
        .meeting = first_of(ctx, fields, meeting_keys),
    };
    const char *first = first_of(ctx, fields, first_keys), *last = first_of(ctx, fields, last_keys);
    if (contact.name == NULL && first != NULL && last != NULL)
        contact.name = edge_format(ctx, "%s %s", first, last);
    else if (contact.name == NULL)
        contact.name = first != NULL ? first : last;
    if (contact.name == NULL)
        contact.name = "Prospect";
    return contact;
}

static bool is_known(const char *plain)
{
    for (size_t i = 0; i < sizeof known_keys / sizeof *known_keys; i++)
        for (const char *const *key = known_keys[i]; *key != NULL; key++)
            if (strcmp(*key, plain) == 0)
                return true;
    return plain[0] == '\0';
}

static json_t *variable_of(edge_ctx *ctx, json_t *value)
{
    if (json_is_number(value) || json_is_boolean(value))
        return json_incref(value);
    const char *text = text_of(ctx, value);
    return text != NULL ? json_string(text_cut(ctx, text, TEXT_MAX)) : NULL;
}

void contact_add_variables(edge_ctx *ctx, const struct contact *contact, json_t *variables)
{
    size_t added = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)contact->fields, key, value)
    {
        const char *plain = plain_key(ctx, key);
        const char *name = edge_format(ctx, "contact_%s", plain);
        json_t *variable = is_known(plain) ? NULL : variable_of(ctx, value);
        if (variable == NULL || added == FURTHER_MAX || json_object_get(variables, name) != NULL)
            continue;
        json_object_set_new(variables, name, variable);
        added++;
    }
}
