/*
 * The form-data parser: no input makes it read outside of the body, give parts that overlap, or never end. The
 * input's first line is the Content-Type, the rest is the body.
 */
#include <base/multipart.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct multipart_header *header, const char *name)
{
    struct multipart_parameter parameter = multipart_parameter(header->value, header->value_length, name);
    if (parameter.length < 0)
        return;
    const char *end = header->value + header->value_length;
    if (parameter.text < header->value || parameter.text + parameter.length > end)
        abort();
    char *text = malloc((size_t)parameter.length + 1);
    if (multipart_unescape(parameter, text) > (size_t)parameter.length)
        abort();
    free(text);
}

static void check_head(struct multipart_part part)
{
    struct multipart_header header;
    const char *end = part.head + part.head_length;
    while (multipart_header(&part, &header) > 0) {
        if (header.name_length == 0 || header.value + header.value_length > end)
            abort();
        check_value(&header, "name");
        check_value(&header, "filename");
    }
}

static void parse(const char *type, const char *body, size_t length)
{
    struct multipart multipart;
    struct multipart_part part;
    const char *why = NULL, *at = body;
    if (!multipart_begin(&multipart, type, body, length))
        return;
    int found = 0;
    while ((found = multipart_next(&multipart, &part, &why)) > 0) {
        if (part.head < at || part.head + part.head_length > part.data ||
            part.data + part.length + multipart.delimiter_length - 2 > body + length)
            abort();
        at = part.data + part.length;
        check_head(part);
    }
    if (found < 0 && why == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    if (line == NULL)
        return 0;
    size_t head = (size_t)(line - data), length = size - head - 1;
    char *type = calloc(1, head + 1), *body = malloc(length + (length == 0)); /* so that overruns are seen */
    memcpy(type, data, head);
    memcpy(body, line + 1, length);
    parse(type, body, length);
    free(type);
    free(body);
    return 0;
}
