/*
 * Stored objects and the table that lists them (spec ai.md S8). storage.objects is Supabase's: where it is
 * missing, objects are there without being listed.
 */
#ifndef LIB_OBJECT_H
#define LIB_OBJECT_H

#include <edge/edge.h>

/*
 * Stores bytes and lists them. False, with the reason in the log, when there is no store or it failed; what
 * could not be listed is stored all the same.
 */
EDGE_MUST_USE bool object_try_put(edge_ctx *ctx, const char *bucket, const char *path, const void *data,
    size_t length, const char *media_type);

/* Whether the table lists the object. */
bool object_is_listed(edge_ctx *ctx, const char *bucket, const char *path);

#endif
