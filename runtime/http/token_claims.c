/*
 * What is kept of a verified token: its claims, with organisations of both claim versions under one set of
 * names.
 *
 * Version 2 packs permissions: fea lists features ("o:" the organisation's, "u:" the user's), o.per the
 * permission names, and o.fpm has one decimal number a feature of the organisation, whose bits, lowest first,
 * say which permissions it grants. There may be more than 64 of them.
 */
#include "token.h"

#include <openssl/bn.h>

#include <stdlib.h>
#include <string.h>

/* One item of a comma-separated list, blanks around it cut off. */
struct item {
    const char *text;
    size_t length;
};

/* Reads the item at *list and moves on; false at the end. */
static bool next_item(const char **list, struct item *item)
{
    if (*list == NULL || **list == '\0')
        return false;
    const char *start = *list + strspn(*list, " ");
    size_t length = strcspn(start, ",");
    *list = start + length + (start[length] == ',');
    while (length > 0 && start[length - 1] == ' ')
        length--;
    *item = (struct item){ start, length };
    return true;
}

/* The next feature of the organisation's, without its scope. */
static bool next_org_feature(const char **features, struct item *feature)
{
    while (next_item(features, feature)) {
        const char *colon = memchr(feature->text, ':', feature->length);
        if (colon == NULL || memchr(feature->text, 'o', (size_t)(colon - feature->text)) == NULL)
            continue;
        feature->length -= (size_t)(colon + 1 - feature->text);
        feature->text = colon + 1;
        return true;
    }
    return false;
}

static BIGNUM *bitmap_read(const struct item *number)
{
    BIGNUM *bits = NULL;
    if (number->length == 0 || strspn(number->text, "0123456789") < number->length)
        return NULL;
    char *text = strndup(number->text, number->length);
    if (text != NULL && BN_dec2bn(&bits, text) == 0) {
        BN_free(bits);
        bits = NULL;
    }
    free(text);
    return bits;
}

static void add_feature(json_t *permissions, struct item feature, const char *names, const BIGNUM *bits)
{
    struct item name;
    for (int bit = 0; next_item(&names, &name); bit++)
        if (BN_is_bit_set(bits, bit))
            json_array_append_new(permissions,
                json_sprintf("org:%.*s:%.*s", (int)feature.length, feature.text, (int)name.length, name.text));
}

static json_t *permissions_of(const char *features, const json_t *organisation)
{
    const char *maps = json_string_value(json_object_get(organisation, "fpm"));
    const char *names = json_string_value(json_object_get(organisation, "per"));
    json_t *permissions = json_array();
    struct item feature, map;

    while (names != NULL && next_org_feature(&features, &feature) && next_item(&maps, &map)) {
        BIGNUM *bits = bitmap_read(&map);
        if (bits != NULL)
            add_feature(permissions, feature, names, bits);
        BN_free(bits);
    }
    return permissions;
}

static void copy_text(json_t *to, const char *to_key, const json_t *from, const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    if (text != NULL)
        json_object_set_new(to, to_key, json_string(text));
}

/* Adds version 1's names; a version 2 token's own members of these names are not Clerk's and give way. */
static void flatten_organisation(json_t *payload)
{
    static const char *const names[] = { "org_id", "org_slug", "org_role", "org_permissions" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_object_del(payload, names[i]);

    const json_t *organisation = json_object_get(payload, "o");
    if (!json_is_object(organisation))
        return;
    copy_text(payload, "org_id", organisation, "id");
    copy_text(payload, "org_slug", organisation, "slg");
    const char *role = json_string_value(json_object_get(organisation, "rol"));
    if (role != NULL)
        json_object_set_new(payload, "org_role", json_sprintf("org:%s", role));
    const char *features = json_string_value(json_object_get(payload, "fea"));
    json_object_set_new(payload, "org_permissions", permissions_of(features, organisation));
}

/* Appends a claim's text and returns its offset, 0 when it is absent. */
static uint32_t append(struct token_claims *claims, const json_t *payload, const char *key)
{
    const json_t *value = json_object_get(payload, key);
    if (!json_is_string(value))
        return 0;
    uint32_t offset = claims->length;
    size_t size = json_string_length(value) + 1;
    memcpy(claims->text + offset, json_string_value(value), size);
    claims->length += (uint32_t)size;
    return offset;
}

struct token_claims *token_claims_pack(json_t *payload, int64_t valid_until_ms)
{
    static const char *const kept[] = { "sub", "sid", "org_id", "org_role" };
    json_object_del(payload, "edge_admin");
    if (json_integer_value(json_object_get(payload, "v")) == 2)
        flatten_organisation(payload);

    char *json = json_dumps(payload, JSON_COMPACT);
    if (json == NULL)
        return NULL;
    size_t size = strlen(json) + 1;
    size_t room = size;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        room += json_string_length(json_object_get(payload, kept[i])) + 1;

    struct token_claims *claims = malloc(sizeof *claims + room);
    if (claims != NULL) {
        *claims = (struct token_claims){ .valid_until_ms = valid_until_ms, .length = (uint32_t)size };
        memcpy(claims->text, json, size);
        claims->user = append(claims, payload, "sub");
        claims->session = append(claims, payload, "sid");
        claims->organisation = append(claims, payload, "org_id");
        claims->org_role = append(claims, payload, "org_role");
    }
    free(json);
    return claims;
}
