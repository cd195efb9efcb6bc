/*
 * From the staging table to the entity's: references, repeated and known keys are found by statements over the
 * whole file, so an import costs the same few round trips whatever its length.
 */
#include "lib/import.h"
#include "lib/sql.h"

#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* What makes two rows the same, beside their owner. */
static const struct natural_key {
    const char *table, *column;
    bool per_owner;
} natural_keys[] = {
    { "business_plans", NULL, true },
    { "market_config", NULL, true },
    { "user_preferences", NULL, true },
    { "pulse_scores", "date", true },
    { "agent_config", "agent_type", true },
    { "external_service_connections", "service_name", true },
    { "crm_connections", "provider", true },
    { "call_logs", "conversation_id", true },
    { "brand_color_palettes", "palette_id", true },
    { "agent_voices", "voice_id", true },
    { "email_templates", "template_key", false },
    { "content_topics", "topic_key", false },
    { "client_personas", "persona_key", false },
    { "ai_prompt_configs", "prompt_key", false },
    { "content_packs", "pack_key", false },
    { "legal_documents", "document_key", false },
    { "feature_flags", "flag_key", false },
};

/* What the statements below are about. */
struct staged {
    edge_ctx *ctx;
    edge_tx *tx;
    const struct import_job *job;
    const struct import_plan *plan;
    const struct entity *entity;
    const struct natural_key *key; /* NULL: rows are never the same */
    bool by_id;                    /* rows are known by _id instead */
};

static edge_rows *run(const struct staged *staged, const struct sql *sql)
{
    return edge_tx_query_args(staged->tx, sql->text.data, sql->args, sql->count);
}

static bool is_profiles(const struct staged *staged)
{
    return is(staged->entity->table, "profiles");
}

static const struct natural_key *find_key(const struct import_job *job)
{
    for (size_t i = 0; i < sizeof natural_keys / sizeof *natural_keys; i++)
        if (is(natural_keys[i].table, job->entity->table))
            return &natural_keys[i];
    return NULL;
}

void import_stage_make(edge_tx *tx, const struct import_plan *plan)
{
    struct sql *sql = sql_begin(plan->ctx,
        "CREATE TEMPORARY TABLE import_stage (_line bigint, _row bigint, _id uuid, _owner_email text,"
        " _owner text, _existing text, _bad text");
    for (size_t i = 0; i < plan->count; i++)
        sql_add(sql, ", ", plan->targets[i].column->name, " ", column_sql_type(plan->targets[i].column), NULL);
    sql_add(sql, ") ON COMMIT DROP", NULL);
    edge_tx_send(tx, sql->text.data);
}

const char *import_stage_copy(edge_ctx *ctx, const struct import_plan *plan)
{
    struct sql *sql = sql_begin(ctx, "COPY import_stage (_line, _row, _id, _owner_email");
    for (size_t i = 0; i < plan->count; i++)
        sql_add(sql, ", ", plan->targets[i].column->name, NULL);
    sql_add(sql, ") FROM STDIN", NULL);
    return sql->text.data;
}

/* --- checks --- */

static void check_references(const struct staged *staged)
{
    if (import_plan_target(staged->plan, "topic_id") != NULL)
        edge_tx_send(staged->tx, "UPDATE import_stage AS s SET _bad = 'invalid_reference'"
                                 " WHERE s.topic_id IS NOT NULL"
                                 " AND NOT EXISTS (SELECT FROM content_topics AS t WHERE t.id = s.topic_id)");
    if (import_plan_target(staged->plan, "timezone") != NULL)
        edge_tx_send(staged->tx,
            "UPDATE import_stage AS s SET _bad = 'invalid_value'"
            " WHERE s.timezone IS NOT NULL AND s.timezone NOT IN (SELECT name FROM pg_timezone_names)");
}

