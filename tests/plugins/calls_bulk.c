/*
 * calls_bulk: rows in bulk within a transaction and as the service, bytes that are sealed and stored, and a
 * URL.
 */
#include <edge/edge.h>

#include <string.h>

/* A table with row security takes no COPY, so what a user brings goes through a temporary one. */
static json_t *bulk(edge_ctx *ctx)
{
    static const char line[] = "written\n";
    int64_t copied = 0, kept = 0;
    EDGE_TRANSACTION(ctx, tx, .service = false)
    {
        edge_tx_send(tx, "CREATE TEMPORARY TABLE incoming (title text) ON COMMIT DROP");
        edge_copier *copy = edge_tx_copy_in(tx, "COPY incoming FROM STDIN");
        edge_copy_row(copy, edge_text("a row\twith\\all"));
        edge_copy_write(copy, line, sizeof line - 1);
        copied = (int64_t)edge_copy_end(copy);
        kept = edge_rows_int(
            edge_tx_query(tx, "SELECT count(*) AS n FROM incoming WHERE title LIKE '%with%'"), 0, "n");
    }

    edge_copier *out =
        edge_service_copy_out(ctx, "COPY (SELECT id FROM profiles ORDER BY id) TO STDOUT (FORMAT csv)");
    size_t length = 0, bytes = 0;
    while (edge_copy_read(out, &length) != NULL)
        bytes += length;
    return json_pack("{s:I, s:I, s:I, s:I}", "copied", (json_int_t)copied, "kept", (json_int_t)kept, "read",
        (json_int_t)edge_copy_end(out), "bytes", (json_int_t)bytes);
}

static json_t *sealed(edge_ctx *ctx)
{
    static const char secret[] = "a\0secret";
    size_t length = 0, stored_length = 0;
    const char *opened = edge_open(ctx, edge_seal(ctx, secret, sizeof secret, "calls"), "calls", &length);
    edge_storage_put(ctx, "calls", "some/thing", secret, sizeof secret);
    edge_error error = { 0 };
    const void *stored = edge_try_storage_get(ctx, &error, "calls", "some/thing", &stored_length);
    bool missing = edge_try_storage_get(ctx, &error, "calls", "no/thing", NULL) == NULL;
    return json_pack("{s:b, s:b, s:b, s:b, s:b}", "opened", edge_equal(opened, length, secret, sizeof secret),
        "stored", stored != NULL && edge_equal(stored, stored_length, secret, sizeof secret), "missing",
        missing, "publicUrl", edge_url_is_allowed(ctx, "document_fetch", "https://192.0.2.1/"), "privateUrl",
        edge_url_is_allowed(ctx, "document_fetch", "https://10.0.0.1/"));
}

/* Whether a user may bring rows straight into a table with row security: PostgreSQL says no. */
static json_t *straight(edge_ctx *ctx)
{
    edge_copier *copy = edge_copy_in(ctx, "COPY goals (user_id, title, goal_type) FROM STDIN");
    return json_integer((json_int_t)edge_copy_end(copy));
}

/* Two statements behind one that was queued; when the second is refused nothing of the three is kept. */
static json_t *tried(edge_ctx *ctx, const char *deadline)
{
    edge_rows *rows[2] = { NULL };
    edge_error error = { .detail = "" };
    bool done = false;
    EDGE_TRANSACTION(ctx, tx)
    {
        edge_tx_send(tx, "INSERT INTO goals (title, goal_type) VALUES ('queued', 'x')");
        const edge_statement statements[] = {
            EDGE_SQL("INSERT INTO goals (title, goal_type) VALUES ('first', 'x') RETURNING title"),
            EDGE_SQL("UPDATE goals SET deadline = $1::date RETURNING title", edge_text(deadline)),
        };
        done = edge_tx_try_query_all(tx, &error, rows, statements, 2);
    }
    size_t kept = edge_rows_count(edge_query(ctx, "SELECT id FROM goals"));
    return json_pack("{s:b, s:s, s:I, s:I}", "done", done, "sqlstate", error.detail, "updated",
        (json_int_t)(done ? edge_rows_count(rows[1]) : 0), "kept", (json_int_t)kept);
}

/* A file of the operator's, and how far a reader of its lines has come. */
static json_t *file(edge_ctx *ctx, const char *directory, const char *path)
{
    size_t length = 0;
    const char *data = edge_file_read(ctx, directory, path, &length);
    if (data == NULL)
        return json_pack("{s:n}", "file");
    json_t *offsets = json_array();
    edge_csv *csv = edge_csv_open(ctx, .data = data, .length = length);
    for (const edge_csv_row *row = NULL; (row = edge_csv_next(ctx, csv)) != NULL;)
        json_array_append_new(offsets, json_integer((json_int_t)row->offset));
    return json_pack("{s:s#, s:o}", "file", data, (int)length, "offsets", offsets);
}

static json_t *calls_bulk(edge_ctx *ctx, json_t *in)
{
    if (edge_json_text(in, "path") != NULL)
        return file(ctx, edge_json_text(in, "directory"), edge_json_text(in, "path"));
    if (edge_json_text(in, "deadline") != NULL)
        return tried(ctx, edge_json_text(in, "deadline"));
    if (edge_json_bool(in, "straight", false))
        return json_pack("{s:o}", "straight", straight(ctx));
    return json_pack("{s:o, s:o}", "bulk", bulk(ctx), "sealed", sealed(ctx));
}

static const edge_field input[] = {
    { "straight", EDGE_BOOL, .fallback = "false", .help = "COPY into a table with row security" },
    { "directory", EDGE_TEXT, .fallback = "/", .help = "Where path is" },
    { "path", EDGE_TEXT, .help = "A file to be read" },
    { "deadline", EDGE_TEXT, .help = "Of goals that are written by statements which may be refused" },
    { 0 },
};

EDGE_FUNCTION(calls_bulk, .summary = "Moves rows and bytes in bulk", .input = input, .handle = calls_bulk);
