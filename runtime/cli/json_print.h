/*
 * JSON for people and programs that read what commands print: numbers have the shortest digits that read back,
 * as in the host's own answers.
 */
#ifndef JSON_PRINT_H
#define JSON_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Any value, NULL is null; on one line, or indented by two blanks. No newline behind it. */
void json_print(FILE *out, const json_t *value);
void json_print_indented(FILE *out, const json_t *value);

/* The same as a text, to be freed. */
char *json_text(const json_t *value, bool indented);

/* On one line to standard output, which may be a terminal: control characters, which could talk to it, become
 * "?". */
void json_print_safely(const json_t *value);

#endif
