/*
 * updateSkySlopeTransactionTool: changes fields of a SkySlope file, once for each idempotency key. SkySlope's
 * write replaces the whole form, so the file is read first and every writable field is sent again, with the
 * changes over it.
 *
 * Three round trips (connection, audit row and its end); two to four calls to SkySlope, and a login when there
 * is no session yet.
 *
 * SkySlope: https://api.skyslope.com/docs (Files).
 */
#include <edge/edge.h>

#include <math.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/iso_time.h"
#include "lib/skyslope.h"

enum {
    UPDATES_MAX = 20,
    TEXT_MAX = 100,
};

#define PRICE_MAX 10000000000.0
#define CLOSE_DATE_ALIAS "expectedCloseDate"

static const edge_field input[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "GUID of the file" },
    { "updates", EDGE_OBJECT, .required = true,
        .help = "Fields and their new values; null clears dates and texts" },
    { "fileType", EDGE_ENUM, .values = skyslope_kinds,
        .help = "sale or listing; found out when it is not said" },
    { "ifModifiedOn", EDGE_TEXT, .help = "Only while the file's modifiedOn is this" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it changes nothing" },
    { "userId", EDGE_USER, .help = "Whose SkySlope; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "transactionId", EDGE_TEXT, .required = true, .help = "GUID of the file" },
    SKYSLOPE_KIND_FIELD,
    { "updatedFields", EDGE_ARRAY, .items = &crm_word, .required = true, .help = "What was changed" },
    TOOL_MESSAGE_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* The writable fields of a file, by kind. */
static const struct writable {
    const char *name;
    enum {
        DATE,
        PRICE,
        TEXT,
        FLAG,
        COUNT
    } type;
    bool of_sale, of_listing;
} fields[] = {
    { "actualClosingDate", DATE, true, false },
    { "escrowClosingDate", DATE, true, false },
    { "contractAcceptanceDate", DATE, true, false },
    { "salePrice", PRICE, true, false },
    { "listingPrice", PRICE, true, true },
    { "listingDate", DATE, false, true },
    { "expirationDate", DATE, false, true },
    { "mlsNumber", TEXT, true, true },
    { "escrowNumber", TEXT, true, false },
    { "apn", TEXT, true, true },
    { "fileId", TEXT, true, true },
    { "otherSource", TEXT, true, true },
    { "isOfficeLead", FLAG, true, false },
    { "sourceId", COUNT, true, true },
    { NULL, TEXT, false, false },
};

/* The field that a key of updates writes, of this kind or of any when it is NULL; NULL when there is none. */
static const struct writable *field_named(const char *key, const struct skyslope_kind *kind)
{
    const char *name = strcmp(key, CLOSE_DATE_ALIAS) == 0 ? "escrowClosingDate" : key;
    for (const struct writable *field = fields; field->name != NULL; field++)
        if (strcmp(field->name, name) == 0)
            return kind == NULL || (kind == &skyslope_sale ? field->of_sale : field->of_listing) ? field : NULL;
    return NULL;
}

static const char *fault_of(const struct writable *field, const json_t *value)
{
    const char *text = json_string_value(value);
    double number = json_number_value(value);
    switch (field->type) {
    case DATE:
        return json_is_null(value) || iso_day_is_real(text) ? NULL : "must be a date, YYYY-MM-DD, or null";
    case PRICE:
        return json_is_number(value) && number >= 0 && number <= PRICE_MAX ? NULL : "must be 0 to 10000000000";
    case TEXT:
        return json_is_null(value) || text != NULL ? NULL : "must be a string or null";
    case FLAG:
        return json_is_boolean(value) ? NULL : "must be true or false";
    default:
        return json_is_number(value) && number >= 0 && number == floor(number) ? NULL
                                                                               : "must be a whole number";
    }
}

/* An empty text, and null where it clears nothing, count as absent. */
static bool is_absent(const struct writable *field, const json_t *value)
{
    bool clears = field->type == DATE || field->type == TEXT;
    return (json_is_null(value) && !clears) || (json_is_string(value) && json_string_length(value) == 0);
}

static json_t *check_updates(edge_ctx *ctx, const json_t *given, const struct skyslope_kind *kind)
{
    json_t *updates = json_object(), *raw;
    const char *key;
    json_object_foreach((json_t *)given, key, raw)
    {
        const char *path = edge_format(ctx, "updates.%s", key);
        const struct writable *field = field_named(key, kind);
        if (field == NULL)
            field_fail(ctx, path, "cannot be written");
        json_t *value = json_is_string(raw) ? field_trimmed(ctx, raw) : raw;
        if (is_absent(field, value))
            continue;
        const char *fault = fault_of(field, value);
        if (fault != NULL)
            field_fail(ctx, path, "%s", fault);
        if (field->type == TEXT && json_is_string(value))
            field_untrimmed(
                ctx, &(const edge_field){ .name = path, .type = EDGE_TEXT, .max = TEXT_MAX }, value);
        json_object_set(updates, key, value);
    }
    size_t count = json_object_size(updates);
    if (count < 1 || count > UPDATES_MAX)
        field_fail(ctx, "updates", "must have 1 to %d fields, has %zu", UPDATES_MAX, count);
    if (json_object_get(updates, CLOSE_DATE_ALIAS) != NULL &&
        json_object_get(updates, "escrowClosingDate") != NULL)
        field_fail(ctx, "updates." CLOSE_DATE_ALIAS, "is escrowClosingDate, which is given as well");
    return updates;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (!field_is(field, "updates"))
        return value;
    return check_updates(ctx, value, NULL);
}

/* Dates by their day: SkySlope answers with a time behind it. */
static bool is_same(const struct writable *field, const json_t *old, const json_t *new)
{
    bool had = old != NULL && !json_is_null(old), has = !json_is_null(new);
    if (!had || !has)
        return had == has;
    if (field->type == DATE && json_is_string(old))
        return strncmp(json_string_value(old), json_string_value(new), strlen("YYYY-MM-DD")) == 0;
    if (json_is_number(old) && json_is_number(new))
        return json_number_value(old) == json_number_value(new);
    return json_equal(old, new);
}

/* Every writable field that the file has, unchanged. */
static json_t *form_of(const json_t *file, const struct skyslope_kind *kind)
{
    json_t *form = json_object();
    for (const struct writable *field = fields; field->name != NULL; field++) {
        json_t *value = json_object_get(file, field->name);
        if (value != NULL && field_named(field->name, kind) != NULL)
            json_object_set(form, field->name, value);
    }
    return form;
}

/* Lays the updates over the form; the names of those that make a difference. */
static json_t *overlay(
    json_t *form, const json_t *updates, const json_t *file, const struct skyslope_kind *kind)
{
    json_t *changed = json_array(), *value;
    const char *key;
    json_object_foreach((json_t *)updates, key, value)
    {
        const struct writable *field = field_named(key, kind);
        if (is_same(field, json_object_get(file, field->name), value))
            continue;
        json_object_set(form, field->name, value);
        json_array_append_new(changed, json_string(field->name));
    }
    return changed;
}

EDGE_NORETURN static void refuse(struct crm *crm, int status, const char *code, const edge_failure *failure)
{
    action_fail(crm->action, code, failure->message, NULL);
    edge_fail_as(crm->ctx, status, code, failure);
}

/* Only now the kind is known, and with it which fields there are; and whether somebody else has changed the
 * file. */
static void check_against(
    struct crm *crm, const json_t *in, const json_t *file, const struct skyslope_kind *kind)
{
    const char *expected = edge_json_text(in, "ifModifiedOn"), *modified = edge_json_text(file, "modifiedOn"),
               *key;
    json_t *value;
    json_object_foreach(json_object_get(in, "updates"), key, value)
    {
        if (field_named(key, kind) != NULL)
            continue;
        const char *path = edge_format(crm->ctx, "updates.%s", key);
        refuse(crm, 400, "invalid_input",
            &(const edge_failure){ .field = path,
                .message = edge_format(crm->ctx, "%s is no field of a %s file", path, kind->name) });
    }
    if (expected != NULL && (modified == NULL || strcmp(expected, modified) != 0))
        refuse(crm, 409, "conflict",
            &(const edge_failure){
                .message = "Failed to update transaction: the file has been changed meanwhile",
                .suggestion = "Fetch the file again and decide anew" });
}

static json_t *update_transaction(edge_ctx *ctx, json_t *in)
{
    const char *guid = edge_json_text(in, "transactionId");
    const struct skyslope_kind *kind = skyslope_kind_named(edge_json_text(in, "fileType"));
    json_t *updates = check_updates(ctx, json_object_get(in, "updates"), kind);
    idempotency_key(ctx, in);

    struct skyslope *sky = skyslope_open(ctx, "Failed to update transaction");
    json_t *before = crm_begin(sky->crm, "updateSkySlopeTransaction", input, in, NULL);
    if (before != NULL)
        return crm_replay(before);

    json_t *file = skyslope_file(sky, guid, &kind);
    check_against(sky->crm, in, file, kind);
    json_t *form = form_of(file, kind), *changed = overlay(form, updates, file, kind);
    bool changes = json_array_size(changed) > 0;
    if (changes)
        skyslope_file_call(sky, guid, &kind, "", .method = "PUT", .json = form);

    json_t *data =
        json_pack("{s:s, s:s, s:o}", "transactionId", guid, "fileType", kind->name, "updatedFields", changed);
    json_t *answer = crm_answer(data, changes ? "Transaction updated successfully" : "Nothing to change");
    crm_done(sky->crm, data);
    return answer;
}

EDGE_FUNCTION(updateSkySlopeTransactionTool,
    .summary = "Changes fields of a SkySlope file",
    .input = input,
    .output = output,
    .handle = update_transaction,
    .check = check,
    .shape = &crm_shape,
    .trims = true);
