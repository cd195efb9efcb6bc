/*
 * Operations on the wire.
 *
 * Between two Syncs the server runs everything in one transaction, without BEGIN and COMMIT: role, claims and
 * time limit, set for that transaction only, then the statements. The Sync commits, or has undone all when one
 * failed; either way nothing of the caller is left on the connection. It all goes out in one write.
 *
 *   [settings] [Parse] statement ... Sync                    edge_query, edge_query_batch
 *   ([settings] statement Sync) ...                          edge_try_query_all
 *   BEGIN [settings] statement ... Sync                      a transaction's first operation
 *   statement ... COMMIT Sync                                its last
 */
#include "base/decimal.h"
#include "db/connection.h"
#include "db/fault.h"
#include "db/oids.h"
#include "db/pool.h"
#include "db/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool expect(struct db_connection *connection, int kind, size_t statement, struct statement *prepared)
{
    if (connection->expected_count == connection->expected_size) {
        size_t size = connection->expected_size == 0 ? 16 : connection->expected_size * 2;
        struct expected *grown = realloc(connection->expected, size * sizeof *grown);
        if (grown == NULL)
            return false;
        connection->expected = grown;
        connection->expected_size = size;
    }
    connection->expected[connection->expected_count++] =
        (struct expected){ .kind = kind, .statement = statement, .prepared = prepared };
    return true;
}

static bool send_sync(struct db_connection *connection, size_t statement)
{
    connection->segment++;
    return PQpipelineSync(connection->pg) && expect(connection, EXPECT_SYNC, statement, NULL);
}

/* A parameter list as libpq takes it; on the loop's stack, a fiber's would feel it. */
struct wire {
    const char *values[EDGE_MAX_ARGS];
    int lengths[EDGE_MAX_ARGS], formats[EDGE_MAX_ARGS];
    Oid types[EDGE_MAX_ARGS];
};

static void fill_wire(struct db_connection *connection, struct wire *wire, const struct bound_statement *bound)
{
    for (size_t i = 0; i < bound->count; i++) {
        const struct param *param = &bound->params[i];
        wire->values[i] = param_data(param);
        wire->lengths[i] = param->length;
        wire->formats[i] = param->binary;
        wire->types[i] = param->type;
        if (param->length > CONNECTION_OVERSIZED_BYTES)
            connection->oversized = true;
    }
}

static bool send_unnamed(
    struct db_connection *connection, const struct bound_statement *bound, struct wire *wire)
{
    return PQsendQueryParams(connection->pg, bound->sql, (int)bound->count, wire->types, wire->values,
        wire->lengths, wire->formats, 0);
}

/* NULL: to be sent unnamed. */
static struct statement *prepared_for(
    struct db_connection *connection, const struct bound_statement *bound, unsigned role, bool *added)
{
    if (pool_settings()->pgbouncer || bound->unnamed)
        return NULL;
    struct statement *prepared = statement_find(&connection->statements, bound, role);
    *added = prepared == NULL;
    if (prepared != NULL)
        /* Sent to be prepared in a transaction that may have failed before it came to that. */
        return prepared->ready || prepared->segment == connection->segment ? prepared : NULL;
    prepared = statement_add(&connection->statements, bound, role);
    if (prepared != NULL)
        prepared->segment = connection->segment;
    return prepared;
}

static bool send_statement(struct db_connection *connection, const struct bound_statement *bound, unsigned role,
    int kind, size_t index)
{
    struct wire wire;
    fill_wire(connection, &wire, bound);

    bool added = false;
    struct statement *prepared = prepared_for(connection, bound, role, &added);
    if (prepared == NULL)
        return send_unnamed(connection, bound, &wire) && expect(connection, kind, index, NULL);

    if (added &&
        (!PQsendPrepare(connection->pg, prepared->name, bound->sql, (int)bound->count, prepared->types) ||
            !expect(connection, EXPECT_PREPARED, index, prepared)))
        return false;
    return PQsendQueryPrepared(
               connection->pg, prepared->name, (int)bound->count, wire.values, wire.lengths, wire.formats, 0) &&
           expect(connection, kind, index, NULL);
}

/* A statement of our own: the role it is cached under is none of the callers'. */
static bool send_own(struct db_connection *connection, const char *sql, const struct param *params,
    size_t count, int kind, size_t index)
{
    struct bound_statement bound = { .sql = sql, .params = params, .count = count };
    bound.hash = statement_hash(sql, params, count);
    return send_statement(connection, &bound, UINT32_MAX, kind, index);
}

