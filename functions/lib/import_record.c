/*
 * A record of a file: its cells as the columns of the staging table take them.
 */
#include "lib/import.h"

#include <stdio.h>
#include <string.h>

bool import_is_blank(const char *cell)
{
    return cell[strspn(cell, " \t\r\n\f\v")] == '\0';
}

/* Serialises into room that the next record uses again. Fifteen digits are what a file has written. */
static const char *dump(struct import_scratch *scratch, const json_t *value)
{
    const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    size_t length = json_dumpb(value, NULL, 0, flags);
    if (length >= scratch->json_size) {
        scratch->json_size = length * 2 + 1;
        scratch->json = edge_alloc(scratch->text.ctx, scratch->json_size);
    }
    json_dumpb(value, scratch->json, length, flags);
    scratch->json[length] = '\0';
    return scratch->json;
}

/* A jsonb column of several headers: the object of one of them, if any, and a member for each other. */
static const char *collect(struct import_scratch *scratch, const struct import_target *target,
    const edge_csv_row *row, const char **out)
{
    const char *base = target->field != SIZE_MAX ? row->fields[target->field] : "";
    json_t *object =
        import_is_blank(base) ? json_object() : edge_json_parse(scratch->text.ctx, base, strlen(base));
    if (!json_is_object(object)) {
        json_decref(object);
        return "invalid_json";
    }
    for (size_t i = 0; i < target->key_count; i++) {
        const char *cell = row->fields[target->key_fields[i]];
        if (!import_is_blank(cell))
            json_object_set_new(object, target->keys[i],
                strcasecmp(cell, "true") == 0    ? json_true()
                : strcasecmp(cell, "false") == 0 ? json_false()
                                                 : json_string(cell));
    }
    *out = dump(scratch, object);
    json_decref(object);
    return NULL;
}

const char *import_row_cell(const struct import_run *run, const edge_csv_row *row, const char *snake)
{
    size_t field = import_plan_field(run->plan, snake);
    return field != SIZE_MAX ? row->fields[field] : "";
}

/* Featured content: one link, described by columns of the file. */
static const char *collect_link(struct import_run *run, struct import_scratch *scratch, const edge_csv_row *row,
    const char **out, const char **header)
{
    const char *type = import_row_cell(run, row, "type"),
               *networks = import_row_cell(run, row, "social_networks");
    const char *premium = import_row_cell(run, row, "is_premium"), *url = import_row_cell(run, row, "url");
    const char *thumbnail = import_row_cell(run, row, "thumbnail_url");
    json_t *list =
        import_is_blank(networks) ? json_array() : edge_json_parse(run->ctx, networks, strlen(networks));
    *header = "socialNetworks";
    if (!json_is_array(list))
        return "invalid_json";
    static const struct entity_column flag = { "is_premium", COLUMN_BOOLEAN };
    const char *value = NULL;
    *header = "isPremium";
    if (import_cell(scratch, &flag, premium, &value) != NULL)
        return "invalid_boolean";
    json_t *items = json_pack("[{s:s, s:s?, s:s?, s:o, s:b}]", "type", import_is_blank(type) ? "link" : type,
        "url", import_is_blank(url) ? NULL : url, "thumbnail", import_is_blank(thumbnail) ? NULL : thumbnail,
        "socialNetworks", list, "isPremium", value != NULL && value[0] == 't');
    *out = dump(scratch, items);
    json_decref(items);
    return NULL;
}

/* "a-b" of a range of scores, or what a whole number means; "any" is no bound. */
static const char *convert_trigger(struct import_run *run, const edge_csv_row *row, const char **values)
{
    const struct import_target *target = run->plan->trigger_value, *type = run->plan->trigger_type;
    size_t value = (size_t)(target - run->plan->targets);
    size_t max = (size_t)(import_plan_target(run->plan, "trigger_max") - run->plan->targets);
    struct import_scratch *scratch = &run->scratch[value], *upper = &run->scratch[max];
    const char *cell = row->fields[target->field];
    int64_t a = 0, b = 0;
    int length = 0;
    values[max] = NULL;
    cell += strspn(cell, " \t");
    if (strcasecmp(cell, "any") == 0)
        return values[value] = NULL;
    bool range = sscanf(cell, "%9lld-%9lld%n", (long long *)&a, (long long *)&b, &length) == 2;
    if (!range || cell[0] == '-')
        return import_cell(scratch, target->column, cell, &values[value]);
    const char *kind = type != NULL && type->field != SIZE_MAX ? row->fields[type->field] : "";
    if (!import_is_blank(cell + length) || a > b || b < 0 || strcmp(kind, "pulse_score_range") != 0)
        return "invalid_integer";
    snprintf(scratch->number, sizeof scratch->number, "%lld", (long long)a);
    snprintf(upper->number, sizeof upper->number, "%lld", (long long)b);
    values[value] = scratch->number;
    values[max] = upper->number;
    return NULL;
}

static const char *convert_target(
    struct import_run *run, size_t i, const edge_csv_row *row, const char **values, const char **header)
{
    const struct import_target *target = &run->plan->targets[i];
    struct import_scratch *scratch = &run->scratch[i];
    const struct import_dataset *dataset = run->job->dataset;
    if (dataset != NULL && dataset->items_column != NULL &&
        strcmp(dataset->items_column, target->column->name) == 0)
        return collect_link(run, scratch, row, &values[i], header);
    if (target->key_count > 0)
        return collect(scratch, target, row, &values[i]);
    if (target->field == SIZE_MAX)
        return NULL;
    if (target == run->plan->trigger_value)
        return convert_trigger(run, row, values);
    const char *code = import_cell(scratch, target->column, row->fields[target->field], &values[i]);
    bool required = (target->column->flags & COLUMN_NOT_NULL) != 0 || import_requires(run->job, target->column);
    bool filled = target->column->fallback != NULL || target->column->copies != NULL;
    return code == NULL && values[i] == NULL && required && !filled ? "required" : code;
}

bool import_row_convert(struct import_run *run, const edge_csv_row *row, int64_t number, const char **values)
{
    for (size_t i = 0; i < run->plan->count; i++) {
        const struct import_target *target = &run->plan->targets[i];
        const char *header = target->header != NULL  ? target->header
                             : target->key_count > 0 ? target->keys[0]
                                                     : NULL;
        const char *code = convert_target(run, i, row, values, &header);
        if (code == NULL)
            continue;
        const char *cell =
            target->field != SIZE_MAX && strcmp(code, "required") != 0 ? row->fields[target->field] : NULL;
        import_note_error(run->ctx, run->result, (int64_t)row->line, number, header, code, cell);
        return false;
    }
    return true;
}

/* The name that a row of a data set is known by: its id, else the cells that tell it from others. */
const char *import_row_identity(struct import_run *run, const edge_csv_row *row)
{
    const struct import_dataset *dataset = run->job->dataset;
    if (dataset == NULL || dataset->key_headers == NULL)
        return NULL;
    struct text key = { .ctx = run->ctx };
    const char *id = import_row_cell(run, row, "id");
    text_add_format(&key, "pulse-import:%s:", dataset->name);
    if (!import_is_blank(id))
        text_add(&key, id);
    for (size_t i = 0; import_is_blank(id) && dataset->key_headers[i] != NULL; i++) {
        text_add(&key, i > 0 ? "|" : "");
        text_add(&key, import_row_cell(run, row, dataset->key_headers[i]));
    }
    return edge_uuid_v5_dns(run->ctx, key.data);
}
