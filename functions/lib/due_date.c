/*
 * Due dates.
 */
#include "lib/due_date.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crm.h"

#define DEFAULT_ZONE "America/New_York"

/* d stands for a digit, everything else for itself. */
static bool looks_like(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, text++)
        if (*pattern == 'd' ? !isdigit((unsigned char)*text) : *text != *pattern)
            return false;
    return true;
}

static bool is_day(const char *text)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (!looks_like(text, "dddd-dd-dd"))
        return false;
    int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

/* RFC 3339 5.6, behind the day: T, hh:mm:ss, a fraction if any, Z or an offset. */
static bool is_time_with_offset(const char *text)
{
    if ((*text != 'T' && *text != 't') || !looks_like(text + 1, "dd:dd:dd"))
        return false;
    if (atoi(text + 1) > 23 || atoi(text + 4) > 59 || atoi(text + 7) > 60)
        return false;
    text += 9;
    if (*text == '.') {
        size_t digits = strspn(text + 1, "0123456789");
        if (digits == 0)
            return false;
        text += 1 + digits;
    }
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    return (*text == '+' || *text == '-') && strlen(text) == 6 && looks_like(text + 1, "dd:dd") &&
           atoi(text + 1) <= 23 && atoi(text + 4) <= 59;
}

bool due_date_is_day(edge_ctx *ctx, const char *text)
{
    if (text == NULL)
        return false;
    if (is_day(text) && text[10] == '\0')
        return true;
    if (!is_day(text) || !is_time_with_offset(text + 10))
        crm_refuse(ctx, "dueDate", "must be a day (YYYY-MM-DD) or a time with its offset (RFC 3339)");
    return false;
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
