/*
 * The routing table: a hash of exact routes, and the patterns in the order in which they are tried.
 */
#include "route.h"

#include "route_path.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 40,
};

/* supabase-js pastes sub-paths behind a function's name: such a route takes what is below it, too. */
static const char functions_prefix[] = "/functions/v1/";
enum {
    FUNCTION_SEGMENTS = 3
};

struct segment {
    const char *text; /* a literal, or a parameter's name */
    size_t length;
    bool parameter;
};

struct pattern {
    const struct function_config *function;
    struct segment segments[ROUTE_SEGMENT_MAX];
    size_t segment_count; /* without the wildcard */
    size_t parameter_count;
    bool wildcard;
};

struct slot {
    const struct function_config *function; /* NULL: empty */
    size_t length;
    uint64_t hash;
};

struct route_table {
    struct slot *slots;
    size_t mask;
    struct pattern *patterns;
    size_t pattern_count;
    size_t names_bytes; /* of the names of a pattern's parameters, and the NULs around them; the most */
};

/* FNV-1a; the table's keys are the operator's, so nobody can choose colliding ones. */
static uint64_t hash_text(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return hash;
}

/* The slot of an exact route, or the empty one where it would go. */
static struct slot *exact_slot(const struct route_table *table, const char *text, size_t length, uint64_t hash)
{
    for (size_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        struct slot *slot = &table->slots[i];
        if (slot->function == NULL)
            return slot;
        if (slot->hash == hash && slot->length == length && memcmp(slot->function->route, text, length) == 0)
            return slot;
    }
}

static const struct function_config *exact_find(
    const struct route_table *table, const char *text, size_t length)
{
    return exact_slot(table, text, length, hash_text(text, length))->function;
}

/* Cuts a route into a pattern; -EINVAL when it is none. */
static int pattern_read(struct pattern *pattern, const struct function_config *function)
{
    const char *at = function->route;
    *pattern = (struct pattern){ .function = function };
    if (*at != '/')
        return -EINVAL;

    while (*at == '/') {
        at++;
        struct segment segment = { .text = at, .length = strcspn(at, "/") };
        at += segment.length;
        if (segment.length == 1 && segment.text[0] == '*') {
            pattern->wildcard = true;
            return *at == '\0' ? 0 : -EINVAL;
        }
        size_t plain = strcspn(segment.text, "{}*%");
        if (plain < segment.length) {
            bool whole = plain == 0 && segment.text[0] == '{' && segment.length > 2 &&
                         segment.length <= NAME_MAX_BYTES + 2 &&
                         strcspn(segment.text + 1, "{}*%") == segment.length - 2 &&
                         segment.text[segment.length - 1] == '}';
            if (!whole || pattern->parameter_count++ == ROUTE_PARAM_MAX)
                return -EINVAL;
            segment = (struct segment){ segment.text + 1, segment.length - 2, .parameter = true };
        }
        if (pattern->segment_count == ROUTE_SEGMENT_MAX)
            return -EINVAL;
        pattern->segments[pattern->segment_count++] = segment;
    }
    return 0;
}

/* What route_find writes of the names, with the NULs behind them and their values. */
static size_t names_bytes(const struct pattern *pattern)
{
    size_t bytes = 0;
    for (size_t i = 0; i < pattern->segment_count; i++)
        bytes += pattern->segments[i].parameter ? pattern->segments[i].length + 2 : 0;
    return bytes;
}

static bool pattern_is_exact(const struct pattern *pattern)
{
    return pattern->parameter_count == 0 && !pattern->wildcard;
}

/* The order in which patterns are tried; 0 when two stand for the same paths. */
static int pattern_compare(const void *left, const void *right)
{
    const struct pattern *a = left, *b = right;
    if (a->wildcard != b->wildcard)
        return a->wildcard ? 1 : -1;
    if (a->segment_count != b->segment_count)
        return a->segment_count > b->segment_count ? -1 : 1;

    for (size_t i = 0; i < a->segment_count; i++) {
        const struct segment *x = &a->segments[i], *y = &b->segments[i];
        if (x->parameter != y->parameter)
            return x->parameter ? 1 : -1;
        if (x->parameter)
            continue;
        size_t common = x->length < y->length ? x->length : y->length;
        int order = memcmp(x->text, y->text, common);
        if (order != 0 || x->length != y->length)
            return order != 0 ? order : x->length < y->length ? -1 : 1;
    }
    return 0;
}

static int conflict(struct route_error *error, const struct function_config *a, const struct function_config *b)
{
    snprintf(error->text, sizeof error->text,
        "functions \"%s\" and \"%s\" want the same paths: \"%s\" and \"%s\"", a->name, b->name, a->route,
        b->route);
    return -EEXIST;
}

static int add(struct route_table *table, const struct function_config *function, struct route_error *error)
{
    struct pattern *pattern = &table->patterns[table->pattern_count];
    if (pattern_read(pattern, function) < 0) {
        snprintf(error->text, sizeof error->text, "the route \"%s\" of function \"%s\" is malformed",
            function->route, function->name);
        return -EINVAL;
    }
    if (!pattern_is_exact(pattern)) {
        size_t bytes = names_bytes(pattern);
        table->names_bytes = bytes > table->names_bytes ? bytes : table->names_bytes;
        table->pattern_count++;
        return 0;
    }

    size_t length = strlen(function->route);
    uint64_t hash = hash_text(function->route, length);
    struct slot *slot = exact_slot(table, function->route, length, hash);
    if (slot->function != NULL)
        return conflict(error, slot->function, function);
    *slot = (struct slot){ function, length, hash };
    return 0;
}

