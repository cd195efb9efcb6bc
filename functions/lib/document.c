/*
 * Documents.
 */
#include "lib/document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

enum {
    FETCH_MS = 30000,
    REDIRECTS_MAX = 3,
    EXTENSION_MAX = 5,
};

static const struct document_failure refused = { 400, "url_not_allowed",
    "documentUrl leads to an address that is not public" };
static const struct document_failure too_large = { 413, "document_too_large",
    "The document is larger than 25 MiB" };
static const struct document_failure unreachable = { 422, "document_unreachable",
    "The document cannot be fetched" };
static const struct document_failure empty = { 422, "document_empty", "The document is empty" };
static const struct document_failure unsupported = { 415, "unsupported_document",
    "The document is no PDF, PNG, JPEG, Word or Excel file" };

static int64_t fetch_limit(edge_ctx *ctx)
{
    const char *configured = edge_env(ctx, "CRM_TIMEOUT_MS");
    return configured != NULL ? atoll(configured) : FETCH_MS;
}

static void fetch(edge_ctx *ctx, const char *url, struct document *document)
{
    edge_reply *reply =
        edge_try_fetch_public(ctx, "document_fetch", .url = url, .max_bytes = DOCUMENT_MAX_BYTES,
            .redirects_max = REDIRECTS_MAX, .timeout_ms = fetch_limit(ctx), .retries = -1);
    if (reply->failure == EDGE_HTTP_URL_REFUSED)
        document->failure = &refused;
    else if (reply->failure == EDGE_HTTP_TOO_LARGE)
        document->failure = &too_large;
    else if (reply->failure != EDGE_HTTP_OK || reply->status < 200 || reply->status > 299)
        document->failure = &unreachable;
    document->bytes = reply->body;
    document->length = reply->length;
}

static bool ends_with(const char *name, const char *extension)
{
    size_t length = strlen(name), tail = strlen(extension);
    return length > tail && strcasecmp(name + length - tail, extension) == 0;
}

/* Office files are archives or compound files, as many others are: there the name has to say so as well. */
static const char *kind_of(const struct document *document, const char *name)
{
    static const struct {
        const char *start;
        size_t length;
        const char *extension, *suffix;
    } kinds[] = {
        { "%PDF-", 5, "pdf", NULL },
        { "\x89PNG", 4, "png", NULL },
        { "\xff\xd8\xff", 3, "jpg", NULL },
        { "PK\x03\x04", 4, "docx", ".docx" },
        { "PK\x03\x04", 4, "xlsx", ".xlsx" },
        { "\xd0\xcf\x11\xe0", 4, "doc", ".doc" },
        { "\xd0\xcf\x11\xe0", 4, "xls", ".xls" },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (document->length >= kinds[i].length &&
            memcmp(document->bytes, kinds[i].start, kinds[i].length) == 0 &&
            (kinds[i].suffix == NULL || ends_with(name, kinds[i].suffix)))
            return kinds[i].extension;
    return NULL;
}

/* The last segment of a URL's path, percent-decoded; NULL when it is empty or no text. */
static const char *decoded_segment(edge_ctx *ctx, const char *url)
{
    const char *path = edge_copy_bytes(ctx, url, strcspn(url, "?#"));
    const char *segment = strrchr(strstr(path, "://") + 3, '/');
    char *out = edge_copy(ctx, segment != NULL ? segment + 1 : ""), *to = out;
    for (const char *from = out; *from != '\0'; from++) {
        char hex[3] = { from[0] == '%' ? from[1] : '\0', from[0] == '%' && from[1] != '\0' ? from[2] : '\0',
            '\0' };
        bool is_code =
            isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]) && strcmp(hex, "00") != 0;
        *to++ = is_code ? (char)strtol(hex, NULL, 16) : *from;
        from += is_code ? 2 : 0;
    }
    *to = '\0';
    return out[0] != '\0' && json_string(out) != NULL ? out : NULL;
}

/* Without what SkySlope refuses in names, control characters, and blanks beside one another. */
static const char *clean(edge_ctx *ctx, const char *name)
{
    struct text kept = { .ctx = ctx };
    for (const char *c = name; *c != '\0'; c++) {
        bool blank = *c == ' ' && (kept.length == 0 || kept.data[kept.length - 1] == ' ');
        if ((unsigned char)*c >= ' ' && *c != 0x7f && strchr("#,;%{}/\\", *c) == NULL && !blank)
            text_add_bytes(&kept, c, 1);
    }
    const char *rest = text_trim(ctx, text_value(&kept));
    return rest[0] != '\0' ? rest : "Document";
}

/* What stands behind the last dot, when it looks like an extension: letters and digits, at most five, not only
 * digits. */
static const char *extension_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name || dot[1] == '\0' || strlen(dot + 1) > EXTENSION_MAX)
        return NULL;
    bool letter = false;
    for (const char *c = dot + 1; *c != '\0'; c++) {
        if (!isalnum((unsigned char)*c))
            return NULL;
        letter = letter || isalpha((unsigned char)*c);
    }
    return letter ? dot : NULL;
}

static const char *file_name(edge_ctx *ctx, const char *name, const char *extension)
{
    const char *kept = clean(ctx, name), *own = extension_of(kept);
    const char *stem = own != NULL ? edge_copy_bytes(ctx, kept, (size_t)(own - kept)) : kept;
    const char *tail = own != NULL ? own : edge_format(ctx, ".%s", extension);
    return edge_format(
        ctx, "%s%s", text_trim(ctx, text_cut(ctx, stem, DOCUMENT_NAME_MAX - strlen(tail))), tail);
}

struct document document_read(edge_ctx *ctx, const char *url, const char *base64, const char *name)
{
    struct document document = { 0 };
    if (url != NULL)
        fetch(ctx, url, &document);
    else
        document.bytes = edge_base64_decode(ctx, base64, &document.length);
    if (document.failure != NULL)
        return document;
    if (document.length == 0) {
        document.failure = &empty;
        return document;
    }
    const char *given = name != NULL ? name : url != NULL ? decoded_segment(ctx, url) : NULL;
    given = given != NULL ? given : "Document";
    document.extension = kind_of(&document, given);
    if (document.extension == NULL)
        document.failure = &unsupported;
    else
        document.name = file_name(ctx, given, document.extension);
    return document;
}