static void find_owners(const struct staged *staged)
{
    if (staged->job->dataset == NULL || staged->job->dataset->owner_header == NULL)
        edge_tx_send(staged->tx, "UPDATE import_stage SET _owner = $1 WHERE $1 IS NOT NULL",
            edge_text(staged->job->owner));
    else
        edge_tx_send(staged->tx,
            "WITH people AS (SELECT lower(email) AS email, min(id) AS id FROM profiles GROUP BY lower(email)),"
            " found AS (SELECT s._row, p.id FROM import_stage AS s"
            " LEFT JOIN people AS p ON p.email = lower(btrim(s._owner_email)))"
            " UPDATE import_stage AS s SET _owner = coalesce(f.id, $1) FROM found AS f WHERE f._row = s._row",
            edge_text(staged->job->owner));
}

static void find_profiles(const struct staged *staged)
{
    edge_tx_send(staged->tx,
        "WITH people AS (SELECT lower(email) AS email, min(id) AS id FROM profiles GROUP BY lower(email))"
        " UPDATE import_stage AS s SET _existing = p.id FROM people AS p WHERE p.email = "
        "lower(btrim(s.email))");
    edge_tx_send(staged->tx,
        "UPDATE import_stage SET _bad = 'unknown_profile' WHERE _existing IS NULL AND _bad IS NULL");
}

/* Column of the stage that names a row's key; NULL when the owner alone does. */
static const char *key_column(const struct staged *staged)
{
    return is_profiles(staged) ? "_existing" : staged->by_id ? "_id" : staged->key->column;
}

/* Of records with one key the last one counts. */
static int64_t drop_repeated(const struct staged *staged)
{
    const char *key = key_column(staged);
    struct sql *sql = sql_begin(staged->ctx, "DELETE FROM import_stage WHERE _row IN (SELECT _row FROM ("
                                             "SELECT _row, row_number() OVER (");
    sql_add(sql, key != NULL ? "PARTITION BY " : "", key != NULL ? key : "",
        " ORDER BY _row DESC) AS place FROM import_stage WHERE _bad IS NULL", NULL);
    if (key != NULL)
        sql_add(sql, " AND ", key, " IS NOT NULL", NULL);
    sql_add(sql, ") AS ranked WHERE place > 1)", NULL);
    return (int64_t)edge_rows_affected(run(staged, sql));
}

/*
 * Imports of one table wait for each other here, so that what is looked up next stays true. The lock comes
 * before the look-up, in a statement of its own: a statement sees the rows of its start.
 */
static void find_existing(const struct staged *staged)
{
    const char *table = staged->entity->table;
    edge_tx_send(staged->tx, "SELECT pg_advisory_xact_lock(hashtextextended('import:' || $1, 0))",
        edge_text(
            edge_format(staged->ctx, "%s:%s", table, staged->job->owner != NULL ? staged->job->owner : "")));
    struct sql *sql = sql_begin(staged->ctx, "UPDATE import_stage AS s SET _existing = t.id::text FROM ");
    sql_add(sql, table, " AS t WHERE s._bad IS NULL", NULL);
    if (staged->by_id) {
        sql_add(sql, " AND t.id = s._id", NULL);
    } else {
        if (staged->key->column != NULL)
            sql_add(sql, " AND t.", staged->key->column, " = s.", staged->key->column, NULL);
        if (staged->key->per_owner)
            sql_add(sql, " AND t.", staged->entity->owner, " = s._owner", NULL);
    }
    edge_tx_send_args(staged->tx, sql->text.data, sql->args, sql->count);
    if (staged->job->insert_only)
        edge_tx_send(staged->tx, "UPDATE import_stage SET _bad = 'duplicate_key' WHERE _existing IS NOT NULL");
}

/* --- errors --- */

static const char *error_column(const struct staged *staged, const char *code)
{
    const char *name = is(code, "invalid_reference") ? "topic_id"
                       : is(code, "invalid_value")   ? "timezone"
                       : is(code, "unknown_profile") ? "email"
                       : staged->key != NULL         ? staged->key->column
                                                     : NULL;
    const struct import_target *target = name != NULL ? import_plan_target(staged->plan, name) : NULL;
    return target != NULL ? target->header : NULL;
}

