/*
 * Which column a header fills: the request's mapping first, then the header's own name, then old names for it.
 */
#include "lib/import.h"
#include "lib/snake.h"

#include <string.h>

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool import_allows(const struct entity *entity, bool *for_admins)
{
    static const char *const own[] = { "goals", "daily_actions", "transactions", "business_plans",
        "market_config", "generated_content", "pulse_scores", "agent_config", "user_preferences",
        "crm_connections", "external_service_connections", "call_logs" };
    static const char *const admins[] = { "profiles", "task_templates", "objection_scripts",
        "role_play_scenarios", "email_templates", "content_topics", "client_personas", "ai_prompt_configs",
        "featured_content_packs", "content_packs", "campaign_templates", "legal_documents", "feature_flags",
        "brand_color_palettes", "agent_voices" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (is(entity->table, own[i]))
            return true;
    *for_admins = true;
    for (size_t i = 0; i < sizeof admins / sizeof *admins; i++)
        if (is(entity->table, admins[i]))
            return true;
    return false;
}

static const struct entity_column *importable(const struct entity *entity, const char *name)
{
    const struct entity_column *column = entity_column_named(entity, name, true);
    if (column == NULL)
        return NULL;
    bool time = is(column->name, "created_at") || is(column->name, "updated_at");
    return time || (column->flags & (COLUMN_WRITABLE | COLUMN_IMPORTED)) != 0 ? column : NULL;
}

/* Old names that hold for imports only. */
static const char *import_alias(const struct entity *entity, const char *snake)
{
    static const char *const aliases[][3] = {
        { "task_templates", "type", "action_type" },
        { "task_templates", "trigger", "trigger_type" },
        { "task_templates", "weight", "priority_weight" },
        { "task_templates", "display", "display_category" },
        { "task_templates", "sub_category", "display_category" },
        { "task_templates", "impact", "impact_area" },
        { "task_templates", "pulse_impact", "impact_area" },
        { "call_logs", "duration", "duration_seconds" },
    };
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (is(entity->table, aliases[i][0]) && is(snake, aliases[i][1]))
            return aliases[i][2];
    return snake;
}

static const struct entity_column *mapped_by_name(
    edge_ctx *ctx, const struct import_job *job, const char *header)
{
    const struct entity_column *column = NULL;
    const char *exact = edge_json_text(job->mapping, header), *plain = snake_plain(ctx, header), *name;
    json_t *value;
    if (exact != NULL && (column = importable(job->entity, exact)) != NULL)
        return column;
    json_object_foreach((json_t *)job->mapping, name, value)
    {
        if (json_is_string(value) && is(snake_plain(ctx, name), plain) &&
            (column = importable(job->entity, json_string_value(value))) != NULL)
            return column;
    }
    return NULL;
}

static const struct entity_column *column_of(
    edge_ctx *ctx, const struct import_job *job, const char *header, const char *snake)
{
    static const char *const never[] = { "id", "user_id", "created_by", "created_by_id", "is_sample", "" };
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (is(snake, never[i]))
            return NULL;
    for (size_t i = 0; job->dataset != NULL && job->dataset->mapping[i][0] != NULL; i++)
        if (is(job->dataset->mapping[i][0], header))
            return importable(job->entity, job->dataset->mapping[i][1]);
    /* What a call is known by always goes to its own column. */
    static const char *const fixed[] = { "conversation_id", "call_sid", "ended_at", "transcript", "analysis",
        "form_data" };
    for (size_t i = 0; is(job->entity->table, "call_logs") && i < sizeof fixed / sizeof *fixed; i++)
        if (is(snake, fixed[i]))
            return entity_column(job->entity, snake);
    const struct entity_column *column = mapped_by_name(ctx, job, header);
    if (column == NULL)
        column = importable(job->entity, snake);
    return column != NULL ? column : importable(job->entity, import_alias(job->entity, snake));
}

/* Of a call, who was called in which campaign. */
static bool is_call_key(const struct entity *entity, const char *snake)
{
    return is(entity->table, "call_logs") &&
           (is(snake, "campaign_name") || is(snake, "prospect_first_name") || is(snake, "prospect_last_name"));
}

static bool collects_keys(const struct entity_column *column)
{
    return is(column->name, "voice_settings") || is(column->name, "metadata");
}

static struct import_target *add_target(struct import_plan *plan, const struct entity_column *column)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->targets[i].column == column)
            return &plan->targets[i];
    struct import_target *target = &plan->targets[plan->count++];
    *target = (struct import_target){ .column = column, .field = SIZE_MAX };
    return target;
}

static bool add_key(struct import_target *target, const char *header, size_t field)
{
    if (target->key_count == sizeof target->keys / sizeof *target->keys)
        return false;
    target->keys[target->key_count] = header;
    target->key_fields[target->key_count++] = field;
    return true;
}

static bool fail(struct import_result *result, int status, const char *code, const char *message, json_t *extra)
{
    result->status = status;
    result->code = code;
    result->message = message;
    result->extra = extra;
    return false;
}

/*
 * A second header for a column is a mistake, but for those that collect: there each becomes a member, the first
 * one too unless it bears the column's name.
 */
