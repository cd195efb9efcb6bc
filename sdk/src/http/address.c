/*
 * Public addresses; see address.h. The ranges are those of IANA's registries of special-purpose addresses
 * (RFC 6890) that are not globally reachable, and what leads to them by another way.
 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct range {
    const char *network;
    unsigned bits;
    const char *why;
};

static const struct range ranges4[] = {
    { "0.0.0.0", 8, "this network (RFC 791)" },
    { "10.0.0.0", 8, "private (RFC 1918)" },
    { "100.64.0.0", 10, "shared by a carrier's customers (RFC 6598)" },
    { "127.0.0.0", 8, "loopback (RFC 1122)" },
    { "168.63.129.16", 32, "the virtual machine's host at Azure, public in its number only" },
    { "169.254.0.0", 16, "link-local, and metadata services (RFC 3927)" },
    { "172.16.0.0", 12, "private (RFC 1918)" },
    { "192.0.0.0", 24, "protocol assignments (RFC 6890)" },
    { "192.0.2.0", 24, "documentation (RFC 5737)" },
    { "192.88.99.0", 24, "6to4 relay (RFC 7526)" },
    { "192.168.0.0", 16, "private (RFC 1918)" },
    { "198.18.0.0", 15, "benchmarking (RFC 2544)" },
    { "198.51.100.0", 24, "documentation (RFC 5737)" },
    { "203.0.113.0", 24, "documentation (RFC 5737)" },
    { "224.0.0.0", 4, "multicast (RFC 5771)" },
    { "240.0.0.0", 4, "reserved, and broadcast (RFC 1112, RFC 919)" },
    { 0 },
};

/* What none of them covers and is not in 2000::/3 has never been given to anybody. */
static const struct range ranges6[] = {
    { "::", 128, "unspecified (RFC 4291)" },
    { "::1", 128, "loopback (RFC 4291)" },
    { "::ffff:0:0", 96, "an IPv4 address, mapped (RFC 4291)" },
    { "::", 96, "an IPv4 address, compatible (RFC 4291)" },
    { "64:ff9b::", 96, "an IPv4 address behind NAT64 (RFC 6052)" },
    { "64:ff9b:1::", 48, "an IPv4 address behind a local NAT64 (RFC 8215)" },
    { "100::", 64, "discarded (RFC 6666)" },
    { "2001::", 32, "an IPv4 address behind Teredo (RFC 4380)" },
    { "2001::", 23, "protocol assignments (RFC 2928)" },
    { "2001:db8::", 32, "documentation (RFC 3849)" },
    { "2002::", 16, "an IPv4 address behind 6to4 (RFC 3056)" },
    { "3ffe::", 16, "6bone (RFC 3701)" },
    { "3fff::", 20, "documentation (RFC 9637)" },
    { "fc00::", 7, "unique local (RFC 4193)" },
    { "fe80::", 10, "link-local (RFC 4291)" },
    { "fec0::", 10, "site-local (RFC 3879)" },
    { "ff00::", 8, "multicast (RFC 4291)" },
    { 0 },
};

static bool begins_with(const uint8_t *address, const uint8_t *network, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(address, network, whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0;
}

static const char *find(const struct range *ranges, int family, const void *address)
{
    for (const struct range *range = ranges; range->network != NULL; range++) {
        uint8_t network[16];
        inet_pton(family, range->network, network);
        if (begins_with(address, network, range->bits))
            return range->why;
    }
    return NULL;
}

static const char *refusal6(const struct in6_addr *address)
{
    const char *why = find(ranges6, AF_INET6, address);
    if (why == NULL && (address->s6_addr[0] & 0xe0) != 0x20)
        return "not global unicast (RFC 4291)";
    return why;
}

const char *address_refusal(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return find(ranges4, AF_INET, &in.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return refusal6(&in6.sin6_addr);
    }
    return "no internet address";
}

const char *address_text_refusal(const char *text)
{
    struct in_addr in;
    struct in6_addr in6;
    if (inet_pton(AF_INET, text, &in) == 1)
        return find(ranges4, AF_INET, &in);
    return inet_pton(AF_INET6, text, &in6) == 1 ? refusal6(&in6) : NULL;
}
