/*
 * JSON text for the SDK's own use.
 */
#ifndef BASE_JSON_DUMP_H
#define BASE_JSON_DUMP_H

#include <edge/base.h>

/*
 * As edge_json_dump, into the worker's one buffer: valid until the next call, or the next wait. NULL when
 * memory is short. A long stream so costs its invocation no memory.
 */
const char *json_dump_shared(const json_t *value, size_t *length);

/*
 * Text that is being written; once failed (memory is short) nothing more is. One of several times the running
 * invocation's memory limit ends it.
 */
struct json_output {
    char *text; /* malloc'ed */
    size_t length, capacity;
    bool failed;
};

/* The same buffer, emptied, for text that comes from elsewhere than from values. Under the same rule. */
struct json_output *json_output_shared(void);

/* What was written, NUL-terminated; NULL when memory was short. */
const char *json_output_text(struct json_output *out, size_t *length);

/* Verbatim; as a string with quotes and escapes; a number and a value as edge_json_dump writes them. */
void json_put(struct json_output *out, const char *text, size_t length);
void json_put_string(struct json_output *out, const char *text, size_t length);
void json_put_number(struct json_output *out, double value);
void json_put_value(struct json_output *out, const json_t *value);

#endif
