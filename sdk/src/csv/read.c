/*
 * Reading CSV: libcsv finds fields and records; here are lines, limits, and going on behind a bad record.
 *
 * libcsv is given one line at a time, so that at most one record ends in each call, and strictly: what RFC 4180
 * does not allow is a problem of its record. It takes its bytes from malloc, bounded by record_max_bytes.
 */
#include "base/utf8.h"

#include <context.h>

#include <edge/csv.h>

#include <csv.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    RECORD_MAX_BYTES = 1024 * 1024,
    FIELDS_MAX = 200,
    RECORDS_MAX = 1000 * 1000,
    GROW_BYTES = 4096,
    LINE_PIECE_BYTES = 4096,
    GIVE_BACK_BYTES = 1024 * 1024,
};

struct edge_csv {
    edge_csv_options options;
    struct csv_parser parser;
    const char *at, *end;   /* of the piece that is being read */
    size_t end_offset;      /* of end, in the file */
    const char *given_back; /* of a body in a file: what lies before has left memory; NULL: no such body */
    bool pieces_over, finished, after_return, begun_reading;
    size_t line; /* of the next byte */

    /* The record that is being read. */
    char *bytes; /* its fields, each with a NUL behind */
    size_t used, size;
    size_t *lengths; /* fields_max of them, and behind them as many pointers */
    const char **fields;
    size_t count, taken_bytes;
    bool begun, complete, out_of_memory, too_many_fields;
    edge_csv_row row;
};

static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static bool start_parser(struct edge_csv *csv)
{
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return false;
    csv_set_delim(&csv->parser, (unsigned char)csv->options.separator);
    csv_set_space_func(&csv->parser, no_space); /* spaces are part of a field (RFC 4180 2.4) */
    csv_set_blk_size(&csv->parser, GROW_BYTES);
    return true;
}

static void release(void *arg)
{
    struct edge_csv *csv = arg;
    csv_free(&csv->parser);
    free(csv->bytes);
    free(csv->lengths);
    free(csv->fields);
}

/* Where to begin giving back, on a page; NULL when data is no part of a body that lies in a file. */
static const char *spooled_from(const edge_ctx *ctx, const edge_csv_options *options)
{
    const char *data = options->data, *body = ctx->request.body;
    if (!ctx->request.body_spooled || data == NULL || data < body || data > body + ctx->request.body_length)
        return NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return body + (size_t)(data - body) / page * page;
}

/*
 * The pages of the mapped body that have been read: they are in its file, and come back if they are read again.
 * Without this a long file would be resident as a whole by its end.
 */
static void give_back(struct edge_csv *csv)
{
    if (csv->given_back == NULL || csv->at == NULL || csv->at - csv->given_back < 2 * GIVE_BACK_BYTES)
        return;
    madvise((void *)csv->given_back, GIVE_BACK_BYTES, MADV_DONTNEED);
    csv->given_back += GIVE_BACK_BYTES;
}

edge_csv *edge_csv_open_with(edge_ctx *ctx, const edge_csv_options *options)
{
    struct edge_csv *csv = edge_alloc(ctx, sizeof *csv);
    csv->options = *options;
    csv->line = 1;
    csv->given_back = spooled_from(ctx, options);
    csv->options.separator = options->separator != 0 ? options->separator : ',';
    csv->options.record_max_bytes =
        options->record_max_bytes > 0 ? options->record_max_bytes : RECORD_MAX_BYTES;
    csv->options.fields_max = options->fields_max > 0 ? options->fields_max : FIELDS_MAX;
    csv->options.records_max = options->records_max > 0 ? options->records_max : RECORDS_MAX;
    if (strchr(",;\t", csv->options.separator) == NULL)
        edge_fail(ctx, 500, "internal_error", "The CSV separator must be a comma, a semicolon or a tab");
    csv->lengths = calloc(csv->options.fields_max, sizeof *csv->lengths);
    csv->fields = calloc(csv->options.fields_max, sizeof *csv->fields);
    bool started = csv->lengths != NULL && csv->fields != NULL && start_parser(csv);
    edge_defer(ctx, release, csv);
    if (!started)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    return csv;
}

