/*
 * Edit distance against a list of known words.
 */
#include "closest.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

enum {
    COMPARED_MAX = 48
};

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string alignment). */
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned rows[3][COMPARED_MAX + 1];
    size_t width = strlen(b);
    if (width > COMPARED_MAX || strlen(a) > COMPARED_MAX)
        return UINT_MAX;

    unsigned *before = rows[0], *previous = rows[1], *row = rows[2];
    for (size_t j = 0; j <= width; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        unsigned *oldest = before;
        before = previous;
        previous = row;
        row = oldest;
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= width; j++) {
            unsigned replaced = previous[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(previous[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[width];
}

const char *closest_of(const char *text, const char *const *known)
{
    const char *best = NULL;
    /* A third of the word may be wrong: enough for slips, too little to turn one key into another. */
    unsigned best_distance = (unsigned)strlen(text) / 3 + 1;
    for (; *known != NULL; known++) {
        unsigned distance = edit_distance(text, *known);
        if (distance < best_distance || (best == NULL && distance == best_distance)) {
            best = *known;
            best_distance = distance;
        }
    }
    return best;
}
