/*
 * From a value in the file, a default or an environment variable to a member of a section's struct.
 */
#include "interpolate.h"
#include "loader.h"
#include "memory.h"
#include "pem.h"
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One value on its way into the struct. */
struct place {
    struct loader *loader;
    const struct setting *setting;
    const char *path;     /* of the key; NULL when the value comes from the environment */
    const char *variable; /* that it comes from, when path is NULL */
    void *base;
};

static void *target(const struct place *place)
{
    return (char *)place->base + place->setting->offset;
}

static const char *const *auth_choices(struct arena *arena)
{
    const char **choices = memory_take(arena, sizeof *choices * 32);
    size_t count = 0;
    for (const char *const *mode = auth_modes; *mode != NULL; mode++)
        choices[count++] = *mode;
    for (const char *const *scheme = webhook_schemes; *scheme != NULL; scheme++)
        choices[count++] = memory_format(arena, "webhook:%s", *scheme);
    return choices;
}

static const char *const *choices_of(const struct place *place)
{
    return place->setting->type == SETTING_AUTH ? auth_choices(place->loader->arena) : place->setting->choices;
}

/* What a setting takes, as the end of the sentence "x is not …". */
static const char *expected(const struct place *place)
{
    struct arena *arena = place->loader->arena;
    const struct setting *setting = place->setting;
    char low[32], high[32];
    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_PEM:
        return "text";
    case SETTING_TEXTS:
        return "an array of strings";
    case SETTING_INTEGER:
        return memory_format(
            arena, "a whole number from %lld to %lld", (long long)setting->low, (long long)setting->high);
    case SETTING_BOOL:
        return "true or false";
    case SETTING_DURATION:
        return memory_format(arena, "a duration from %s to %s (units ms, s, min, h, d)",
            duration_format(setting->low, low), duration_format(setting->high, high));
    case SETTING_SIZE:
        return memory_format(arena, "a size from %s to %s (units B, KiB, MiB, GiB)",
            size_format(setting->low, low), size_format(setting->high, high));
    case SETTING_RATE:
        return "a rate, as \"60/min\", \"60/min per user\", \"5/s per ip\" or \"none\" (windows s, min, h, "
               "day)";
    case SETTING_CHOICE:
    case SETTING_AUTH:
    case SETTING_FINISH:
        return memory_format(arena, "one of %s", quoted_list(arena, choices_of(place)));
    }
    return "text";
}

/* Reports "<found> <problem>" where the value came from. */
static void report(const struct place *place, const char *found, const char *problem)
{
    if (place->path != NULL)
        loader_report(place->loader, place->path, "%s %s", found, problem);
    else
        loader_report_variable(place->loader, place->variable, "%s %s", found, problem);
}

static const char *quoted(const struct place *place, const char *text)
{
    if (place->setting->flags & SETTING_SECRET)
        return "its value";
    return memory_format(place->loader->arena, "\"%s\"", text);
}

static bool mismatch(const struct place *place, const char *found, const char *suggestion)
{
    report(place, found, memory_format(place->loader->arena, "is not %s%s", expected(place), suggestion));
    return false;
}

static const char *describe(const struct place *place, const json_t *value)
{
    struct arena *arena = place->loader->arena;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return quoted(place, json_string_value(value));
    case JSON_INTEGER:
        return memory_format(arena, "the number %lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return memory_format(arena, "the number %g", json_real_value(value));
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    case JSON_ARRAY:
        return "an array";
    default:
        return json_object_get(value, "$datetime") != NULL ? "a date or time" : "a table";
    }
}

static bool store_integer(const struct place *place, int64_t value, const char *found)
{
    const struct setting *setting = place->setting;
    if (value < setting->low || value > setting->high)
        return mismatch(place, found, "");
    if (setting->type == SETTING_INTEGER)
        *(int *)target(place) = (int)value;
    else if (setting->type == SETTING_SIZE)
        *(size_t *)target(place) = (size_t)value;
    else
        *(int64_t *)target(place) = value;
    return true;
}

