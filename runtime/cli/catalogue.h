/*
 * What the functions of a configuration are, for pages and clients: the OpenAPI document of their plugins'
 * files. No host has to run, and nothing of the plugins but their constructors does.
 */
#ifndef CATALOGUE_H
#define CATALOGUE_H

#include <jansson.h>
#include <stdbool.h>

struct config;

/* The document, as /_edge/openapi.json has it. NULL when a plugin cannot be read, which has been said. */
json_t *catalogue_read(const struct config *config);

/* Writes text to DIR/name, or to standard output when directory is NULL. False when it cannot, which is said.
 */
bool catalogue_write(const char *directory, const char *name, const char *text);

#endif
