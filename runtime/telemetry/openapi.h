/*
 * The OpenAPI 3.1 document of what a host serves, made of functions' descriptors and their configuration. Words
 * are written once: a summary, a field's help, a limit are the ones that the code goes by.
 */
#ifndef TELEMETRY_OPENAPI_H
#define TELEMETRY_OPENAPI_H

#include <edge/function.h>

#include <stddef.h>

struct function_config;

struct openapi_function {
    const struct function_config *config;
    const edge_function *function;
    const char *generation; /* build id */
};

/* The document as JSON text, malloc'ed; NULL when memory is short. No arena may be current. */
char *openapi_text(const struct openapi_function *functions, size_t count, size_t *length);

/* What a table describes. */
enum openapi_use {
    OPENAPI_INPUT,
    OPENAPI_STRICT_INPUT, /* of a function that refuses members which its table does not name */
    OPENAPI_OUTPUT,
};

/* In openapi_schema.c: JSON Schema (2020-12) of an object with these members; NULL fields: any object. */
json_t *openapi_object_schema(const edge_field *fields, enum openapi_use use);

/* In openapi_errors.c: adds to responses every error status that a function can answer with its codes. */
void openapi_add_errors(json_t *responses, const struct openapi_function *entry);
json_t *openapi_error_schema(void);

#endif