static bool store_number(const struct place *place, const char *text)
{
    int64_t value = 0;
    bool parsed;
    if (place->setting->type == SETTING_DURATION) {
        parsed = duration_parse(text, &value);
    } else if (place->setting->type == SETTING_SIZE) {
        parsed = size_parse(text, &value);
    } else {
        char *end;
        errno = 0;
        value = strtoll(text, &end, 10);
        parsed = errno == 0 && end != text && *end == '\0';
    }
    return parsed ? store_integer(place, value, quoted(place, text)) : mismatch(place, quoted(place, text), "");
}

static bool store_bool(const struct place *place, const char *text)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return mismatch(place, quoted(place, text), "");
    *(bool *)target(place) = yes;
    return true;
}

/* Index of text among the choices, -1 when it is none, which is reported. */
static int choice_index(const struct place *place, const char *text)
{
    const char *const *choices = choices_of(place);
    for (int i = 0; choices[i] != NULL; i++)
        if (strcmp(choices[i], text) == 0)
            return i;
    mismatch(place, quoted(place, text), suggestion_for(place->loader->arena, text, choices));
    return -1;
}

static bool store_choice(const struct place *place, const char *text)
{
    int index = choice_index(place, text);
    if (index < 0)
        return false;
    if (place->setting->type == SETTING_CHOICE) {
        *(const char **)target(place) = place->setting->choices[index];
    } else if (place->setting->type == SETTING_FINISH) {
        *(bool *)target(place) = strcmp(text, "finish") == 0;
    } else {
        struct function_config *function = place->base;
        bool webhook = index >= AUTH_WEBHOOK;
        function->auth = webhook ? AUTH_WEBHOOK : (enum auth_mode)index;
        function->webhook_scheme = webhook ? webhook_schemes[index - AUTH_WEBHOOK] : NULL;
    }
    return true;
}

static bool store_rate(const struct place *place, const char *text)
{
    struct rate_limit rate;
    if (!rate_parse(text, &rate))
        return mismatch(place, quoted(place, text), "");
    *(struct rate_limit *)target(place) = rate;
    return true;
}

/* Whether the setting's check passes text; reports when it does not. */
static bool checked(const struct place *place, const char *text)
{
    const char *problem = place->setting->check == NULL ? NULL : place->setting->check(text);
    if (problem != NULL)
        report(place, quoted(place, text), problem);
    return problem == NULL;
}

static bool store_text(const struct place *place, const char *text)
{
    struct loader *loader = place->loader;
    if (place->setting->type == SETTING_PEM)
        text = pem_restore(loader->arena, text);
    else if (place->setting->type == SETTING_PATH && *text != '/')
        text = memory_format(loader->arena, "%s/%s", loader->directory, text);
    if (!checked(place, text))
        return false;
    *(const char **)target(place) = memory_copy(loader->arena, text);
    return true;
}

/* Items of a text separated by commas, blanks around them dropped. */
static bool store_texts(const struct place *place, const char *text)
{
    struct arena *arena = place->loader->arena;
    const char **items = memory_take(arena, (strlen(text) / 2 + 2) * sizeof *items);
    size_t count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        const char *start = text + strspn(text, " \t,");
        const char *end = text + length;
        while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (end > start) {
            items[count] = memory_copy_bytes(arena, start, (size_t)(end - start));
            if (!checked(place, items[count++]))
                return false;
        }
        text += length + (text[length] == ',');
    }
    *(const char ***)target(place) = items;
    return true;
}

static bool store(const struct place *place, const char *text)
{
    switch (place->setting->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_PEM:
        return store_text(place, text);
    case SETTING_TEXTS:
        return store_texts(place, text);
    case SETTING_INTEGER:
    case SETTING_DURATION:
    case SETTING_SIZE:
        return store_number(place, text);
    case SETTING_BOOL:
        return store_bool(place, text);
    case SETTING_RATE:
        return store_rate(place, text);
    case SETTING_CHOICE:
    case SETTING_AUTH:
    case SETTING_FINISH:
        return store_choice(place, text);
    }
    return false;
}

