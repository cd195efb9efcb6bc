/*
 * The development issuer: an RSA key in a file of one's own, whose tokens a host under development accepts.
 */
#ifndef DEVELOPMENT_H
#define DEVELOPMENT_H

#include <openssl/evp.h>

#define DEVELOPMENT_ISSUER "https://dev.pulse-edge.localhost"

/* Reads the private key at path, or makes one there (mode 0600) when there is none. 0 or a negative errno. */
int development_key_open(const char *path, EVP_PKEY **key);

/* Its public half in PEM, to be freed by the caller; NULL when memory is short. */
char *development_key_public(EVP_PKEY *key);

#endif
