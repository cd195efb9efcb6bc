/*
 * The CSV reader: no input makes it read outside of its pieces, break its limits, or give other rows when the
 * same bytes come in other pieces. The first byte says how long the pieces are and what separates fields.
 */
#include <context.h>

#include <edge/csv.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RECORD_MAX_BYTES = 64,
    FIELDS_MAX = 6,
    RECORDS_MAX = 100,
};

static struct run {
    const char *at;
    size_t left, most;
    char separator;
    char *piece;
    uint64_t hash;
} run;

static const void *next_piece(edge_ctx *ctx, void *arg, size_t *length)
{
    (void)ctx, (void)arg;
    free(run.piece);
    run.piece = NULL;
    if (run.left == 0)
        return NULL;
    *length = run.left < run.most ? run.left : run.most;
    run.piece = malloc(*length); /* so that reading past a piece is seen */
    memcpy(run.piece, run.at, *length);
    run.at += *length;
    run.left -= *length;
    return run.piece;
}

static void add(const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        run.hash = (run.hash ^ ((const uint8_t *)data)[i]) * UINT64_C(1099511628211);
}

static void check(const edge_csv_row *row)
{
    size_t bytes = 0;
    if (row->count > FIELDS_MAX || row->line == 0 || (row->problem == EDGE_CSV_OK) != (row->message == NULL))
        abort();
    add(&row->problem, sizeof row->problem);
    add(&row->line, sizeof row->line);
    for (size_t i = 0; i < row->count; i++) {
        if (row->fields[i][row->lengths[i]] != '\0')
            abort();
        bytes += row->lengths[i];
        add(row->fields[i], row->lengths[i] + 1);
    }
    if (bytes > RECORD_MAX_BYTES)
        abort();
}

static void on_main(edge_ctx *ctx)
{
    edge_csv *csv = edge_csv_open(ctx, .read = next_piece, .separator = run.separator,
        .record_max_bytes = RECORD_MAX_BYTES, .fields_max = FIELDS_MAX, .records_max = RECORDS_MAX);
    size_t count = 0;
    for (const edge_csv_row *row = NULL; (row = edge_csv_next(ctx, csv)) != NULL;) {
        if (++count > RECORDS_MAX + 1)
            abort();
        check(row);
    }
}

static void on_finished(edge_ctx *ctx)
{
    if (ctx->failure != NULL && strcmp(ctx->failure->code, "unsupported_encoding") != 0)
        abort();
}

static uint64_t parse(const char *bytes, size_t length, size_t most, char separator)
{
    static const struct context_ops ops = { .main = on_main, .finished = on_finished };
    run = (struct run){ bytes, length, most, separator, NULL, UINT64_C(14695981039346656037) };
    context_run(context_create(&(const struct context_setup){ .ops = &ops, .memory_bytes = 1 << 20 }));
    free(run.piece);
    run.piece = NULL;
    return run.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    if (fiber_loop() == NULL) {
        fiber_system_start(ev_default_loop(0), 256 * 1024);
        arena_attach_jansson();
    }
    const char *bytes = (const char *)data + 1;
    char separator = ",;\t,"[data[0] & 3];
    size_t most = 3 + (data[0] >> 2); /* a mark is in one piece */
    if (parse(bytes, size - 1, size, separator) != parse(bytes, size - 1, most, separator))
        abort();
    return 0;
}
