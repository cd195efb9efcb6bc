/*
 * The parts of a form that a request brings: made of multipart.h's spans by the first call that asks.
 */
#include "multipart.h"
#include "utf8.h"
#include "validate.h"

#include <edge/request.h>

#include <string.h>

struct part_list {
    size_t count;
    edge_part items[];
};

bool edge_request_has_parts(edge_ctx *ctx)
{
    struct multipart multipart;
    const char *type = edge_request_header(ctx, "content-type");
    return type != NULL && multipart_begin(&multipart, type, "", 0);
}

/* A parameter as text; NULL when there is none. */
static const char *parameter_text(edge_ctx *ctx, const struct multipart_header *header, const char *name)
{
    struct multipart_parameter found = multipart_parameter(header->value, header->value_length, name);
    if (found.length < 0)
        return NULL;
    char *text = edge_alloc(ctx, (size_t)found.length + 1);
    size_t length = multipart_unescape(found, text);
    if (!utf8_is_text(text, length))
        input_refuse(ctx, "A part's %s must be UTF-8 without U+0000", name);
    return text;
}

/* A client's directories are none of ours (RFC 7578 4.2), and .. is no name. */
static const char *base_name(const char *filename)
{
    for (const char *at = filename; *at != '\0'; at++)
        if (*at == '/' || *at == '\\')
            filename = at + 1;
    return strcmp(filename, ".") == 0 || strcmp(filename, "..") == 0 ? "" : filename;
}

static void read_disposition(edge_ctx *ctx, edge_part *part, const struct multipart_header *header)
{
    static const char form_data[] = "form-data";
    size_t length = sizeof form_data - 1;
    if (header->value_length >= length && strncasecmp(header->value, form_data, length) == 0) {
        part->name = parameter_text(ctx, header, "name");
        part->filename = parameter_text(ctx, header, "filename");
    }
    if (part->name == NULL)
        input_refuse(ctx, "A part has no name");
    if (part->filename != NULL)
        part->filename = base_name(part->filename);
}

static bool is_named(const struct multipart_header *header, const char *name)
{
    return header->name_length == strlen(name) && strncasecmp(header->name, name, header->name_length) == 0;
}

static void read_part(edge_ctx *ctx, edge_part *part, struct multipart_part span)
{
    *part = (edge_part){ .media_type = "text/plain", .data = span.data, .length = span.length, .fd = -1 };
    if (ctx->request.body_spooled && span.length > 0) {
        part->fd = ctx->request.body_fd;
        part->offset = span.data - (const char *)ctx->request.body;
    }

    struct multipart_header header;
    int found = 0, count = 0;
    while ((found = multipart_header(&span, &header)) > 0 && ++count <= MULTIPART_HEADERS_MAX) {
        if (is_named(&header, "content-disposition"))
            read_disposition(ctx, part, &header);
        else if (is_named(&header, "content-type") && utf8_is_text(header.value, header.value_length))
            part->media_type = edge_copy_bytes(ctx, header.value, header.value_length);
    }
    if (found != 0)
        input_refuse(ctx, "A part's header is malformed or has more than %d lines", MULTIPART_HEADERS_MAX);
    if (part->name == NULL)
        input_refuse(ctx, "A part has no name");
}

/* Twice over the body: what counting costs is less than a list that has to grow. */
static size_t count_parts(edge_ctx *ctx, struct multipart multipart)
{
    struct multipart_part span;
    const char *why = NULL;
    size_t count = 0;
    int found = 0;
    while ((found = multipart_next(&multipart, &span, &why)) > 0)
        if (++count > MULTIPART_PARTS_MAX)
            input_refuse(ctx, "The body has more than %d parts", MULTIPART_PARTS_MAX);
    if (found < 0)
        input_refuse(ctx, "%s", why);
    return count;
}

static const struct part_list *parts_of(edge_ctx *ctx)
{
    if (ctx->request.parts != NULL)
        return ctx->request.parts;
    struct multipart multipart;
    size_t length = 0;
    const void *body = edge_request_body(ctx, &length);
    const char *type = edge_request_header(ctx, "content-type");
    if (type == NULL || !multipart_begin(&multipart, type, body, length))
        edge_fail(ctx, 415, "unsupported_media_type",
            "The body must be multipart/form-data with a boundary, not \"%s\"", type != NULL ? type : "");

    size_t count = count_parts(ctx, multipart);
    struct part_list *list = edge_alloc(ctx, sizeof *list + count * sizeof list->items[0]);
    struct multipart_part span;
    const char *why = NULL;
    while (list->count < count && multipart_next(&multipart, &span, &why) > 0)
        read_part(ctx, &list->items[list->count++], span);
    ctx->request.parts = list;
    return list;
}

const edge_part *edge_request_parts(edge_ctx *ctx, size_t *count)
{
    const struct part_list *list = parts_of(ctx);
    *count = list->count;
    return list->items;
}

const edge_part *edge_request_part(edge_ctx *ctx, const char *name)
{
    const struct part_list *list = parts_of(ctx);
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

const char *edge_part_text(edge_ctx *ctx, const edge_part *part)
{
    if (!utf8_is_text(part->data, part->length))
        edge_fail_with(ctx, 400, input_code(ctx), .field = part->name,
            .message = edge_format(ctx, "%s must be UTF-8 without U+0000", part->name));
    return edge_copy_bytes(ctx, part->data, part->length);
}
