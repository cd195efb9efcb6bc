/*
 * Signed URLs of stored objects: GET and HEAD /storage/v1/object/sign/<bucket>/<path>?token=…
 *
 * The token says which object and until when; nothing else is asked. 400 "invalid_token" or "token_expired"
 * (Supabase Storage answers 400 as well), 404 "object_not_found". Ranges, If-Range, If-None-Match and
 * If-Modified-Since are understood; "download" in the query makes it an attachment.
 */
#ifndef HTTP_STORAGE_H
#define HTTP_STORAGE_H

#include <stdbool.h>

struct exchange;

bool storage_is_for(const struct exchange *exchange);

/* True when the path is storage's: serves it, or refuses the exchange with 405. */
bool storage_refuse(struct exchange *exchange);

/* Answers a complete request. */
void storage_serve(struct exchange *exchange);

#endif
