/*
 * Cross-origin rules (Fetch standard, "HTTP-CORS protocol"), the host's business and no function's.
 *
 * Nothing is allocated: texts are constants, the configuration's, the request's, or lie in the caller's
 * scratch memory.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include <edge/http.h>

#include <stdbool.h>
#include <stddef.h>

/* Most headers that the calls below write. */
#define CORS_HEADER_MAX 6

/* Bytes of scratch that cors_preflight may use; a longer wish list is answered with the canonical one. */
#define CORS_SCRATCH_BYTES 2048

/* A preflight's answer: 200, application/json. Clients of this host parse every body, so there is no 204. */
#define CORS_PREFLIGHT_BODY "{\"ok\":true}"

/* True for a browser's preflight: OPTIONS with Origin and Access-Control-Request-Method. */
bool cors_is_preflight(const char *method, const edge_header *request);

/*
 * Writes the headers that every answer carries; returns how many. origins is functions.toml's list
 * ("*" or exact origins, NULL-terminated); request ends with { 0 }, its names in lower case.
 */
size_t cors_answer(const char *const *origins, const edge_header *request, edge_header out[CORS_HEADER_MAX]);

/* Writes the headers of a preflight's answer, those of cors_answer included; returns how many. */
size_t cors_preflight(const char *const *origins, const edge_header *request, char scratch[CORS_SCRATCH_BYTES],
    edge_header out[CORS_HEADER_MAX]);

#endif
