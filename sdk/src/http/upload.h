/*
 * Request bodies that a function writes piece by piece.
 *
 * What it writes is copied into a buffer that libcurl empties; a full one parks the writer, an empty one pauses
 * libcurl. So an upload costs the same memory whatever its size.
 */
#ifndef HTTP_UPLOAD_H
#define HTTP_UPLOAD_H

#include "call.h"

/* Loop's stack. Makes the upload the body of the attempt. */
void upload_attach(struct http_call *call);

/* Frees what is not the arena's, if the call is an upload at all. */
void upload_free(struct http_call *call);

#endif