static bool reserve(struct edge_csv *csv, size_t more)
{
    if (csv->size - csv->used >= more)
        return true;
    size_t size = csv->size > 0 ? csv->size : GROW_BYTES;
    while (size - csv->used < more)
        size *= 2;
    char *bytes = realloc(csv->bytes, size);
    if (bytes == NULL)
        return false;
    csv->bytes = bytes;
    csv->size = size;
    return true;
}

/* libcsv uses a field's memory again for the next. */
static void on_field(void *data, size_t length, void *arg)
{
    struct edge_csv *csv = arg;
    csv->too_many_fields = csv->too_many_fields || csv->count == csv->options.fields_max;
    csv->out_of_memory = csv->out_of_memory || !reserve(csv, length + 1);
    if (csv->too_many_fields || csv->out_of_memory)
        return;
    if (length > 0)
        memcpy(csv->bytes + csv->used, data, length);
    csv->bytes[csv->used + length] = '\0';
    csv->used += length + 1;
    csv->lengths[csv->count++] = length;
}

static void on_record(int end, void *arg)
{
    (void)end;
    struct edge_csv *csv = arg;
    csv->complete = true;
}

/* CRLF is one line end, wherever the pieces are cut. */
static void count_lines(struct edge_csv *csv, size_t length, char last)
{
    if (last == '\r' || (last == '\n' && !(csv->after_return && length == 1)))
        csv->line++;
    csv->after_return = last == '\r';
}

/* More bytes to read; false behind the last. */
static bool fetch(edge_ctx *ctx, struct edge_csv *csv)
{
    size_t length = csv->options.length;
    const char *piece = csv->options.data;
    if (csv->pieces_over)
        return false;
    if (csv->options.read != NULL)
        piece = csv->options.read(ctx, csv->options.arg, &length);
    else
        csv->pieces_over = true;
    csv->pieces_over = csv->pieces_over || piece == NULL;
    csv->at = piece;
    csv->end = piece != NULL ? piece + length : NULL;
    csv->end_offset += piece != NULL ? length : 0;
    return piece != NULL;
}

/* The next line, or as much of it as there is, and not more of a record than it may have. */
static size_t next_line(const struct edge_csv *csv)
{
    size_t left = (size_t)(csv->end - csv->at), most = csv->options.record_max_bytes - csv->taken_bytes + 1;
    if (most > LINE_PIECE_BYTES)
        most = LINE_PIECE_BYTES; /* so that looking for one kind of line end does not run through all others */
    if (left > most)
        left = most;
    const char *feed = memchr(csv->at, '\n', left);
    size_t length = feed != NULL ? (size_t)(feed + 1 - csv->at) : left;
    const char *carriage = memchr(csv->at, '\r', length);
    return carriage != NULL ? (size_t)(carriage + 1 - csv->at) : length;
}

/* Of the first piece only: one that ends within the mark does not happen. */
static void drop_mark(edge_ctx *ctx, struct edge_csv *csv)
{
    size_t length = (size_t)(csv->end - csv->at);
    csv->begun_reading = length > 0;
    if (length >= 2 && (memcmp(csv->at, "\xff\xfe", 2) == 0 || memcmp(csv->at, "\xfe\xff", 2) == 0))
        edge_fail(ctx, 415, "unsupported_encoding", "The file is in UTF-16. Save it as UTF-8");
    if (length >= 3 && memcmp(csv->at, "\xef\xbb\xbf", 3) == 0)
        csv->at += 3;
}

static const edge_csv_row *give(struct edge_csv *csv, edge_csv_problem problem, const char *message)
{
    csv->row.problem = problem;
    csv->row.message = message;
    csv->row.count = problem == EDGE_CSV_OK || problem == EDGE_CSV_ENCODING ? csv->count : 0;
    csv->row.offset = csv->end_offset - (size_t)(csv->end - csv->at);
    csv->row.fields = csv->fields;
    csv->row.lengths = csv->lengths;
    csv->finished = csv->finished || problem == EDGE_CSV_UNFINISHED || problem == EDGE_CSV_TOO_LARGE;
    return &csv->row;
}

