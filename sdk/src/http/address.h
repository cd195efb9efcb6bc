/*
 * Which addresses are on the public internet. A pure unit.
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include <sys/socket.h>

/* NULL for a public unicast address, else what it is, with where that is written: "private (RFC 1918)". */
const char *address_refusal(const struct sockaddr *address);

/* The same for an address in its usual spelling (RFC 5952, no brackets); NULL also for what is no address. */
const char *address_text_refusal(const char *text);

#endif
