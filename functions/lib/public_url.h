/*
 * URLs that are handed on to providers or shown to people (spec workspace.md 0.9): absolute, without a user,
 * and not of an address that only means something inside a network.
 */
#ifndef LIB_PUBLIC_URL_H
#define LIB_PUBLIC_URL_H

#include <edge/edge.h>

/* A link, http or https; an image's URL, https only. Others: 400 naming the field. */
json_t *public_url_check_link(edge_ctx *ctx, const edge_field *field, json_t *value);
json_t *public_url_check_image(edge_ctx *ctx, const edge_field *field, json_t *value);

#endif