static int order_patterns(struct route_table *table, struct route_error *error)
{
    if (table->pattern_count == 0)
        return 0;
    qsort(table->patterns, table->pattern_count, sizeof *table->patterns, pattern_compare);
    for (size_t i = 1; i < table->pattern_count; i++)
        if (pattern_compare(&table->patterns[i - 1], &table->patterns[i]) == 0)
            return conflict(error, table->patterns[i - 1].function, table->patterns[i].function);
    return 0;
}

int route_table_create(const struct function_config *functions, size_t count, struct route_table **table,
    struct route_error *error)
{
    size_t slots = 16;
    while (slots < count * 2 + 2)
        slots *= 2;

    int result = -ENOMEM;
    struct route_table *made = calloc(1, sizeof *made);
    if (made == NULL)
        goto fail;
    made->slots = calloc(slots, sizeof *made->slots);
    made->patterns = calloc(count + 1, sizeof *made->patterns);
    made->mask = slots - 1;
    if (made->slots == NULL || made->patterns == NULL)
        goto fail;

    for (size_t i = 0; i < count; i++) {
        result = functions[i].enabled ? add(made, &functions[i], error) : 0;
        if (result < 0)
            goto fail;
    }
    result = order_patterns(made, error);
    if (result < 0)
        goto fail;
    *table = made;
    return 0;

fail:
    route_table_free(made);
    return result;
}

void route_table_free(struct route_table *table)
{
    if (table == NULL)
        return;
    free(table->slots);
    free(table->patterns);
    free(table);
}

static bool pattern_matches(const struct pattern *pattern, const struct route_path *path)
{
    if (path->segment_count < pattern->segment_count)
        return false;
    if (path->segment_count > pattern->segment_count && !pattern->wildcard)
        return false;

    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct segment *wanted = &pattern->segments[i];
        size_t length = 0;
        const char *text = route_path_segment(path, i, &length);
        if (length == 0)
            return false;
        if (!wanted->parameter && (length != wanted->length || memcmp(text, wanted->text, length) != 0))
            return false;
    }
    return true;
}

/* The rest behind the first segments of a path. */
static const char *rest_behind(const struct route_path *path, size_t segments)
{
    return path->segment_count > segments ? path->text + path->starts[segments] - 1 : path->text + path->length;
}

static void fill_params(
    struct route_match *match, const struct pattern *pattern, const struct route_path *path, char *scratch)
{
    size_t count = 0;
    for (size_t i = 0; i < pattern->segment_count; i++) {
        const struct segment *segment = &pattern->segments[i];
        if (!segment->parameter)
            continue;
        char *name = scratch;
        memcpy(name, segment->text, segment->length);
        name[segment->length] = '\0';
        char *value = name + segment->length + 1;
        scratch = value + route_path_value(path, i, value) + 1;
        match->params[count++] = (edge_header){ name, value };
    }
    match->params[count] = (edge_header){ 0 };
}

static int found(struct route_match *match, const struct function_config *function, const char *rest)
{
    match->function = function;
    match->rest = rest;
    match->params[0] = (edge_header){ 0 };
    return 0;
}

/* The function whose /functions/v1/<name> the path begins with. */
static const struct function_config *function_prefix(
    const struct route_table *table, const struct route_path *path)
{
    if (path->segment_count <= FUNCTION_SEGMENTS ||
        strncmp(path->text, functions_prefix, sizeof functions_prefix - 1) != 0)
        return NULL;
    return exact_find(table, path->text, path->starts[FUNCTION_SEGMENTS] - 1);
}

/* True for the wildcards that are less precise than a function's own name. */
static bool behind_prefix(const struct pattern *pattern)
{
    return pattern->wildcard &&
           (pattern->segment_count < FUNCTION_SEGMENTS ||
               (pattern->segment_count == FUNCTION_SEGMENTS && pattern->parameter_count > 0));
}

size_t route_scratch_bytes(const struct route_table *table, size_t path_length)
{
    /* The path; every parameter's value (all no longer than the path) and name, and the NULs. */
    return path_length + 1 + (table->names_bytes > 0 ? path_length + table->names_bytes : 0);
}

int route_find(
    const struct route_table *table, const char *path, size_t length, char *scratch, struct route_match *match)
{
    struct route_path read;
    *match = (struct route_match){ 0 };
    int result = route_path_read(&read, path, length, scratch);
    if (result < 0)
        return result;
    match->path = read.text;

    const struct function_config *function = exact_find(table, read.text, read.length);
    if (function != NULL)
        return found(match, function, read.text + read.length);

    function = function_prefix(table, &read);
    for (size_t i = 0; i < table->pattern_count; i++) {
        const struct pattern *pattern = &table->patterns[i];
        if (function != NULL && behind_prefix(pattern))
            break;
        if (!pattern_matches(pattern, &read))
            continue;
        found(match, pattern->function, rest_behind(&read, pattern->segment_count));
        fill_params(match, pattern, &read, scratch + read.length + 1);
        return 0;
    }
    return function != NULL ? found(match, function, rest_behind(&read, FUNCTION_SEGMENTS)) : -ENOENT;
}

size_t route_drop_region(char *query)
{
    static const char name[] = "forceFunctionRegion";
    char *to = query;
    for (const char *from = query; *from != '\0';) {
        size_t length = strcspn(from, "&");
        size_t key = strcspn(from, "=&");
        bool dropped = key == sizeof name - 1 && memcmp(from, name, key) == 0;
        if (!dropped) {
            if (to != query)
                *to++ = '&';
            memmove(to, from, length);
            to += length;
        }
        from += length;
        from += *from == '&';
    }
    *to = '\0';
    return (size_t)(to - query);
}
