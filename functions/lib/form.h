/*
 * Queries and bodies of type application/x-www-form-urlencoded, percent-encoded as RFC 3986 says (a blank is
 * %20), which every server reads.
 *
 *     struct text form = { .ctx = ctx };
 *     form_add(&form, "grant_type", "refresh_token");
 *     form_add(&form, "refresh_token", token);
 *     edge_try_fetch(ctx, "zoom", .path = "/oauth/token", .form = text_value(&form));
 */
#ifndef LIB_FORM_H
#define LIB_FORM_H

#include "lib/text.h"

/* Adds a field; value NULL adds nothing. */
void form_add(struct text *form, const char *name, const char *value);

#endif
