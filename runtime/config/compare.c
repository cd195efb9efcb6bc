/*
 * Comparing configurations by the tables of their keys; see compare.h.
 */
#include "compare.h"

#include "config.h"
#include "schema.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_texts(const char *const *a, const char *const *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != NULL && *b != NULL && strcmp(*a, *b) == 0)
        a++, b++;
    return *a == NULL && *b == NULL;
}

static bool same_rate(const struct rate_limit *a, const struct rate_limit *b)
{
    return a->scope == b->scope && a->count == b->count && a->window_seconds == b->window_seconds;
}

static bool same_value(enum setting_type type, const void *a, const void *b)
{
    switch (type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_PEM:
    case SETTING_CHOICE:
        return same_text(*(const char *const *)a, *(const char *const *)b);
    case SETTING_TEXTS:
        return same_texts(*(const char *const *const *)a, *(const char *const *const *)b);
    case SETTING_INTEGER:
        return *(const int *)a == *(const int *)b;
    case SETTING_BOOL:
    case SETTING_FINISH:
        return *(const bool *)a == *(const bool *)b;
    case SETTING_DURATION:
        return *(const int64_t *)a == *(const int64_t *)b;
    case SETTING_SIZE:
        return *(const size_t *)a == *(const size_t *)b;
    case SETTING_RATE:
        return same_rate(a, b);
    case SETTING_AUTH:
        return *(const enum auth_mode *)a == *(const enum auth_mode *)b;
    }
    return false;
}

static bool same_settings(const struct setting *settings, const void *a, const void *b)
{
    for (; settings->key != NULL; settings++)
        if (!same_value(settings->type, (const char *)a + settings->offset, (const char *)b + settings->offset))
            return false;
    return true;
}

static bool same_providers(const struct config *a, const struct config *b)
{
    if (a->provider_count != b->provider_count)
        return false;
    for (size_t i = 0; i < a->provider_count; i++)
        if (!same_text(a->providers[i].name, b->providers[i].name) ||
            !same_settings(provider_settings, &a->providers[i], &b->providers[i]))
            return false;
    return true;
}

bool config_same_ground(const struct config *a, const struct config *b)
{
    for (const struct section *section = sections; section->name != NULL; section++)
        if (!same_settings(
                section->settings, (const char *)a + section->offset, (const char *)b + section->offset))
            return false;
    return a->sandbox == b->sandbox && same_providers(a, b);
}

bool config_same_function(const struct function_config *a, const struct function_config *b)
{
    return same_settings(function_settings, a, b) && same_text(a->webhook_scheme, b->webhook_scheme);
}
