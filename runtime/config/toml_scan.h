/*
 * What toml++ 3.3.0 cannot be given, found before it sees it:
 *
 *   - a header that begins with no key, as "[;": undefined behaviour, or an assertion
 *   - a character beyond ASCII, or a control character, where TOML has none (outside of strings and comments,
 * or in quotes that follow a word): the same
 *   - a key of very many parts: it bounds the depth of values but not of keys, and releasing a deep tree
 *     overflows the stack
 */
#ifndef TOML_SCAN_H
#define TOML_SCAN_H

#include "toml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 0, or -EINVAL and *error. Everything else that may be wrong with text is left for toml++ to say. */
int toml_scan(const char *text, size_t length, struct toml_error *error);

#ifdef __cplusplus
}
#endif

#endif
