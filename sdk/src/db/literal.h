/*
 * Values as PostgreSQL reads them in text, written where the caller says: for parameters into the arena, for
 * COPY into its buffer.
 */
#ifndef DB_LITERAL_H
#define DB_LITERAL_H

#include <edge/base.h>

#define NUMBER_LITERAL_SIZE 32
#define TIME_LITERAL_SIZE 48

/* The shortest digits that read back as the value; "NaN", "Infinity", "-Infinity". */
void number_literal(double value, char out[NUMBER_LITERAL_SIZE]);

/* Unix microseconds as a timestamptz; INT64_MAX and INT64_MIN are the infinities, as edge_rows_time reads them.
 */
void time_literal(int64_t microseconds, char out[TIME_LITERAL_SIZE]);

/* True for the arguments whose value is an array; NULL is written by nobody. */
bool is_array(const edge_arg *arg);
bool array_is_null(const edge_arg *arg);

/* An array literal ({"a","b\"c",NULL}): at most how long, the final NUL included, and the text. */
size_t array_literal_size(const edge_arg *arg);
void array_literal(const edge_arg *arg, char *out);

#endif
