/*
 * calls_rows: every way to ask for rows and to read them, as the caller and as the service.
 */
#include <edge/edge.h>

static json_t *typed(edge_ctx *ctx)
{
    static const char *const ids[] = { "3fb36b92-6d0e-4bac-992d-00818cf81ca0", NULL };
    edge_rows *row = edge_query(ctx,
        "SELECT NULL::text AS nothing, true AS truth, ARRAY[1.5, 2.25]::numeric[] AS numbers,"
        " 3::bigint AS whole, 4.5::numeric AS part, now() AS moment, '{\"a\":1}'::jsonb AS document,"
        " cardinality($1) AS ids",
        edge_uuids(ids, 2));
    size_t count = 0;
    const double *numbers = edge_rows_numbers(row, 0, "numbers", &count);
    return json_pack("{s:b, s:b, s:f, s:I, s:f, s:b, s:o, s:I, s:o}", "isNull",
        edge_rows_null(row, 0, "nothing"), "truth", edge_rows_bool(row, 0, "truth"), "sum",
        count == 2 ? numbers[0] + numbers[1] : -1, "whole", (json_int_t)edge_rows_int(row, 0, "whole"), "part",
        edge_rows_number(row, 0, "part"), "isNow", edge_rows_time(row, 0, "moment") > 0, "document",
        edge_rows_value(row, 0, "document"), "ids", (json_int_t)edge_rows_int(row, 0, "ids"), "row",
        edge_row_json(row, 0));
}

static json_t *batches(edge_ctx *ctx)
{
    edge_rows *own[2], *all[1];
    edge_query_batch(ctx, own, EDGE_SQL("SELECT count(*) AS n FROM goals"),
        EDGE_SQL("SELECT edge.user_id() AS id WHERE $1", edge_bool(true)));
    edge_service_query_batch(ctx, all, EDGE_SQL("SELECT count(*) AS n FROM goals"));
    edge_rows *service = edge_service_query(ctx, "SELECT current_user::text AS role");
    return json_pack("{s:I, s:s, s:I, s:s}", "own", (json_int_t)edge_rows_int(own[0], 0, "n"), "id",
        edge_rows_text(own[1], 0, "id"), "all", (json_int_t)edge_rows_int(all[0], 0, "n"), "role",
        edge_rows_text(service, 0, "role"));
}

static json_t *attempts(edge_ctx *ctx)
{
    edge_error error;
    const char *state = "none";
    if (edge_try_query(ctx, &error, "SELECT 1 / $1", edge_int(0)) == NULL)
        state = error.detail;
    edge_rows *text = edge_query(ctx, "SELECT title FROM goals ORDER BY title");
    size_t length = 0;
    const char *json = edge_rows_json_text(text, &length);

    edge_cursor *cursor = edge_query_cursor(ctx, 2, "SELECT generate_series(1, 5) AS n");
    size_t first = edge_rows_count(edge_cursor_next(cursor));
    edge_cursor_close(cursor);

    size_t changed = 0;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(tx, "UPDATE goals SET title = title");
        changed = edge_rows_affected(edge_tx_query(tx, "UPDATE goals SET title = title || '!'"));
        edge_tx_rollback(tx);
    }
    return json_pack("{s:s, s:s#, s:I, s:I}", "sqlstate", state, "json", json, (int)length, "first",
        (json_int_t)first, "changed", (json_int_t)changed);
}

static json_t *calls_rows(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return json_pack(
        "{s:o, s:o, s:o}", "typed", typed(ctx), "batches", batches(ctx), "attempts", attempts(ctx));
}

EDGE_FUNCTION(calls_rows, .summary = "Reads rows in every way", .handle = calls_rows);
