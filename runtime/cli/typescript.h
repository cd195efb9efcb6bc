/*
 * A TypeScript module from an OpenAPI document of ours.
 */
#ifndef TYPESCRIPT_H
#define TYPESCRIPT_H

#include <jansson.h>

/*
 * The module's text, malloc'ed: an interface of all functions that a client may call by POST, with the types of
 * request and answer, and invoke(), which calls one.
 */
char *typescript_text(const json_t *document);

#endif
