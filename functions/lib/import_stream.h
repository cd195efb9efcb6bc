/*
 * Answers of imports as lines of JSON (application/x-ndjson), for clients that ask to be told how far it is.
 */
#ifndef LIB_IMPORT_STREAM_H
#define LIB_IMPORT_STREAM_H

#include "lib/import.h"

/* True when the client accepts application/x-ndjson. */
bool import_wants_lines(edge_ctx *ctx);

/* Sends a line; the first one begins the answer with status 200. The value is consumed. */
void import_send_line(edge_ctx *ctx, json_t *line);

/* What import_job.progress wants; arg is the data set's name, or NULL. */
void import_send_progress(edge_ctx *ctx, void *dataset, const struct import_counts *counts);

#endif
