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

#endif
