/*
 * Functions as pages for people; see docs_markdown.h.
 */
#include "cli/docs_markdown.h"

#include "cli/json_print.h"
#include "config/units.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static const json_t *any_operation(const json_t *item)
{
    static const char *const methods[] = { "post", "get", "put", "patch", "delete", "head", NULL };
    for (const char *const *method = methods; *method != NULL; method++)
        if (json_object_get(item, *method) != NULL)
            return json_object_get(item, *method);
    return NULL;
}

const char *docs_function_name(const json_t *item)
{
    return text_of(any_operation(item), "x-function");
}

/* Text of a table's cell. */
static void write_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static void write_value(FILE *out, const json_t *value)
{
    char *text = json_text(value, false);
    fputc('`', out);
    write_cell(out, text);
    fputc('`', out);
    free(text);
}

/* --- who may call --- */

static void write_security(FILE *out, const json_t *operation)
{
    static const struct {
        const char *scheme, *words;
    } schemes[] = {
        { "clerkHeader", "a session token in `x-clerk-auth`" },
        { "bearer", "a session token in `Authorization: Bearer`" },
        { "serviceKey", "the service key in `Authorization: Bearer`" },
        { "webhookSignature", "the sender's signature" },
    };
    const json_t *security = json_object_get(operation, "security");
    size_t count = 0, i;
    json_t *choice;
    fputs("Who may call it: ", out);
    json_array_foreach(security, i, choice)
    {
        for (size_t k = 0; k < sizeof schemes / sizeof *schemes; k++)
            if (json_object_get(choice, schemes[k].scheme) != NULL)
                fprintf(out, "%s%s", count++ > 0 ? ", or " : "", schemes[k].words);
        if (json_object_size(choice) == 0)
            fprintf(out, "%sanybody", count++ > 0 ? ", or " : "");
    }
    fputs(count == 0 ? "anybody.\n" : ".\n", out);
}

static void write_limits(FILE *out, const json_t *operation)
{
    char timeout[32], body[32];
    const json_t *rate = json_object_get(operation, "x-rate-limit");
    duration_format(json_integer_value(json_object_get(operation, "x-timeout-ms")), timeout);
    size_format(json_integer_value(json_object_get(operation, "x-max-body-bytes")), body);
    fprintf(out, "Limits: %s a call, %s of body", timeout, body);
    if (rate != NULL)
        fprintf(out, ", %d calls in %d s per %s", (int)json_integer_value(json_object_get(rate, "limit")),
            (int)json_integer_value(json_object_get(rate, "windowSeconds")), text_of(rate, "per"));
    fputs(".\n", out);
}

/* --- fields --- */

static const char *type_name(const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    const char *name = json_string_value(json_is_array(type) ? json_array_get(type, 0) : type);
    const char *format = json_string_value(json_object_get(schema, "format"));
    return format != NULL                            ? format
           : json_object_get(schema, "enum") != NULL ? "one of"
           : name != NULL                            ? name
                                                     : "any";
}

static void write_range(FILE *out, const json_t *schema)
{
    static const char *const keys[][3] = { { "minimum", "maximum", "" },
        { "minLength", "maxLength", " characters" }, { "minItems", "maxItems", " items" },
        { "x-min-bytes", "x-max-bytes", " bytes of JSON" } };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *least = json_object_get(schema, keys[i][0]), *most = json_object_get(schema, keys[i][1]);
        if (most != NULL)
            fprintf(out, ", %.15g to %.15g%s", json_number_value(least), json_number_value(most), keys[i][2]);
    }
}

static void write_type(FILE *out, const json_t *schema)
{
    size_t i;
    json_t *value;
    const char *separator = " ";
    fputs(type_name(schema), out);
    json_array_foreach(json_object_get(schema, "enum"), i, value)
    {
        if (json_is_null(value))
            continue;
        fputs(separator, out);
        write_value(out, value);
        separator = ", ";
    }
    write_range(out, schema);
}

static bool is_required(const json_t *schema, const char *name)
{
    char pattern[256];
    snprintf(pattern, sizeof pattern, "\"%s\"", name);
    char *required = json_dumps(json_object_get(schema, "required"), JSON_ENCODE_ANY);
    char *choices = json_dumps(json_object_get(schema, "allOf"), JSON_ENCODE_ANY);
    bool found = (required != NULL && strstr(required, pattern) != NULL) ||
                 (choices != NULL && strstr(choices, pattern) != NULL);
    free(required);
    free(choices);
    return found;
}