static void collect_errors(const struct staged *staged, struct import_result *result)
{
    edge_rows *bad =
        edge_tx_query(staged->tx, "SELECT _line, _row, _bad, count(*) OVER () AS total FROM import_stage"
                                  " WHERE _bad IS NOT NULL ORDER BY _row LIMIT 1000");
    for (size_t i = 0; i < edge_rows_count(bad); i++) {
        const char *code = edge_rows_text(bad, i, "_bad");
        import_note_error(staged->ctx, result, edge_rows_int(bad, i, "_line"), edge_rows_int(bad, i, "_row"),
            error_column(staged, code), code, NULL);
    }
    if (edge_rows_count(bad) > 0)
        result->error_count += edge_rows_int(bad, 0, "total") - (int64_t)edge_rows_count(bad);
}

/* --- writing --- */

static const char *pair(const char *const (*pairs)[2], const char *column)
{
    for (size_t i = 0; pairs != NULL && pairs[i][0] != NULL; i++)
        if (is(pairs[i][0], column))
            return pairs[i][1];
    return NULL;
}

#define WEIGHT_BY_PRIORITY "CASE %s WHEN 'high' THEN 5 WHEN 'medium' THEN 3 ELSE 1 END"

static const char *weight(const struct staged *staged)
{
    bool given = import_plan_target(staged->plan, "priority") != NULL;
    bool medium = staged->job->dataset != NULL;
    return edge_format(staged->ctx, WEIGHT_BY_PRIORITY,
        !given   ? "'medium'"
        : medium ? "coalesce(s.priority, 'medium')"
                 : "s.priority");
}

/* What a column is filled with when a cell is empty or no header fills it; NULL when the database knows. */
static const char *otherwise(const struct staged *staged, const struct entity_column *column)
{
    const struct import_job *job = staged->job;
    const char *literal = job->dataset != NULL ? pair(job->dataset->defaults, column->name) : NULL;
    if (literal != NULL)
        return literal;
    if (is(staged->entity->table, "task_templates") && is(column->name, "priority_weight"))
        return weight(staged);
    if (column->copies != NULL && import_plan_target(staged->plan, column->copies) != NULL)
        return edge_format(staged->ctx, "s.%s", column->copies);
    if (column->fallback != NULL)
        return edge_format(staged->ctx, "'%s'", column->fallback);
    return is(column->name, "created_at") || is(column->name, "updated_at") ? "now()" : NULL;
}

static void add_value(const struct staged *staged, struct sql *sql, const struct entity_column *column)
{
    const char *without = otherwise(staged, column);
    if (without != NULL)
        sql_add(sql, "coalesce(s.", column->name, ", ", without, ")", NULL);
    else if (column->type == COLUMN_NUMERIC || column->type == COLUMN_RATE)
        sql_add(sql, "round(floor(s.", column->name, " * 100 + 0.5) / 100, 2)", NULL);
    else
        sql_add(sql, "s.", column->name, NULL);
}

static void add_changed_value(const struct staged *staged, struct sql *sql, const struct entity_column *column)
{
    const char *name = column->name;
    if (is_profiles(staged))
        sql_add(sql, "coalesce(s.", name, ", t.", name, ")", NULL);
    else if ((column->flags & COLUMN_MERGED) != 0)
        sql_add(sql, "CASE WHEN jsonb_typeof(t.", name, ") = 'object' THEN t.", name,
            " ELSE '{}' END || coalesce(s.", name, ", '{}')", NULL);
    else
        add_value(staged, sql, column);
}

static int64_t update_existing(const struct staged *staged)
{
    struct sql *sql = sql_begin(staged->ctx, "UPDATE ");
    const char *separator = " AS t SET ";
    sql_add(sql, staged->entity->table, NULL);
    for (size_t i = 0; i < staged->plan->count; i++) {
        const struct entity_column *column = staged->plan->targets[i].column;
        if (is_profiles(staged) && is(column->name, "email"))
            continue;
        sql_add(sql, separator, column->name, " = ", NULL);
        add_changed_value(staged, sql, column);
        separator = ", ";
    }
    if (separator[0] == ' ')
        sql_add(sql, " AS t SET id = t.id", NULL);
    sql_add(sql, " FROM import_stage AS s WHERE s._bad IS NULL AND t.id = s._existing",
        is_profiles(staged) ? "" : "::uuid", NULL);
    return (int64_t)edge_rows_affected(run(staged, sql));
}

