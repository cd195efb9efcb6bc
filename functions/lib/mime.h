/*
 * Mail messages as octets: header fields of RFC 5322, words in other scripts as RFC 2047 encodes them, a body
 * in base64 (RFC 2045). Line ends are CRLF.
 */
#ifndef LIB_MIME_H
#define LIB_MIME_H

#include <edge/edge.h>

#include "lib/address.h"
#include "lib/text.h"

struct mime_message {
    const struct addresses *to, *cc, *bcc; /* an empty list makes no header */
    const char *subject;                   /* without control characters */
    const char *body;
    bool html;
};

/* The message; no From, Date or Message-ID, which who sends it adds. */
struct text mime_write(edge_ctx *ctx, const struct mime_message *message);

#endif
