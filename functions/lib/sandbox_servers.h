/*
 * The authorization servers whose consent page is at another address than their token endpoint.
 */
#ifndef LIB_SANDBOX_SERVERS_H
#define LIB_SANDBOX_SERVERS_H

#include "lib/sandbox_oauth.h"

/* https://developers.google.com/identity/protocols/oauth2: an hour; refresh tokens live until they are revoked.
 */
extern const struct sandbox_oauth sandbox_google_server;

/* https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived: an hour, then 60
 * days. */
extern const struct sandbox_oauth sandbox_meta_server;

#endif
