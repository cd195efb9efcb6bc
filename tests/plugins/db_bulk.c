/*
 * db_bulk: large data in and out (COPY, cursors, rows as text), and NOTIFY as a stream of events.
 */
#include <edge/edge.h>

#include <string.h>

static const char *const operations[] = { "import", "export", "pages", "list", "values", "listen", "too_large",
    "too_large_in_block", NULL };

static const edge_field input[] = {
    { "op", EDGE_ENUM, .values = operations, .required = true, .help = "What to do" },
    { "rows", EDGE_INT, .min = 0, .max = 1000000, .fallback = "10", .help = "How many rows" },
    { "bad", EDGE_INT, .min = 0, .max = 1000000, .fallback = "0", .help = "Which row is malformed" },
    { "channel", EDGE_TEXT, .fallback = "db_bulk", .help = "Channel to listen to" },
    { "events", EDGE_INT, .min = 1, .max = 1000, .fallback = "1", .help = "Notifications to wait for" },
    { 0 },
};

static json_t *import_rows(edge_ctx *ctx, json_t *in)
{
    int64_t rows = edge_json_int(in, "rows", 0), bad = edge_json_int(in, "bad", 0);
    edge_copier *copy = edge_service_copy_in(ctx, "COPY bulk (id, name, tags) FROM STDIN");
    static const char *const tags[] = { "a", NULL };
    for (int64_t i = 1; i <= rows; i++)
        edge_copy_row(
            copy, i == bad ? edge_text("x") : edge_int(i), edge_text("tab\tand\nline"), edge_texts(tags, 2));
    return json_pack("{s:I}", "copied", (json_int_t)edge_copy_end(copy));
}

static json_t *export_rows(edge_ctx *ctx, json_t *in)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(
            tx, "SELECT set_config('edge.rows', $1::text, true)", edge_int(edge_json_int(in, "rows", 0)));
        edge_copier *copy =
            edge_tx_copy_out(tx, "COPY (SELECT i AS id, repeat('x', 100) AS text"
                                 " FROM generate_series(1, current_setting('edge.rows')::int) AS i)"
                                 " TO STDOUT (FORMAT csv, HEADER)");
        edge_stream_begin(ctx, 200, "text/csv");
        const char *piece;
        size_t length;
        while ((piece = edge_copy_read(copy, &length)) != NULL)
            edge_stream_bytes(ctx, piece, length);
    }
    return NULL;
}

static json_t *read_pages(edge_ctx *ctx, json_t *in)
{
    edge_cursor *cursor = edge_query_cursor(ctx, 500,
        "SELECT i AS id, repeat('x', 1000) AS text, current_user AS role FROM generate_series(1, $1) AS i",
        edge_int(edge_json_int(in, "rows", 0)));
    int64_t sum = 0, pages = 0;
    const char *role = "";
    edge_rows *rows;
    for (; (rows = edge_cursor_next(cursor)) != NULL; pages++) {
        if (pages == 0)
            role = edge_copy(ctx, edge_rows_text(rows, 0, "role"));
        for (size_t i = 0; i < edge_rows_count(rows); i++)
            sum += edge_rows_int(rows, i, "id");
    }
    return json_pack("{s:I, s:I, s:s}", "sum", (json_int_t)sum, "pages", (json_int_t)pages, "role", role);
}

static json_t *list(edge_ctx *ctx, json_t *in)
{
    edge_rows *rows = edge_query(ctx,
        "SELECT i AS id, 1.50 AS price, '{\"exact\": 92233720368547758080.10}'::jsonb AS data,"
        " ARRAY['a', NULL] AS tags, timestamptz '2026-03-10 12:00:00+00' AS at"
        " FROM generate_series(1, $1) AS i",
        edge_int(edge_json_int(in, "rows", 0)));
    edge_response_header(ctx, "x-rows", edge_format(ctx, "%zu", edge_rows_count(rows)));
    edge_respond_rows(ctx, rows, .with = json_pack("{s:b}", "success", 1), .key = "data");
    return NULL;
}

static json_t *values(edge_ctx *ctx, json_t *in)
{
    (void)in;
    static const int64_t ids[] = { 2, 3 };
    static const char *const prices[] = { "0.10", "12345678901234567890.5" };
    edge_rows *rows = edge_query(ctx,
        "SELECT array_agg(i) FILTER (WHERE i = ANY($1)) AS found, $2::numeric[] AS prices, $3 + 1 AS day,"
        " $4 AS price, '\\x00ff'::bytea AS raw FROM generate_series(1, 5) AS i",
        edge_ints(ids, 2), edge_decimals(prices, 2), edge_date("2026-02-28"), edge_decimal("1.10"));
    size_t found_count, price_count, length;
    const int64_t *found = edge_rows_ints(rows, 0, "found", &found_count);
    const char *const *read = edge_rows_texts(rows, 0, "prices", &price_count);
    const unsigned char *raw = edge_rows_bytes(rows, 0, "raw", &length);
    return json_pack("{s:[I, I], s:[s, s], s:s, s:s, s:I}", "found", (json_int_t)found[0], (json_int_t)found[1],
        "prices", read[0], read[1], "day", edge_rows_text(rows, 0, "day"), "price",
        edge_rows_decimal(rows, 0, "price"), "lastByte", (json_int_t)raw[length - 1]);
}

static json_t *listen(edge_ctx *ctx, json_t *in)
{
    edge_listener *listener = edge_listen(ctx, edge_json_text(in, "channel"));
    edge_stream_event(ctx, "listening", json_object());
    for (int64_t left = edge_json_int(in, "events", 1); left > 0;) {
        const edge_notification *heard = edge_listen_next(listener, 1000);
        if (heard == NULL)
            continue;
        edge_stream_event(
            ctx, heard->missed ? "missed" : "notified", json_pack("{s:s}", "payload", heard->payload));
        left -= !heard->missed;
    }
    edge_stream_event(ctx, "final", json_pack("{s:b}", "done", 1));
    return NULL;
}

#define LARGE "INSERT INTO bulk (id) SELECT generate_series(1, 100000) RETURNING repeat('x', 100)"

static json_t *too_large(edge_ctx *ctx, bool in_block)
{
    if (!in_block)
        edge_service_query(ctx, LARGE);
    EDGE_TRANSACTION(ctx, tx, .service = true)
    edge_tx_query(tx, LARGE);
    return NULL;
}

static json_t *db_bulk(edge_ctx *ctx, json_t *in)
{
    const char *op = edge_json_text(in, "op");
    if (strcmp(op, "import") == 0)
        return import_rows(ctx, in);
    if (strcmp(op, "export") == 0)
        return export_rows(ctx, in);
    if (strcmp(op, "pages") == 0)
        return read_pages(ctx, in);
    if (strcmp(op, "list") == 0)
        return list(ctx, in);
    if (strcmp(op, "values") == 0)
        return values(ctx, in);
    if (strcmp(op, "listen") == 0)
        return listen(ctx, in);
    return too_large(ctx, strcmp(op, "too_large_in_block") == 0);
}

EDGE_FUNCTION(db_bulk,
    .summary = "Moves large data and listens",
    .input = input,
    .handle = db_bulk,
    .streams = true);
