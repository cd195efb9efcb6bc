/*
 * Route patterns: "/a/b", "/a/{name}", "/a/" followed by a trailing wildcard.
 *
 * A segment is literal or one {parameter}; "*" as the last segment takes the rest of the path, which may be
 * nothing. Of several patterns that match a path, the one that is literal at the first segment where they
 * differ is served, so two patterns are ambiguous when each is the more specific one at some segment and a path
 * exists that both match.
 */
#ifndef PATTERN_H
#define PATTERN_H

enum pattern_conflict {
    PATTERNS_APART,     /* no path matches both, or one is the more specific throughout */
    PATTERNS_EQUAL,     /* the same paths, whatever the parameters are called */
    PATTERNS_AMBIGUOUS, /* see above */
};

/* NULL when the pattern is good, else what is wrong with it. */
const char *pattern_check(const char *pattern);

enum pattern_conflict pattern_compare(const char *a, const char *b);

#endif