/* Members of any name beside those that have one. */
static void write_others(FILE *out, const json_t *schema, const char *path)
{
    const json_t *others = json_object_get(schema, "additionalProperties");
    if (!json_is_object(others) || json_object_get(schema, "properties") == NULL)
        return;
    fprintf(out, "| `%s*` | ", path);
    write_type(out, others);
    fputs(" | | ", out);
    write_cell(out, text_of(others, "description"));
    fputs(" |\n", out);
}

static void write_rows(FILE *out, const json_t *schema, const char *path)
{
    const char *name;
    json_t *field;
    json_object_foreach(json_object_get(schema, "properties"), name, field)
    {
        char below[512];
        const json_t *items = json_object_get(field, "items"), *fallback = json_object_get(field, "default");
        fprintf(out, "| `%s%s` | ", path, name);
        write_type(out, field);
        fputs(is_required(schema, name) ? " | required | " : fallback == NULL ? " | | " : " | ", out);
        if (fallback != NULL && !is_required(schema, name)) {
            write_value(out, fallback);
            fputs(" | ", out);
        }
        write_cell(out, text_of(field, "description"));
        fputs(" |\n", out);
        snprintf(below, sizeof below, "%s%s%s.", path, name, items != NULL ? "[]" : "");
        write_rows(out, items != NULL ? items : field, below);
    }
    write_others(out, schema, path);
}

static void write_fields(FILE *out, const char *title, const json_t *content)
{
    const char *media_type;
    json_t *entry;
    const json_t *schema = json_object_get(json_object_get(content, "application/json"), "schema");
    fprintf(out, "\n## %s\n\n", title);
    json_object_foreach((json_t *)content, media_type, entry) fprintf(out, "`%s`\n", media_type);
    if (json_object_size(json_object_get(schema, "properties")) == 0)
        return;
    fputs("\n| field | type | default | what it is |\n|---|---|---|---|\n", out);
    write_rows(out, schema, "");
}

/* --- errors --- */

static void write_errors(FILE *out, const json_t *operation)
{
    const char *status;
    json_t *response;
    fputs("\n## Errors\n\n| status | codes |\n|---|---|\n", out);
    json_object_foreach(json_object_get(operation, "responses"), status, response)
    {
        if (json_object_get(response, "x-codes") == NULL)
            continue;
        fprintf(out, "| %s | ", status);
        write_cell(out, text_of(response, "description"));
        fputs(" |\n", out);
    }
}

static void write_operation(FILE *out, const char *method, const char *route, const json_t *operation)
{
    const json_t *body = json_object_get(json_object_get(operation, "requestBody"), "content");
    const json_t *success = json_object_get(json_object_get(operation, "responses"), "200");
    fputs("\n`", out);
    for (; *method != '\0'; method++)
        fputc(toupper((unsigned char)*method), out);
    fprintf(out, " %s`%s\n\n", route,
        json_object_get(operation, "x-websocket") != NULL ? " opens a WebSocket session" : "");
    write_security(out, operation);
    write_limits(out, operation);
    if (body != NULL)
        write_fields(out, "Request", body);
    if (success != NULL)
        write_fields(out, "Answer", json_object_get(success, "content"));
    write_errors(out, operation);
}

char *docs_function_page(const char *route, const json_t *item)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    const char *method;
    json_t *operation;
    fprintf(out, "# %s\n\n%s.\n", docs_function_name(item), text_of(any_operation(item), "summary"));
    json_object_foreach((json_t *)item, method, operation)
    {
        if (json_is_object(operation))
            write_operation(out, method, route, operation);
    }
    fclose(out);
    return text;
}

char *docs_index_page(const json_t *document, int linked)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    const char *route;
    json_t *item;
    fputs("# Functions\n\n| function | route | what it does |\n|---|---|---|\n", out);
    json_object_foreach(json_object_get(document, "paths"), route, item)
    {
        const char *name = docs_function_name(item);
        if (linked)
            fprintf(out, "| [%s](%s.md) | ", name, name);
        else
            fprintf(out, "| %s | ", name);
        fprintf(out, "`%s` | ", route);
        write_cell(out, text_of(any_operation(item), "summary"));
        fputs(" |\n", out);
    }
    fclose(out);
    return text;
}
