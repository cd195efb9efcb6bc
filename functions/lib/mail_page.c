/*
 * Pages of a mail run: who is due, in local time, and has not got the mail of the period. One statement; local
 * times are PostgreSQL's, which has the tz database.
 */
#include "lib/mail_log.h"
#include "lib/mail_run_state.h"

#include <string.h>

#define PAGE_SQL                                                                                               \
    "SELECT p.user_id, u.email, u.full_name, z.zone, to_char(l.at, 'YYYY-MM-DD') AS day, k.period,"            \
    " i.id AS log_id,"                                                                                         \
    " $3 OR (($4 = 0 OR extract(isodow FROM l.at) = $4) AND extract(hour FROM l.at) BETWEEN $5 AND $6)"        \
    " AS due,"                                                                                                 \
    " coalesce(d.metadata ->> 'status' = 'sent', false) AS sent,"                                              \
    " d.id IS NULL OR coalesce(" MAIL_LOG_FREE_SQL ", false) AS free"                                          \
    " FROM user_preferences AS p"                                                                              \
    " JOIN profiles AS u ON u.id = p.user_id"                                                                  \
    " CROSS JOIN LATERAL (SELECT CASE WHEN p.timezone = ANY ($7) THEN p.timezone"                              \
    " ELSE 'America/New_York' END AS zone) AS z"                                                               \
    " CROSS JOIN LATERAL (SELECT $1 AT TIME ZONE z.zone AS at) AS l"                                           \
    " CROSS JOIN LATERAL (SELECT to_char(l.at, $8) AS period) AS k"                                            \
    " CROSS JOIN LATERAL (SELECT md5($2 || ':' || p.user_id || ':' || k.period)::uuid AS id) AS i"             \
    " LEFT JOIN email_delivery_logs AS d ON d.id = i.id"                                                       \
    " WHERE p.email_notifications AND CASE $9 WHEN 'daily_reminders' THEN p.daily_reminders"                   \
    " WHEN 'weekly_reports' THEN p.weekly_reports ELSE p.market_updates END"                                   \
    " AND ($10::text IS NULL OR p.user_id > $10) AND ($11::text[] IS NULL OR p.user_id = ANY ($11))"           \
    " ORDER BY p.user_id LIMIT $12"

/* The first word of a name. */
static const char *first_name(edge_ctx *ctx, const char *full_name)
{
    const char *name = full_name != NULL ? text_trim(ctx, full_name) : "";
    return name[0] != '\0' ? edge_copy_bytes(ctx, name, strcspn(name, " \t\r\n\f\v")) : "there";
}

static void add_person(struct mail_page *page, const edge_rows *rows, size_t row)
{
    struct mail_person *person = &page->people[page->count];
    *person = (struct mail_person){
        .user = edge_rows_text(rows, row, "user_id"),
        .email = text_trim(page->ctx, edge_rows_text(rows, row, "email")),
        .first_name = first_name(page->ctx, edge_rows_text(rows, row, "full_name")),
        .zone = edge_rows_text(rows, row, "zone"),
        .day = edge_rows_text(rows, row, "day"),
        .period = edge_rows_text(rows, row, "period"),
        .log_id = edge_rows_text(rows, row, "log_id"),
    };
    page->users[page->count] = person->user;
    page->days[page->count] = person->day;
    page->zones[page->count] = person->zone;
    page->count++;
}

static void sort_out(struct mail_run *run, const edge_rows *rows, size_t row)
{
    const char *email = edge_rows_text(rows, row, "email");
    run->counts.considered++;
    if (!edge_rows_bool(rows, row, "due"))
        run->counts.not_due++;
    else if (email == NULL || text_trim(run->ctx, email)[0] == '\0')
        mail_skip(run, "no_email");
    else if (edge_rows_bool(rows, row, "sent"))
        run->counts.already_sent++;
    else if (!edge_rows_bool(rows, row, "free"))
        mail_skip(run, "claimed_elsewhere");
    else
        add_person(&run->page, rows, row);
}

bool mail_page_read(struct mail_run *run, const char **last)
{
    edge_ctx *ctx = run->ctx;
    const struct mail_kind *kind = run->kind;
    struct mail_page *page = &run->page;
    edge_rows *rows = edge_service_query(ctx, PAGE_SQL, edge_time(page->now_us), edge_text(kind->email_type),
        edge_bool(run->force), edge_int(kind->weekday), edge_int(kind->first_hour), edge_int(kind->last_hour),
        edge_texts(run->zones, run->zones_count), edge_text(kind->period_format), edge_text(kind->flag),
        edge_text(*last), run->only != NULL ? edge_texts(run->only, run->only_count) : edge_null(),
        edge_int(run->page_size));

    size_t count = edge_rows_count(rows);
    page->people = edge_alloc(ctx, (count + 1) * sizeof *page->people);
    page->users = edge_alloc(ctx, (count + 1) * sizeof *page->users);
    page->days = edge_alloc(ctx, (count + 1) * sizeof *page->days);
    page->zones = edge_alloc(ctx, (count + 1) * sizeof *page->zones);
    page->count = 0;
    for (size_t row = 0; row < count; row++)
        sort_out(run, rows, row);
    if (count > 0)
        *last = edge_rows_text(rows, count - 1, "user_id");
    return count == (size_t)run->page_size;
}
