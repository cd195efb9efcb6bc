/*
 * A function's section in functions.toml, written by `edge new`.
 */
#ifndef NEW_ENTRY_H
#define NEW_ENTRY_H

#include <stdbool.h>

/*
 * The file's text with the section in it; to be freed. It goes to the end of the part whose heading
 * ("# --- Events ---") is group's, in any case of letters, else to the end of the file.
 */
char *entry_insert(const char *text, const char *group, const char *section);

/*
 * Takes text over as the configuration at path, when it is valid: the file changes in one step, or not at all.
 * False after saying what is wrong with it.
 */
bool entry_store(const char *path, const char *text);

#endif
