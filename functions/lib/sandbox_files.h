/*
 * Files of the sandbox. Paths and contents are the invocation's memory; no call leaves a descriptor open.
 */
#ifndef LIB_SANDBOX_FILES_H
#define LIB_SANDBOX_FILES_H

#include <edge/edge.h>

/* <SANDBOX_DIR>/<provider>/<name>, its directories made. */
EDGE_RETURNS_NONNULL const char *sandbox_path(edge_ctx *ctx, const char *provider, const char *name);

/* Contents of a file, NULL when it is not there. */
const char *sandbox_read(edge_ctx *ctx, const char *path);

/* One write of the whole text, at the end of the file or instead of it. Failures end nothing: false. */
bool sandbox_append(const char *path, const char *text, size_t length);
bool sandbox_replace(edge_ctx *ctx, const char *path, const char *text, size_t length);

/* Makes an empty file: true when this call made it, of several callers one. */
bool sandbox_create(const char *path);

/* Name of the file that sorts first in a directory, NULL when it is empty. */
const char *sandbox_first(edge_ctx *ctx, const char *directory);

/* True when this call removed the file: of several callers one. */
bool sandbox_remove(const char *path);

#endif
