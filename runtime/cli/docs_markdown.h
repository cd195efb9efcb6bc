/*
 * A page about functions, in Markdown, from an OpenAPI document of ours.
 */
#ifndef DOCS_MARKDOWN_H
#define DOCS_MARKDOWN_H

#include <jansson.h>

/* One function's page: what it does, who may call it, what it takes, answers and fails with. malloc'ed. */
char *docs_function_page(const char *route, const json_t *item);

/* The list of all; linked: each name leads to its page. malloc'ed. */
char *docs_index_page(const json_t *document, int linked);

/* The function that a path is of. */
const char *docs_function_name(const json_t *item);

#endif
