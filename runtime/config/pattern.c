/*
 * Checks of route patterns; see pattern.h for the rules.
 */
#include "pattern.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define LITERAL_CHARACTERS NAME_CHARACTERS "-.~!$&'()+,;=:@"

enum {
    PARAMETERS_MAX = 8
}; /* as ROUTE_PARAM_MAX of http/route.h */

/* How much of a path a segment takes; ordered from the most to the least specific. */
enum segment_kind {
    SEGMENT_LITERAL,
    SEGMENT_PARAMETER,
    SEGMENT_WILDCARD,
    SEGMENT_NONE
};

struct segment {
    enum segment_kind kind;
    const char *text; /* without braces */
    size_t length;
};

/* The segment behind the "/" at *text, which is moved to the next one. */
static struct segment segment_next(const char **text)
{
    if (**text == '\0')
        return (struct segment){ SEGMENT_NONE, *text, 0 };

    const char *start = *text + 1;
    size_t length = strcspn(start, "/");
    *text = start + length;
    if (length == 1 && *start == '*')
        return (struct segment){ SEGMENT_WILDCARD, start, 1 };
    if (*start == '{')
        return (struct segment){ SEGMENT_PARAMETER, start + 1, length < 2 ? 0 : length - 2 };
    return (struct segment){ SEGMENT_LITERAL, start, length };
}

static const char *literal_check(const struct segment *segment)
{
    if (segment->length == 0)
        return "has an empty segment (two slashes, or one at the end)";
    bool dots =
        *segment->text == '.' && (segment->length == 1 || (segment->length == 2 && segment->text[1] == '.'));
    if (dots || strspn(segment->text, LITERAL_CHARACTERS) < segment->length)
        return "has a segment that is neither literal text, {parameter} nor a trailing *";
    return NULL;
}

static const char *parameter_check(const struct segment *segment)
{
    bool closed = segment->text[segment->length] == '}';
    bool named = segment->length > 0 && strspn(segment->text, NAME_CHARACTERS) == segment->length;
    return closed && named ? NULL : "has a parameter that is not a whole segment of the form {name}";
}

/* Whether pattern, up to end, has a parameter of this name already. */
static bool parameter_repeats(const char *pattern, const struct segment *parameter)
{
    for (struct segment other; pattern < parameter->text - 1;) {
        other = segment_next(&pattern);
        if (other.kind == SEGMENT_PARAMETER && other.text < parameter->text &&
            other.length == parameter->length && memcmp(other.text, parameter->text, other.length) == 0)
            return true;
    }
    return false;
}

static const char *segment_check(const char *pattern, const struct segment *segment, const char *rest)
{
    if (segment->kind == SEGMENT_LITERAL)
        return literal_check(segment);
    if (segment->kind == SEGMENT_WILDCARD)
        return *rest == '\0' ? NULL : "has a * that is not its last segment";
    const char *problem = parameter_check(segment);
    if (problem == NULL && parameter_repeats(pattern, segment))
        problem = "names a parameter twice";
    return problem;
}

const char *pattern_check(const char *pattern)
{
    if (*pattern != '/')
        return "does not begin with \"/\"";
    if (strncmp(pattern, "/_edge", 6) == 0 && (pattern[6] == '\0' || pattern[6] == '/'))
        return "lies under /_edge, which is the host's own";
    if (strcmp(pattern, "/") == 0)
        return NULL;

    const char *rest = pattern;
    int parameters = 0;
    while (*rest != '\0') {
        struct segment segment = segment_next(&rest);
        parameters += segment.kind == SEGMENT_PARAMETER;
        if (parameters > PARAMETERS_MAX)
            return "has more than eight parameters";
        const char *problem = segment_check(pattern, &segment, rest);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

static bool literals_differ(const struct segment *a, const struct segment *b)
{
    return a->kind == SEGMENT_LITERAL && b->kind == SEGMENT_LITERAL &&
           (a->length != b->length || memcmp(a->text, b->text, a->length) != 0);
}

enum pattern_conflict pattern_compare(const char *a, const char *b)
{
    bool a_wins = false, b_wins = false;
    for (;;) {
        struct segment in_a = segment_next(&a), in_b = segment_next(&b);
        if (in_a.kind == SEGMENT_NONE && in_b.kind == SEGMENT_NONE)
            break;
        bool wild = in_a.kind == SEGMENT_WILDCARD || in_b.kind == SEGMENT_WILDCARD;
        bool ended = in_a.kind == SEGMENT_NONE || in_b.kind == SEGMENT_NONE;
        if (literals_differ(&in_a, &in_b) || ended)
            return PATTERNS_APART;
        a_wins = a_wins || in_a.kind < in_b.kind;
        b_wins = b_wins || in_b.kind < in_a.kind;
        if (wild)
            break;
    }
    if (a_wins && b_wins)
        return PATTERNS_AMBIGUOUS;
    return a_wins || b_wins ? PATTERNS_APART : PATTERNS_EQUAL;
}
