/*
 * "Did you mean": the known word that a misspelt one was probably meant to be.
 */
#ifndef CLOSEST_H
#define CLOSEST_H

/* One of known (NULL-terminated), or NULL when none resembles text. */
const char *closest_of(const char *text, const char *const *known);

#endif