static bool fill(edge_ctx *ctx, struct import_plan *plan, struct import_target *target, const char *header,
    size_t field, struct import_result *result)
{
    if (target->field == SIZE_MAX && target->key_count == 0) {
        target->field = field;
        target->header = header;
        return true;
    }
    const char *own = target->column->name;
    if (!collects_keys(target->column) ||
        (is(plan->snakes[field], own) && target->field != SIZE_MAX && is(plan->snakes[target->field], own)))
        return fail(result, 400, "duplicate_column",
            edge_format(ctx, "Two headers fill the column \"%s\"", own), json_pack("{s:s}", "column", own));
    if (target->field != SIZE_MAX && !is(plan->snakes[target->field], own)) {
        add_key(target, target->header, target->field);
        target->field = SIZE_MAX;
    }
    if (is(plan->snakes[field], own)) {
        target->field = field;
        target->header = header;
        return true;
    }
    return add_key(target, header, field) ||
           fail(result, 400, "duplicate_column", edge_format(ctx, "Too many headers fill \"%s\"", own), NULL);
}

static bool is_constant(const struct import_dataset *dataset, const char *column)
{
    for (size_t i = 0; dataset->constants != NULL && dataset->constants[i][0] != NULL; i++)
        if (is(dataset->constants[i][0], column))
            return true;
    return false;
}

bool import_requires(const struct import_job *job, const struct entity_column *column)
{
    const struct import_dataset *dataset = job->dataset;
    for (size_t i = 0; dataset != NULL && dataset->required != NULL && dataset->required[i] != NULL; i++)
        if (is(dataset->required[i], column->name))
            return true;
    if (dataset != NULL && is_constant(dataset, column->name))
        return false;
    return (column->flags & COLUMN_REQUIRED) == COLUMN_REQUIRED ||
           (column->flags & COLUMN_IMPORT_REQUIRED) != 0;
}

static bool check_required(
    const struct import_job *job, const struct import_plan *plan, struct import_result *result)
{
    json_t *missing = json_array();
    for (const struct entity_column *column = job->entity->columns; column->name != NULL; column++)
        if (import_requires(job, column) && import_plan_target(plan, column->name) == NULL)
            json_array_append_new(missing, json_string(column->name));
    return json_array_size(missing) == 0 ||
           fail(result, 400, "missing_columns", "The file lacks columns that are required",
               json_pack("{s:o}", "missing", missing));
}

const struct import_target *import_plan_target(const struct import_plan *plan, const char *column)
{
    for (size_t i = 0; i < plan->count; i++)
        if (is(plan->targets[i].column->name, column))
            return &plan->targets[i];
    return NULL;
}

size_t import_plan_field(const struct import_plan *plan, const char *snake)
{
    for (size_t i = 0; i < plan->field_count; i++)
        if (is(plan->snakes[i], snake))
            return i;
    return SIZE_MAX;
}

static bool map_header(edge_ctx *ctx, const struct import_job *job, size_t field, struct import_plan *plan,
    struct import_result *result)
{
    const char *header = plan->headers[field], *snake = plan->snakes[field];
    if (is_call_key(job->entity, snake)) {
        struct import_target *metadata = add_target(plan, entity_column(job->entity, "metadata"));
        if (metadata->field != SIZE_MAX && !is(plan->snakes[metadata->field], "metadata"))
            return fill(ctx, plan, metadata, header, field, result);
        return add_key(metadata, header, field);
    }
    const struct entity_column *column = column_of(ctx, job, header, snake);
    if (column == NULL) {
        json_array_append_new(plan->ignored, json_string(header));
        return true;
    }
    struct import_target *target = add_target(plan, column);
    if (job->dataset != NULL && collects_keys(column) && !is(snake, column->name))
        return add_key(target, header, field);
    return fill(ctx, plan, target, header, field, result);
}

/* The upper bound of a range comes with its lower one. */
static void add_trigger_max(const struct import_job *job, struct import_plan *plan)
{
    if (!is(job->entity->table, "task_templates"))
        return;
    plan->trigger_value = (struct import_target *)import_plan_target(plan, "trigger_value");
    plan->trigger_type = (struct import_target *)import_plan_target(plan, "trigger_type");
    if (plan->trigger_value != NULL)
        add_target(plan, entity_column(job->entity, "trigger_max"));
}

bool import_plan_header(edge_ctx *ctx, const struct import_job *job, size_t count, const char *const *headers,
    struct import_plan *plan, struct import_result *result)
{
    plan->ignored = json_array();
    plan->field_count = count;
    for (size_t i = 0; i < count; i++) {
        plan->headers[i] = edge_copy(ctx, headers[i]);
        plan->snakes[i] = snake_case(ctx, headers[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (!map_header(ctx, job, i, plan, result))
            return false;
    if (!check_required(job, plan, result))
        return false;
    if (job->dataset != NULL && job->dataset->items_column != NULL)
        add_target(plan, entity_column(job->entity, job->dataset->items_column));
    add_trigger_max(job, plan);
    result->ignored_columns = plan->ignored;
    return true;
}