static bool send_caller(struct db_connection *connection, struct operation *operation, size_t index)
{
    static const char *const roles[] = {
        [DB_ANON] = "anon",
        [DB_AUTHENTICATED] = "authenticated",
        [DB_ADMIN] = "edge_admin",
        [DB_SERVICE] = "service_role",
    };
    char digits[DECIMAL_SIZE + 1] = "";
    const char *timeout = decimal_before(digits + DECIMAL_SIZE, operation->timeout_ms);
    const struct param params[] = {
        { .data = roles[operation->caller.role], .type = OID_TEXT },
        { .data = operation->caller.claims, .type = OID_TEXT },
        { .data = timeout, .type = OID_TEXT },
    };
    return send_own(connection,
        "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true),"
        " set_config('statement_timeout', $3, true)",
        params, 3, EXPECT_IGNORED, index);
}

/* Closes what the cache holds beyond its limit, in a transaction of its own so that nothing can skip it. */
static bool close_surplus(struct db_connection *connection)
{
    struct statement *surplus = statement_surplus(&connection->statements);
    if (surplus == NULL)
        return true;

    for (; surplus != NULL; surplus = statement_surplus(&connection->statements)) {
        char sql[64];
        snprintf(sql, sizeof sql, "DEALLOCATE %s", surplus->name);
        statement_remove(&connection->statements, surplus);
        if (!PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0) ||
            !expect(connection, EXPECT_IGNORED, SIZE_MAX, NULL))
            return false;
    }
    return send_sync(connection, SIZE_MAX);
}

static bool forget_statements(struct db_connection *connection)
{
    statement_cache_clear(&connection->statements);
    connection->statements_stale = false;
    return PQsendQueryParams(connection->pg, "DEALLOCATE ALL", 0, NULL, NULL, NULL, NULL, 0) &&
           expect(connection, EXPECT_IGNORED, SIZE_MAX, NULL) && send_sync(connection, SIZE_MAX);
}

/* Before a new transaction only: inside of one that has failed the server would refuse it. */
static bool tidy_statements(struct db_connection *connection)
{
    return connection->statements_stale ? forget_statements(connection) : close_surplus(connection);
}

/* What is left to the deadline, or the operator's limit when that is less; 0 is none. */
static int64_t time_limit(const struct operation *operation)
{
    int64_t left = context_remaining_ms(operation->ctx), limit = pool_settings()->statement_timeout_ms;
    if (limit > 0 && limit < left)
        left = limit;
    return left > INT32_MAX ? 0 : left;
}

/* What a test wants to go wrong here; false when it is the connection. */
static bool suffer_fault(struct db_connection *connection)
{
    switch (fault_next()) {
    case FAULT_BREAK_BEFORE:
        return false;
    case FAULT_BREAK_AFTER:
        connection->breaks = true;
        return true;
    case FAULT_REFUSED:
        return send_own(connection, "SELECT 1 / 0", NULL, 0, EXPECT_IGNORED, 0);
    default:
        return true;
    }
}

bool pipeline_send_operation(struct db_connection *connection, struct operation *operation)
{
    operation->timeout_ms = time_limit(operation);
    operation->sent_us = clock_us();
    bool joining = operation->holder != NULL && operation->begin == NULL;
    bool sent = joining || tidy_statements(connection);
    if (operation->begin != NULL)
        sent = sent && send_own(connection, operation->begin, NULL, 0, EXPECT_IGNORED, 0);

    sent = sent && suffer_fault(connection);
    for (size_t i = 0; i < operation->count && sent; i++) {
        if (!joining && (i == 0 || operation->isolated))
            sent = send_caller(connection, operation, i);
        sent = sent &&
               send_statement(connection, &operation->statements[i], operation->caller.role, EXPECT_ROWS, i);
        if (operation->isolated)
            sent = sent && send_sync(connection, i);
    }
    size_t last = operation->count == 0 ? 0 : operation->count - 1;
    if (operation->commit)
        sent = sent && send_own(connection, "COMMIT", NULL, 0, EXPECT_COMMIT, last);
    return sent && (operation->isolated || send_sync(connection, last));
}

/*
 * What reading a result depends on. In PgBouncer's transaction pooling these two are the ones that it carries
 * from one server connection to the next.
 */
bool pipeline_send_settings(struct db_connection *connection)
{
    return PQsendQueryParams(connection->pg,
               "SELECT set_config('DateStyle', 'ISO', false), set_config('TimeZone', 'UTC', false)", 0, NULL,
               NULL, NULL, NULL, 0) &&
           expect(connection, EXPECT_IGNORED, SIZE_MAX, NULL) && send_sync(connection, SIZE_MAX);
}

bool pipeline_send_rollback(struct db_connection *connection)
{
    return PQsendQueryParams(connection->pg, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 0) &&
           expect(connection, EXPECT_IGNORED, SIZE_MAX, NULL) && send_sync(connection, SIZE_MAX);
}
