/*
 * PEM text as it arrives in environment variables: line ends written as "\n", turned into blanks, or lost.
 */
#ifndef PEM_H
#define PEM_H

#include <arena.h>

/* The same text with lines as RFC 7468 has them; text itself when it has no armour. */
const char *pem_restore(struct arena *arena, const char *text);

#endif
