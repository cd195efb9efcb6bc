/*
 * Routing: from a request's path to the function that serves it.
 *
 * A route is a path of literal segments and {parameters}, each a whole segment; a last segment "*" is a
 * wildcard, which takes what is below and the path without it. A route of the form /functions/v1/<name> also
 * takes everything below it: clients paste sub-paths behind a function's name.
 *
 * Exact beats parameters, parameters beat wildcards, longer beats shorter; between patterns of one length the
 * one with the literal further left wins. A look-up costs the length of the path: one hash, or two, and the
 * few patterns there are.
 */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include <edge/http.h>

#include <config/config.h>

#include <stddef.h>

#define ROUTE_PARAM_MAX 8

struct route_table;

/* Texts lie in the caller's scratch memory, function in the configuration the table was made from. */
struct route_match {
    const struct function_config *function;
    const char *path; /* percent-decoded, but for %2F: an encoded slash separates no segments */
    const char *rest; /* of path, behind the route: "" or "/rest" */
    edge_header params[ROUTE_PARAM_MAX + 1]; /* decoded (a %2F too), ended by { 0 } */
};

struct route_error {
    char text[256]; /* names the functions and routes at fault */
};

/*
 * Builds the table of the enabled functions; it borrows their names and routes. 0, or -EINVAL (a route is
 * malformed), -EEXIST (two functions want the same paths), both with *error filled, or -ENOMEM.
 */
int route_table_create(const struct function_config *functions, size_t count, struct route_table **table,
    struct route_error *error);
void route_table_free(struct route_table *table);

/* Scratch bytes that a path of this length needs. */
size_t route_scratch_bytes(const struct route_table *table, size_t path_length);

/*
 * Finds the function of a path (as in the request line, without the query). 0 and *match, -ENOENT when no
 * route fits (match->path is set), or -EINVAL: a bad escape, %00, no UTF-8, or a "." or ".." segment.
 */
int route_find(
    const struct route_table *table, const char *path, size_t length, char *scratch, struct route_match *match);

/* Takes forceFunctionRegion, supabase-js's copy of x-region, out of an undecoded query; the new length. */
size_t route_drop_region(char *query);

#endif
