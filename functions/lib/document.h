/*
 * A document that is handed on: its bytes, by URL or inline, what kind they are, and a name that fits (spec
 * crm.md, uploadSkySlopeDocumentTool).
 */
#ifndef LIB_DOCUMENT_H
#define LIB_DOCUMENT_H

#include <edge/edge.h>

enum {
    DOCUMENT_MAX_BYTES = 25 << 20,
    DOCUMENT_NAME_MAX = 150,
};

/* Why it cannot be had: status, code and a sentence. */
struct document_failure {
    int status;
    const char *code, *message;
};

struct document {
    const void *bytes;
    size_t length;
    const char *extension; /* of what the first bytes are, "pdf" */
    const char *name;      /* with an extension */
    const struct document_failure *failure;
};

/*
 * Reads the document at a URL that has passed edge_url_is_allowed (url), or in Base64 that decodes (base64).
 * name may be NULL: then the URL's last segment counts. What it is follows from its first bytes, and for Office
 * files from the name.
 */
struct document document_read(edge_ctx *ctx, const char *url, const char *base64, const char *name);

#endif
