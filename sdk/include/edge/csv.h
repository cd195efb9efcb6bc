/*
 * CSV (RFC 4180), read and written in a stream: however long a file is, no more than one record of it is in
 * memory.
 *
 * Read are fields apart by commas (or what .separator says), records ended by CRLF, LF or CR in any mixture,
 * the last perhaps not. A field in double quotes may hold separators, line ends, and a quote as two. White
 * space belongs to its field. A byte order mark is dropped, records without any character are skipped. Nothing
 * is guessed: not the separator, not a header, not types.
 *
 * A bad record is no failure but a row with a problem, and reading goes on behind it: who imports a file wants
 * to report all of its mistakes.
 */
#ifndef EDGE_CSV_H
#define EDGE_CSV_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/* Where a file comes from, and its limits; zero members are the defaults. */
typedef struct edge_csv_options {
    const void *data; /* all of it at once (a part, a mapped body); borrowed, length bytes */
    size_t length;
    /*
     * Or piece by piece: returns the next bytes, valid until its next call, and NULL behind the last. It may
     * park and may fail.
     */
    const void *(*read)(edge_ctx *ctx, void *arg, size_t *length);
    void *arg;
    char separator;          /* ',' (the default), ';' or '\t' */
    size_t record_max_bytes; /* default 1 MiB */
    size_t fields_max;       /* of a record, default 200 */
    size_t records_max;      /* default 1,000,000 */
} edge_csv_options;

typedef enum edge_csv_problem {
    EDGE_CSV_OK,
    EDGE_CSV_MALFORMED,  /* a quote in a field without quotes, or text behind a closing one; the row is empty */
    EDGE_CSV_ENCODING,   /* a field is not UTF-8, or holds U+0000; the fields are there as they are */
    EDGE_CSV_UNFINISHED, /* the file ends between quotes; it is the last row */
    EDGE_CSV_TOO_LARGE,  /* a limit is passed; it is the last row */
} edge_csv_problem;

/* One record. Valid until the next is read. */
typedef struct edge_csv_row {
    edge_csv_problem problem;
    const char *message; /* of a problem: for people, NULL without one */
    size_t line;         /* where it starts, from 1; line ends between quotes count */
    size_t number;       /* which record it is, from 1: the header is 1 when there is one */
    size_t count;
    const char *const *fields; /* count of them, each NUL-terminated */
    const size_t *lengths;
    size_t offset; /* where it ends, in bytes of the file */
} edge_csv_row;

typedef struct edge_csv edge_csv;

/*
 * Begins reading. A file in UTF-16 ends the invocation with 415 "unsupported_encoding", here or at the first
 * edge_csv_next.
 *
 *     edge_csv *csv = edge_csv_open(ctx, .data = part->data, .length = part->length, .separator = ';');
 *     for (const edge_csv_row *row = NULL; (row = edge_csv_next(ctx, csv)) != NULL;)
 *         if (row->problem == EDGE_CSV_OK) ...
 */
#define edge_csv_open(ctx, ...) edge_csv_open_with((ctx), &(const edge_csv_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_csv *edge_csv_open_with(edge_ctx *ctx, const edge_csv_options *options);

/* The next record, NULL behind the last. Parks as .read does; 503 "overloaded" when the host has no memory. */
const edge_csv_row *edge_csv_next(edge_ctx *ctx, edge_csv *csv);

/* How CSV is written; zero members are the defaults. */
typedef struct edge_csv_write_options {
    char separator;       /* ',' (the default), ';' or '\t' */
    bool byte_order_mark; /* for spreadsheets that take UTF-8 for something else */
    /* Puts ' before texts that a spreadsheet would run as a formula: they begin with = + - @, a tab or a CR. */
    bool guard_formulas;
    const char *download_name; /* saved under this name (Content-Disposition) */
    /* Where it goes instead of into the answer; pieces of at most 16 KiB. It may park and may fail. */
    void (*write)(edge_ctx *ctx, void *arg, const void *data, size_t length);
    void *arg;
} edge_csv_write_options;

typedef struct edge_csv_writer edge_csv_writer;

/*
 * Begins writing: to .write, or as the answer, status 200, text/csv; charset=utf-8, which then is a stream
 * (stream.h) and goes out in pieces.
 *
 *     edge_csv_writer *csv = edge_csv_begin(ctx, .download_name = "goals.csv");
 *     edge_csv_write(ctx, csv, edge_text("Title"), edge_text("Target"));
 *     edge_csv_write(ctx, csv, edge_text(title), edge_int(target));
 *     edge_csv_end(ctx, csv);
 */
#define edge_csv_begin(ctx, ...) edge_csv_begin_with((ctx), &(const edge_csv_write_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_csv_writer *edge_csv_begin_with(edge_ctx *ctx, const edge_csv_write_options *options);

/*
 * Writes one record, a field a value: text and UUIDs as they are, numbers in decimal, true and false, times as
 * ISO 8601, JSON as its text, bytes as base64, lists with "|" between their items, NULL as nothing. Fields are
 * quoted where they must be; an empty text is quoted, so that it is not NULL. Parks while the reader is slow.
 */
#define edge_csv_write(ctx, csv, ...) edge_csv_write_args((ctx), (csv), EDGE_ARGS(__VA_ARGS__))
void edge_csv_write_args(edge_ctx *ctx, edge_csv_writer *csv, const edge_arg *args, size_t count);

/* Sends what has been collected. Without it the end of the file is missing. */
void edge_csv_end(edge_ctx *ctx, edge_csv_writer *csv);

#pragma GCC visibility pop

#endif
