/*
 * Reading JSON without ceremony.
 */
#include <edge/json.h>

#include <context.h>

#include <string.h>

enum {
    DEPTH_MAX = 128
};

const char *edge_json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t edge_json_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value))
        return json_integer_value(value);
    return json_is_real(value) ? (int64_t)json_real_value(value) : fallback;
}

double edge_json_number(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

bool edge_json_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

json_t *edge_json_path(const json_t *value, const char *path)
{
    json_t *at = (json_t *)value;
    while (at != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        char key[128];
        if (length >= sizeof key)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        at = json_object_get(at, key);
        path += length + (path[length] == '.');
    }
    return at;
}

/*
 * jansson parses by recursion, 2,048 levels deep; a fiber's stack is not made for that. Brackets inside
 * strings do not count. What is malformed is left for the parser to find.
 */
static bool nests_too_deep(const char *text, size_t length)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > DEPTH_MAX)
                return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *edge_json_parse(edge_ctx *ctx, const char *text, size_t length)
{
    (void)ctx;
    if (nests_too_deep(text, length))
        return NULL;
    json_error_t error;
    return json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
}
