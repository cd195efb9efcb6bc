/*
 * csv_file: writes CSV: a record of every type of value, texts that the caller gives, and as many rows as
 * asked.
 */
#include <edge/edge.h>

#include <string.h>

static const edge_field text = { "", EDGE_TEXT };
static const edge_field input[] = {
    { "texts", EDGE_ARRAY, .items = &text },
    { "separator", EDGE_TEXT, .fallback = "," },
    { "rows", EDGE_INT, .fallback = "0" },
    { "guard", EDGE_BOOL, .fallback = "false" },
    { "mark", EDGE_BOOL, .fallback = "false" },
    { "own", EDGE_BOOL, .fallback = "false", .help = "Count the bytes instead of answering them" },
    { 0 },
};

static void count_bytes(edge_ctx *ctx, void *arg, const void *data, size_t length)
{
    (void)ctx, (void)data;
    *(size_t *)arg += length;
}

static void write_types(edge_ctx *ctx, edge_csv_writer *csv)
{
    static const char *const list[] = { "a", NULL, "b\"c" };
    static const char *const decimals[] = { "1.10", "2" };
    static const int64_t numbers[] = { 1, -2 };
    json_t *object = json_pack("{s:s}", "key", "value, with \"quotes\"");
    edge_csv_write(ctx, csv, edge_int(-5), edge_number(0.1), edge_number(3), edge_bool(true), edge_null(),
        edge_text(NULL), edge_text(""), edge_time(1500), edge_json(object), edge_bytes("\x00\xff", 2),
        edge_texts(list, 3), edge_uuid("11111111-1111-4111-8111-111111111111"), edge_decimal("12.50"),
        edge_date("2026-03-10"), edge_ints(numbers, 2), edge_decimals(decimals, 2));
}

static json_t *csv_file(edge_ctx *ctx, json_t *in)
{
    size_t bytes = 0;
    bool own = edge_json_bool(in, "own", false);
    edge_csv_writer *csv = edge_csv_begin(ctx, .separator = edge_json_text(in, "separator")[0],
        .byte_order_mark = edge_json_bool(in, "mark", false),
        .guard_formulas = edge_json_bool(in, "guard", false), .download_name = "täst.csv",
        .write = own ? count_bytes : NULL, .arg = &bytes);
    write_types(ctx, csv);
    const json_t *texts = json_object_get(in, "texts");
    for (size_t i = 0; i < json_array_size(texts); i++) {
        const char *one = json_string_value(json_array_get(texts, i));
        edge_csv_write(ctx, csv, edge_text(one), edge_text("-"));
    }
    int64_t rows = edge_json_int(in, "rows", 0);
    for (int64_t i = 0; i < rows; i++)
        edge_csv_write(ctx, csv, edge_int(i), edge_time(i * 1000000), edge_number((double)i / 8),
            edge_text("some text, quoted"));
    edge_csv_end(ctx, csv);
    return own ? json_pack("{s:I}", "bytes", (json_int_t)bytes) : NULL;
}

EDGE_FUNCTION(csv_file,
    .summary = "Writes CSV",
    .input = input,
    .produces = "text/csv",
    .handle = csv_file);