static const edge_csv_row *give_record(edge_ctx *ctx, struct edge_csv *csv)
{
    if (csv->out_of_memory)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    if (csv->too_many_fields)
        return give(csv, EDGE_CSV_TOO_LARGE, "The record has too many fields");
    if (csv->row.number > csv->options.records_max)
        return give(csv, EDGE_CSV_TOO_LARGE, "The file has too many records");
    bool text = true;
    const char *at = csv->bytes;
    for (size_t i = 0; i < csv->count; i++) {
        csv->fields[i] = at;
        text = text && utf8_is_text(at, csv->lengths[i]);
        at += csv->lengths[i] + 1;
    }
    if (!text)
        return give(csv, EDGE_CSV_ENCODING, "The record must be UTF-8 without U+0000");
    return give(csv, EDGE_CSV_OK, NULL);
}

/* A malformed record ends with its line; the parser's state is of no use any more. */
static const edge_csv_row *skip_record(edge_ctx *ctx, struct edge_csv *csv, char last)
{
    while (last != '\n' && last != '\r') {
        if (csv->at == csv->end && !fetch(ctx, csv))
            break;
        csv->taken_bytes = 0;
        size_t length = csv->at < csv->end ? next_line(csv) : 0;
        if (length == 0)
            continue;
        last = csv->at[length - 1];
        csv->at += length;
        count_lines(csv, length, last);
    }
    csv_free(&csv->parser);
    if (!start_parser(csv))
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    return give(csv, EDGE_CSV_MALFORMED,
        "A field with quotes must begin and end with them, and a quote in it is written as two");
}

static void begin_record(struct edge_csv *csv)
{
    csv->begun = csv->complete = csv->out_of_memory = csv->too_many_fields = false;
    csv->used = csv->count = csv->taken_bytes = 0;
}

/* Behind the last byte: a record without a line end is one, an open quote is a problem. */
static const edge_csv_row *finish(edge_ctx *ctx, struct edge_csv *csv)
{
    csv->finished = true;
    if (csv_fini(&csv->parser, on_field, on_record, csv) != 0)
        return give(csv, EDGE_CSV_UNFINISHED, "The file ends within a field that began with a quote");
    return csv->complete ? give_record(ctx, csv) : NULL;
}

/* Line ends between records begin none. */
static void note_begin(struct edge_csv *csv, bool line_end)
{
    if (csv->begun || line_end)
        return;
    csv->begun = true;
    csv->row.line = csv->line;
    csv->row.number++;
}

const edge_csv_row *edge_csv_next(edge_ctx *ctx, edge_csv *csv)
{
    begin_record(csv);
    give_back(csv);
    while (!csv->finished) {
        if (csv->at == csv->end) {
            if (!fetch(ctx, csv))
                return finish(ctx, csv);
            if (!csv->begun_reading)
                drop_mark(ctx, csv);
            continue;
        }

        size_t length = next_line(csv);
        char last = csv->at[length - 1];
        note_begin(csv, length == 1 && (last == '\n' || last == '\r'));
        size_t parsed = csv_parse(&csv->parser, csv->at, length, on_field, on_record, csv);
        csv->at += length;
        csv->taken_bytes += csv->begun ? length : 0;
        count_lines(csv, length, last);
        csv->out_of_memory = csv->out_of_memory || csv_error(&csv->parser) == CSV_ENOMEM;
        if (parsed < length && !csv->out_of_memory)
            return skip_record(ctx, csv, last);
        if (csv->complete || csv->out_of_memory)
            return give_record(ctx, csv);
        if (csv->taken_bytes > csv->options.record_max_bytes)
            return give(csv, EDGE_CSV_TOO_LARGE, "The record is too large");
    }
    return NULL;
}