/* Columns of a new row that no header fills, with what they get: their names, or their values. */
static void add_unfilled(const struct staged *staged, struct sql *sql, bool values)
{
    const struct import_dataset *dataset = staged->job->dataset;
    for (const struct entity_column *column = staged->entity->columns; column->name != NULL; column++) {
        const char *literal = dataset != NULL ? pair(dataset->constants, column->name) : NULL;
        bool fillable = (column->flags & (COLUMN_WRITABLE | COLUMN_IMPORTED)) != 0;
        if (literal == NULL && is(column->name, "connection_status"))
            literal = "'disconnected'";
        if (literal == NULL && fillable)
            literal = otherwise(staged, column);
        if (literal != NULL && import_plan_target(staged->plan, column->name) == NULL)
            sql_add(sql, ", ", values ? literal : column->name, NULL);
    }
}

static int64_t insert_new(const struct staged *staged)
{
    const struct entity *entity = staged->entity;
    struct sql *sql = sql_begin(staged->ctx, "INSERT INTO ");
    sql_add(sql, entity->table, " (id", entity->owner != NULL ? ", " : "",
        entity->owner != NULL ? entity->owner : "", NULL);
    for (size_t i = 0; i < staged->plan->count; i++)
        sql_add(sql, ", ", staged->plan->targets[i].column->name, NULL);
    add_unfilled(staged, sql, false);
    sql_add(sql, ") SELECT ", staged->by_id ? "s._id" : "gen_random_uuid()",
        entity->owner != NULL ? ", s._owner" : "", NULL);
    for (size_t i = 0; i < staged->plan->count; i++) {
        sql_add(sql, ", ", NULL);
        add_value(staged, sql, staged->plan->targets[i].column);
    }
    add_unfilled(staged, sql, true);
    sql_add(sql, " FROM import_stage AS s WHERE s._bad IS NULL AND s._existing IS NULL ORDER BY s._row", NULL);
    /* Somebody who writes without importing may have been faster. */
    if (entity->unique != NULL)
        sql_add(sql, " ON CONFLICT (", entity->unique, ") DO NOTHING", NULL);
    return (int64_t)edge_rows_affected(run(staged, sql));
}

static void delete_replaced(const struct staged *staged)
{
    struct sql *sql = sql_begin(staged->ctx, "DELETE FROM ");
    sql_add(sql, staged->entity->table, NULL);
    if (staged->entity->owner != NULL) {
        sql_add(sql, " WHERE ", staged->entity->owner, " = ", NULL);
        sql_arg(sql, edge_text(staged->job->owner));
    }
    edge_tx_send_args(staged->tx, sql->text.data, sql->args, sql->count);
}

void import_apply(edge_ctx *ctx, edge_tx *tx, const struct import_job *job, const struct import_plan *plan,
    struct import_result *result)
{
    struct staged staged = { ctx, tx, job, plan, job->entity, find_key(job), false };
    staged.by_id = job->dataset != NULL && job->dataset->key_headers != NULL;
    bool keyed = staged.by_id ||
                 (staged.key != NULL &&
                     (staged.key->column == NULL || import_plan_target(plan, staged.key->column) != NULL));

    if (job->replace)
        delete_replaced(&staged);
    check_references(&staged);
    find_owners(&staged);
    if (is_profiles(&staged))
        find_profiles(&staged);
    if (keyed || is_profiles(&staged))
        result->skipped += drop_repeated(&staged);
    if (keyed)
        find_existing(&staged);
    collect_errors(&staged, result);
    if (result->error_count > 0 && job->abort_on_error) {
        result->status = 422;
        result->code = "import_aborted";
        result->message = "The file has errors, so nothing was imported";
        result->skipped = result->total - result->error_count;
        return;
    }
    if (keyed || is_profiles(&staged))
        result->updated = update_existing(&staged);
    if (!is_profiles(&staged))
        result->imported = insert_new(&staged);
    result->skipped = result->total - result->error_count - result->imported - result->updated;
}
