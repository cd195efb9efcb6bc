/*
 * The answer. A handler returns a JSON value and is done: 200, application/json. These calls are for
 * everything else; each must come before the handler returns, and a handler that answered in full with
 * edge_respond_* returns NULL. Status, headers and cookies are said before edge_respond_*.
 *
 * A mistake of the function (a malformed header, a status it may not use, a second answer) ends the invocation
 * with 500 "internal_error".
 */
#ifndef EDGE_RESPONSE_H
#define EDGE_RESPONSE_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/* Status of the answer that the handler's return value becomes; 200..599 without 204 and 304. */
void edge_response_status(edge_ctx *ctx, int status);

/* Adds a header. Names that are the host's (content-length, x-relay-error, CORS …) end the invocation, 500. */
void edge_response_header(edge_ctx *ctx, const char *name, const char *value);

/*
 * Answers with bytes of a media type. Binary types go out as application/octet-stream unless Accept names them:
 * supabase-js reads what it does not know as text. Parks while the client is slow.
 */
void edge_respond_bytes(edge_ctx *ctx, const char *media_type, const void *data, size_t length);

/*
 * Answers with JSON text that is there already, as PostgreSQL or a provider wrote it: it goes out as it is,
 * unparsed, and must be one whole JSON value. Parks while the client is slow.
 *
 *     edge_rows *rows = edge_query(ctx, "SELECT json_agg(g)::text AS list FROM goals g");
 *     const char *list = edge_rows_text(rows, 0, "list");
 *     edge_respond_json(ctx, list, strlen(list));
 */
void edge_respond_json(edge_ctx *ctx, const char *text, size_t length);

/* How a file is answered; zero members are the defaults. */
typedef struct edge_file {
    const char *media_type;    /* default application/octet-stream */
    const char *under;         /* directory that the path may not leave: give it when a client names the file */
    const char *download_name; /* saved under this name (Content-Disposition); UTF-8 */
    const char *etag;          /* entity tag with its quotes, at most 71 bytes; default: of size and time */
} edge_file;

/*
 * Answers with a regular file, or with the part of it that the client asks for. Memory stays the same whatever
 * its size; the kernel sends it (sendfile) where that can be. Parks while the client is slow, and is bounded by
 * the function's timeout: give one that serves large files a long one.
 *
 * Conditional requests (RFC 9110 13) count in GET and HEAD requests, ranges (14) in GET requests: 206 with
 * Content-Range for one range, the whole for several; If-Range; 416 "range_not_satisfiable"; 412
 * "precondition_failed"; 304, but only to a client that sent If-None-Match or If-Modified-Since itself. ETag,
 * Last-Modified and Accept-Ranges are set. List GET and HEAD in .methods to have them.
 *
 * 404 "file_not_found" when there is no such regular file, or it may not be read. path is relative to .under;
 * without that it must be absolute. A file that shrinks while it is sent breaks the connection off.
 *
 *     edge_respond_file(ctx, edge_request_param(ctx, "name"), .under = "/srv/reports",
 *         .media_type = "application/pdf");
 */
#define edge_respond_file(ctx, path, ...)                                                                      \
    edge_respond_file_with((ctx), (path), &(const edge_file){ __VA_ARGS__ })
void edge_respond_file_with(edge_ctx *ctx, const char *path, const edge_file *options);

/* The same of an open file, from its beginning whatever its position; fd stays the function's. */
#define edge_respond_fd(ctx, fd, ...) edge_respond_fd_with((ctx), (fd), &(const edge_file){ __VA_ARGS__ })
void edge_respond_fd_with(edge_ctx *ctx, int fd, const edge_file *options);

/* A cookie's attributes. Zero members are the safe ones: Path=/, Secure, HttpOnly, SameSite=Lax, this session.
 */
typedef struct edge_cookie {
    const char *path, *domain;
    const char *same_site;    /* "Lax", "Strict" or "None" */
    int64_t max_age_seconds;  /* 0: until the browser closes; negative: deletes it */
    bool insecure;            /* goes out over plain HTTP as well */
    bool readable_by_scripts; /* not HttpOnly */
} edge_cookie;

/*
 * Sets a cookie (RFC 6265); several may be set. value: visible ASCII without , ; " \ and blanks; encode what
 * may be more (edge_url_encode, crypto.h's base64url). What a browser would refuse ends the invocation, 500.
 *
 *     edge_response_cookie(ctx, "__Host-state", state, .max_age_seconds = 600);
 */
#define edge_response_cookie(ctx, name, value, ...)                                                            \
    edge_response_cookie_with((ctx), (name), (value), &(const edge_cookie){ __VA_ARGS__ })
void edge_response_cookie_with(edge_ctx *ctx, const char *name, const char *value, const edge_cookie *cookie);

/* Answers with a redirect, 302 unless status says 301, 303, 307 or 308. */
void edge_respond_redirect(edge_ctx *ctx, int status, const char *location);

#pragma GCC visibility pop

#endif
