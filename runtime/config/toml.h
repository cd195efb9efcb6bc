/*
 * A TOML document as JSON, with the line each of its keys stands on.
 *
 * What JSON has no word for becomes an object of one member: {"$datetime": "1979-05-27T07:32:00Z"} for the four
 * kinds of date and time, {"$float": "nan"} ("inf", "-inf") for numbers that are none. Keys of an object come
 * in TOML++'s order (sorted); toml_line tells the file's.
 */
#ifndef TOML_H
#define TOML_H

#include <jansson.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct toml_document {
    json_t *root;  /* an object */
    json_t *lines; /* path, as "functions.computePulse.env[0]", to line number */
};

struct toml_error {
    int line, column;
    char text[512];
};

/* Parses TOML 1.0 text. 0, -EINVAL with *error filled, or -ENOMEM. The caller frees with toml_free. */
int toml_parse(const char *text, size_t length, struct toml_document *document, struct toml_error *error);
void toml_free(struct toml_document *document);

/* Line of a path, 0 when the document does not have it. */
int toml_line(const struct toml_document *document, const char *path);

#ifdef __cplusplus
}
#endif

#endif