/* For `edge env`, which says who asks for a variable. */
static void remember(const struct place *place, const struct variable_reference *found)
{
    struct loader *loader = place->loader;
    for (; found != NULL; found = found->next) {
        struct config_reference *reference = memory_take(loader->arena, sizeof *reference);
        *reference = (struct config_reference){ found->name, memory_copy(loader->arena, place->path),
            found->has_default, loader->config->references };
        loader->config->references = reference;
    }
}

/* A string of the file with its variables filled in; NULL when it is faulty (reported) or stays unset. */
static const char *expand(const struct place *place, const json_t *value)
{
    const char *text = json_string_value(value);
    bool optional = (place->setting->flags & SETTING_OPTIONAL) != 0;
    if (strlen(text) != json_string_length(value)) {
        report(place, quoted(place, text), "contains a NUL character");
        return NULL;
    }

    struct interpolation result = interpolate(place->loader->arena, text);
    remember(place, result.references);
    if (result.problem != NULL) {
        report(place, quoted(place, text), result.problem);
        return NULL;
    }
    if (result.missing != NULL) {
        if (!optional)
            loader_report(place->loader, place->path,
                "environment variable \"%s\" is not set; set it, or write ${%s:-default}", result.missing,
                result.missing);
        return NULL;
    }
    return *result.text == '\0' && optional ? NULL : result.text;
}

static void apply_string(const struct place *place, const json_t *value)
{
    const char *text = expand(place, value);
    if (text == NULL)
        return;
    /* "5" is no number, but "${WORKERS}" may be one: the environment has text only. */
    bool literal = text == json_string_value(value);
    bool bare = place->setting->type == SETTING_INTEGER || place->setting->type == SETTING_BOOL;
    if (literal && bare)
        mismatch(place, quoted(place, text), "");
    else
        store(place, text);
}

static void apply_array(const struct place *place, const json_t *array)
{
    struct arena *arena = place->loader->arena;
    const char **items = memory_take(arena, (json_array_size(array) + 1) * sizeof *items);
    size_t index, count = 0;
    const json_t *value;
    json_array_foreach((json_t *)array, index, value)
    {
        struct place item = *place;
        item.path = memory_format(arena, "%s[%zu]", place->path, index);
        if (!json_is_string(value)) {
            report(&item, describe(&item, value), "is not text");
            continue;
        }
        const char *text = expand(&item, value);
        if (text != NULL && checked(&item, text))
            items[count++] = memory_copy(arena, text);
    }
    *(const char ***)target(place) = items;
}

static void apply(const struct place *place, const json_t *value)
{
    enum setting_type type = place->setting->type;
    if (json_is_string(value))
        apply_string(place, value);
    else if (json_is_array(value) && type == SETTING_TEXTS)
        apply_array(place, value);
    else if (json_is_integer(value) && type == SETTING_INTEGER)
        store_integer(place, json_integer_value(value), describe(place, value));
    else if (json_is_boolean(value) && type == SETTING_BOOL)
        *(bool *)target(place) = json_is_true(value);
    else
        mismatch(place, describe(place, value), "");
}

void settings_fill(struct loader *loader, const struct setting *settings, void *base)
{
    for (; settings->key != NULL; settings++) {
        struct place place = { loader, settings, settings->key, NULL, base };
        if (settings->fallback != NULL)
            store(&place, settings->fallback);
    }
}

void settings_apply(struct loader *loader, const struct setting *settings, unsigned flags, const json_t *object,
    const char *path, void *base)
{
    if (!json_is_object(object)) {
        loader_report(loader, path, "is not a table; write [%s]", path);
        return;
    }

    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *member = loader_path(loader, path, key);
        const struct setting *setting = setting_find(settings, key);
        if (setting == NULL || (setting->flags & flags) != flags) {
            loader_report_unknown(
                loader, member, key, setting_keys(loader->arena, settings, flags), "known key");
            continue;
        }
        apply(&(struct place){ loader, setting, member, NULL, base }, value);
    }
}

bool setting_apply_variable(
    struct loader *loader, const struct setting *settings, const char *key, const char *variable, void *base)
{
    const char *text = environment_get(variable);
    if (text == NULL)
        return false;
    return store(&(struct place){ loader, setting_find(settings, key), NULL, variable, base }, text);
}
