/*
 * A TypeScript module from an OpenAPI document; see typescript.h.
 *
 * Only what openapi_schema.c writes is read: types, null beside a type, members, items, enumerations.
 */
#include "cli/typescript.h"

#include "cli/json_print.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fixed parts of the module. */
static const char head[] = "/* Written by `edge types --typescript`: what is changed here is lost. */\n"
                           "\n"
                           "/* What of supabase-js is used: the member `functions` of its client. */\n"
                           "export interface Invoker {\n"
                           "    invoke(name: string, options?: any): Promise<{ data: any; error: any }>;\n"
                           "}\n"
                           "\n"
                           "export interface Functions {\n";

static const char tail[] =
    "}\n"
    "\n"
    "export type Name = keyof Functions;\n"
    "export type Request<N extends Name> = Functions[N]['request'];\n"
    "export type Answer<N extends Name> = Functions[N]['answer'];\n"
    "\n"
    "/* error is supabase-js's: of an answer of the function, error.context is the Response with its JSON. */\n"
    "export type Result<N extends Name> = { data: Answer<N>; error: null } | { data: null; error: Error };\n"
    "\n"
    "export interface Options {\n"
    "    headers?: Record<string, string>;\n"
    "    signal?: AbortSignal;\n"
    "}\n"
    "\n"
    "/* A request whose members may all be left out may be left out itself. */\n"
    "type Arguments<N extends Name> = {} extends Request<N>\n"
    "    ? [request?: Request<N>, options?: Options]\n"
    "    : [request: Request<N>, options?: Options];\n"
    "\n"
    "export type Invoke = <N extends Name>(name: N, ...given: Arguments<N>) => Promise<Result<N>>;\n"
    "\n"
    "export function typed(functions: Invoker): { invoke: Invoke } {\n"
    "    return {\n"
    "        invoke: (name, ...[request, options]) =>\n"
    "            functions.invoke(name, { ...options, body: request ?? {} }) as Promise<Result<typeof name>>,\n"
    "    };\n"
    "}\n";

static void write_type(FILE *out, const json_t *schema, int depth);

static void indent(FILE *out, int depth)
{
    fprintf(out, "%*s", 4 * depth, "");
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A string literal, in JSON's escapes, which are JavaScript's too. */
static void write_literal(FILE *out, const json_t *value)
{
    json_print(out, value);
}

static bool is_identifier(const char *name)
{
    bool letters = isalpha((unsigned char)name[0]) || name[0] == '_';
    for (; *name != '\0' && letters; name++)
        letters = isalnum((unsigned char)*name) || *name == '_';
    return letters;
}

static void write_name(FILE *out, const char *name)
{
    if (is_identifier(name)) {
        fputs(name, out);
        return;
    }
    json_t *quoted = json_string(name);
    write_literal(out, quoted);
    json_decref(quoted);
}

/* Words of a comment must not end it. */
static void write_words(FILE *out, const char *words)
{
    for (; *words != '\0'; words++) {
        fputc(*words == '\n' ? ' ' : *words, out);
        if (words[0] == '*' && words[1] == '/')
            fputc(' ', out);
    }
}

/* "1 to 90", "3 or more", of what the limits count. */
static void write_limits(FILE *out, const json_t *schema)
{
    static const struct {
        const char *least, *most, *what;
    } limits[] = {
        { "minimum", "maximum", "" },
        { "minLength", "maxLength", " characters" },
        { "minItems", "maxItems", " items" },
        { "minProperties", "maxProperties", " members" },
        { "x-min-bytes", "x-max-bytes", " bytes of JSON" },
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const json_t *least = json_object_get(schema, limits[i].least);
        const json_t *most = json_object_get(schema, limits[i].most);
        if (most != NULL)
            fprintf(
                out, " %.15g to %.15g%s.", json_number_value(least), json_number_value(most), limits[i].what);
    }
}

static bool says_something(const json_t *schema)
{
    static const char *const said[] = { "description", "format", "default", "maximum", "maxLength", "maxItems",
        "maxProperties", "x-max-bytes" };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (json_object_get(schema, said[i]) != NULL)
            return true;
    return false;
}

static void write_comment(FILE *out, const json_t *schema, int depth)
{
    if (!says_something(schema))
        return;
    const char *words = text_of(schema, "description"), *format = text_of(schema, "format");
    const json_t *fallback = json_object_get(schema, "default");
    indent(out, depth);
    fputs("/**", out);
    if (words != NULL) {
        fputc(' ', out);
        write_words(out, words);
        fputc('.', out);
    }
    write_limits(out, schema);
    if (format != NULL)
        fprintf(out, " Format: %s.", format);
    if (fallback != NULL) {
        char *text = json_text(fallback, false);
        fputs(" Default: ", out);
        write_words(out, text);
        fputc('.', out);
        free(text);
    }
    fputs(" */\n", out);
}

static bool contains(const json_t *list, const char *word)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        if (json_is_string(entry) && strcmp(json_string_value(entry), word) == 0)
            return true;
    }
    return false;
}

/* Required, also when it may come under another name: here it has its proper one. */
static bool is_required(const json_t *schema, const char *name)
{
    size_t i;
    json_t *choice;
    if (contains(json_object_get(schema, "required"), name))
        return true;
    json_array_foreach(json_object_get(schema, "allOf"), i, choice)
    {
        const json_t *first = json_array_get(json_object_get(choice, "anyOf"), 0);
        if (contains(json_object_get(first, "required"), name))
            return true;
    }
    return false;
}

