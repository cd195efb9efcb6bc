/*
 * job_add: adds durable jobs, alone or in a transaction that may be rolled back.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "name", EDGE_TEXT, .required = true, .help = "Function of the job" },
    { "payload", EDGE_JSON, .help = "Its body" },
    { "delay", EDGE_INT, .min = 0, .max = 3600000, .fallback = "0", .help = "Milliseconds until it may begin" },
    { "attempts", EDGE_INT, .min = 0, .max = 100, .fallback = "0", .help = "How often it is tried" },
    { "key", EDGE_TEXT, .max = 300, .help = "Adds it once" },
    { "count", EDGE_INT, .min = 1, .max = 1000, .fallback = "1", .help = "How many" },
    { "tx", EDGE_ENUM, .values = (const char *const[]){ "none", "commit", "rollback", NULL },
        .fallback = "none", .help = "In a transaction of the caller" },
    { 0 },
};

static json_t *job_add(edge_ctx *ctx, json_t *in)
{
    const char *name = edge_json_text(in, "name"), *key = edge_json_text(in, "key");
    const char *tx_mode = edge_json_text(in, "tx");
    json_t *payload = json_object_get(in, "payload");
    int64_t id = 0, delay = edge_json_int(in, "delay", 0);
    int attempts = (int)edge_json_int(in, "attempts", 0);

    if (tx_mode[0] == 'n') {
        for (int64_t i = edge_json_int(in, "count", 1); i > 0; i--)
            id = edge_enqueue(ctx, name, payload, .delay_ms = delay, .max_attempts = attempts, .key = key);
        return json_pack("{s:I}", "id", (json_int_t)id);
    }

    const char *role = NULL;
    EDGE_TRANSACTION(ctx, tx)
    {
        id = edge_tx_enqueue(tx, name, payload, .delay_ms = delay, .max_attempts = attempts, .key = key);
        /* Behind it the transaction is the caller's again. */
        edge_rows *rows = edge_tx_query(tx, "SELECT current_user AS role");
        role = edge_rows_text(rows, 0, "role");
        if (tx_mode[0] == 'r')
            edge_tx_rollback(tx);
    }
    return json_pack("{s:I, s:s}", "id", (json_int_t)id, "role", role);
}

EDGE_FUNCTION(job_add, .summary = "Adds durable jobs", .input = input, .handle = job_add);
