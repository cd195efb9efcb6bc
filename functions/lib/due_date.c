/*
 * Due dates.
 */
#include "lib/due_date.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/field.h"
#include "lib/iso_time.h"

#define DEFAULT_ZONE "America/New_York"

/* RFC 3339 5.6 wants more than iso_time_read: a T, and Z or an offset with its colon. */
static bool is_instant(const char *text)
{
    int64_t at;
    if (!iso_time_read(text, &at) || (text[10] != 'T' && text[10] != 't'))
        return false;
    const char *behind = text + 19 + strspn(text + 19, ".0123456789");
    if (strcmp(behind, "Z") == 0 || strcmp(behind, "z") == 0)
        return true;
    return strlen(behind) == strlen("+hh:mm") && behind[3] == ':' && atoi(behind + 1) <= 23 &&
           atoi(behind + 4) <= 59;
}

bool due_date_is_day(edge_ctx *ctx, const char *text)
{
    if (text == NULL)
        return false;
    if (iso_day_is_real(text))
        return true;
    if (!is_instant(text))
        field_fail(ctx, "dueDate", "must be a day (YYYY-MM-DD) or a time with its offset (RFC 3339)");
    return false;
}

json_t *due_date_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (strcmp(field->name, "dueDate") == 0)
        due_date_is_day(ctx, json_string_value(value));
    return value;
}

/* The zone is set for the transaction, so that PostgreSQL reads and writes the instant with that day's offset.
 */
static bool convert(edge_ctx *ctx, edge_error *error, edge_rows **rows, const char *day, bool known_zone)
{
    return edge_try_service_query_batch(ctx, error, rows,
        EDGE_SQL("SELECT set_config('TimeZone', coalesce("
                 " (SELECT nullif(btrim(timezone), '') FROM user_preferences WHERE user_id = $1 AND $2),"
                 " '" DEFAULT_ZONE "'), true)",
            edge_text(edge_auth_user(ctx)), edge_bool(known_zone)),
        EDGE_SQL("SELECT current_setting('TimeZone') AS zone,"
                 " to_char(($1::text || ' 17:00:00')::timestamptz, 'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM') AS due",
            edge_text(day)));
}

struct due due_date_in_zone(edge_ctx *ctx, const char *text)
{
    edge_rows *rows[2];
    edge_error error;
    const char *day = edge_copy_bytes(ctx, text, 10);
    /* A zone that PostgreSQL does not know fails the statement, with 22023 (invalid_parameter_value). */
    if (!convert(ctx, &error, rows, day, true)) {
        bool unknown = error.detail != NULL && strncmp(error.detail, "22023", 5) == 0;
        if (!unknown || !convert(ctx, &error, rows, day, false))
            edge_fail_error(ctx, &error);
    }
    return (struct due){
        .at = due_date_is_day(ctx, text) ? edge_rows_text(rows[1], 0, "due") : text,
        .zone = edge_rows_text(rows[1], 0, "zone"),
    };
}
