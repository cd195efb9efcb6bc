/*
 * Connecting a CRM by a key that the user brings (spec oauth.md, loftyAuth): the key's form, what a check of it
 * at the provider means, and its removal. Storing is connection_store_key.
 */
#ifndef LIB_API_KEY_H
#define LIB_API_KEY_H

#include "lib/connection.h"

/* The answer to connecting, and that of a function that disconnects as well. */
extern const edge_field api_key_connect_output[], api_key_output[];

/*
 * A key of the input, 8 to 4096 printable ASCII characters without blanks, since it goes out in a header; NULL
 * when absent. 400 naming the field.
 */
const char *api_key_optional(edge_ctx *ctx, const json_t *in, const char *field);

/* The same, required: message says so. */
EDGE_RETURNS_NONNULL const char *api_key_required(
    edge_ctx *ctx, const json_t *in, const char *field, const char *message);

/* Ends the invocation with 422 "invalid_api_key". */
EDGE_NORETURN void api_key_reject(edge_ctx *ctx, const char *message);

/* Who the key belongs to, for sync_settings: account_name, account_email, account_id. Any may be NULL. */
EDGE_RETURNS_NONNULL json_t *api_key_account(const char *name, const char *email, const char *id);

/* First and last name joined by a blank, as far as they are there; NULL when nothing is. */
const char *api_key_full_name(edge_ctx *ctx, const json_t *person);

/* An id as text, whether the provider writes a number or a string; NULL without one. */
const char *api_key_id(edge_ctx *ctx, const json_t *object, const char *name);

/* What connecting answers. */
EDGE_RETURNS_NONNULL json_t *api_key_answer(const char *message, const json_t *account);

/* Forgets the key and whose it was, of all the user's rows of the service; there may be none. */
void api_key_forget(edge_ctx *ctx, const char *user, const struct service *service);

#endif