static void write_object(FILE *out, const json_t *schema, int depth)
{
    const json_t *properties = json_object_get(schema, "properties");
    if (json_object_size(properties) == 0) {
        fputs("{ [name: string]: ", out);
        write_type(out, json_object_get(schema, "additionalProperties"), depth); /* NULL: unknown */
        fputs(" }", out);
        return;
    }
    const char *name;
    json_t *property;
    fputs("{\n", out);
    json_object_foreach((json_t *)properties, name, property)
    {
        if (json_is_true(json_object_get(property, "deprecated")))
            continue;
        write_comment(out, property, depth + 1);
        indent(out, depth + 1);
        write_name(out, name);
        fputs(is_required(schema, name) ? ": " : "?: ", out);
        write_type(out, property, depth + 1);
        fputs(";\n", out);
    }
    if (json_is_object(json_object_get(schema, "additionalProperties"))) {
        indent(out, depth + 1);
        fputs(
            "[name: string]: unknown;\n", out); /* of a narrower type the named members would have to be too */
    }
    indent(out, depth);
    fputc('}', out);
}

static void write_values(FILE *out, const json_t *values)
{
    size_t i;
    json_t *value;
    json_array_foreach(values, i, value)
    {
        fputs(i > 0 ? " | " : "", out);
        write_literal(out, value);
    }
}

static void write_named(FILE *out, const json_t *schema, const char *type, int depth)
{
    if (strcmp(type, "object") == 0) {
        write_object(out, schema, depth);
    } else if (strcmp(type, "array") == 0) {
        fputs("Array<", out);
        write_type(out, json_object_get(schema, "items"), depth); /* NULL: of anything */
        fputc('>', out);
    } else {
        fputs(strcmp(type, "integer") == 0 ? "number" : type, out);
    }
}

static void write_type(FILE *out, const json_t *schema, int depth)
{
    const json_t *type = json_object_get(schema, "type"), *values = json_object_get(schema, "enum");
    size_t i;
    json_t *one;
    if (values != NULL)
        write_values(out, values);
    else if (json_is_string(type))
        write_named(out, schema, json_string_value(type), depth);
    else if (!json_is_array(type))
        fputs("unknown", out);
    json_array_foreach(values == NULL ? type : NULL, i, one)
    {
        fputs(i > 0 ? " | " : "", out);
        write_named(out, schema, json_string_value(one), depth);
    }
}

/* What the caller sends: JSON, or what a browser has a type for. */
static void write_request(FILE *out, const json_t *operation)
{
    const json_t *content = json_object_get(json_object_get(operation, "requestBody"), "content");
    const json_t *json = json_object_get(content, "application/json");
    const char *media_type;
    json_t *value;
    bool form = false, bytes = false;
    if (json != NULL)
        write_type(out, json_object_get(json, "schema"), 2);
    json_object_foreach((json_t *)content, media_type, value)
    {
        form = form || strcmp(media_type, "multipart/form-data") == 0;
        bytes = bytes ||
                (strcmp(media_type, "application/json") != 0 && strcmp(media_type, "multipart/form-data") != 0);
    }
    const char *separator = json != NULL ? " | " : "";
    if (form)
        fprintf(out, "%sFormData", separator);
    if (bytes)
        fprintf(out, "%sBlob | ArrayBuffer | string", form ? " | " : separator);
}

/* What supabase-js makes of an answer, by its media type. */
static void write_answer(FILE *out, const json_t *operation)
{
    const json_t *success = json_object_get(json_object_get(operation, "responses"), "200");
    const json_t *content = json_object_get(success, "content");
    const json_t *json = json_object_get(content, "application/json");
    if (json != NULL) {
        write_type(out, json_object_get(json, "schema"), 2);
    } else if (json_object_get(content, "application/octet-stream") != NULL ||
               json_object_get(content, "application/pdf") != NULL) {
        fputs("Blob", out);
    } else {
        fputs(json_object_get(content, "text/event-stream") != NULL ? "Response" : "string", out);
    }
}

static bool is_webhook(const json_t *operation)
{
    const json_t *first = json_array_get(json_object_get(operation, "security"), 0);
    return json_object_get(first, "webhookSignature") != NULL;
}

static void write_function(FILE *out, const json_t *operation)
{
    fputs("    /** ", out);
    write_words(out, text_of(operation, "summary"));
    fputs(". */\n    ", out);
    write_name(out, text_of(operation, "x-function"));
    fputs(": {\n        request: ", out);
    write_request(out, operation);
    fputs(";\n        answer: ", out);
    write_answer(out, operation);
    fputs(";\n    };\n", out);
}

char *typescript_text(const json_t *document)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    const char *path;
    json_t *item;
    fputs(head, out);
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        const json_t *operation = json_object_get(item, "post");
        /* supabase-js calls by name: what has a route of its own is out of its reach. */
        if (operation != NULL && !is_webhook(operation) && strncmp(path, "/functions/v1/", 14) == 0)
            write_function(out, operation);
    }
    fputs(tail, out);
    fclose(out);
    return text;
}
