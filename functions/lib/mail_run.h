/*
 * A scheduled mail run (spec events.md S6): daily, weekly and market mails go through it, each user's once a
 * period, however often, wherever and how many at once it is started.
 *
 * A kind says who gets the mail when, and fills it; the run pages through the users, claims, throttles, sends
 * and counts. What a page's mails are made of is read for the whole page at once.
 */
#ifndef LIB_MAIL_RUN_H
#define LIB_MAIL_RUN_H

#include <edge/edge.h>

#include "lib/mail_layout.h"

/* One user of a page who is to get a mail. */
struct mail_person {
    const char *user, *email, *first_name;
    const char *zone;   /* the user's time zone, one that PostgreSQL knows */
    const char *day;    /* the local date, YYYY-MM-DD */
    const char *period; /* for which there is one mail */
    const char *log_id;
};

struct mail_page {
    edge_ctx *ctx;
    int64_t now_us; /* the run's instant */
    bool dry;       /* nothing may be fetched from outside */
    struct mail_person *people;
    size_t count;
    const char **users, **days, **zones; /* of the people, as parameters */
    void *data;                          /* what .read has read */
    json_t *memory;                      /* of the run: an object that .read may use from page to page */
};

struct mail_kind {
    const char *function;          /* name; also of the lease that keeps runs apart */
    const char *email_type, *flag; /* flag: column of user_preferences */
    const char *template_key;
    int weekday;                      /* ISO, 0: every day */
    int first_hour, last_hour;        /* local */
    const char *period_format;        /* of to_char, from the local date */
    const char *button, *button_path; /* of the built-in layout */
    const char *reason;
    /* Reads what the page's mails are made of. */
    void (*read)(struct mail_page *page);
    /* Fills the mail of people[i]; or says why there is none, a code. */
    const char *(*compose)(struct mail_page *page, size_t i, struct mail_content *content);
};

/* Input and output of the functions. */
extern const edge_field mail_run_input[], mail_run_output[];

/* The function's whole answer. */
EDGE_RETURNS_NONNULL json_t *mail_run(edge_ctx *ctx, const json_t *in, const struct mail_kind *kind);

/*
 * Statement for the goals of a page: $1 are the users. One row a user, in their order: lines, a text[] of at
 * most five.
 */
#define MAIL_GOALS_SQL                                                                                         \
    "SELECT ARRAY("                                                                                            \
    "SELECT regexp_replace(g.title, '\\s+', ' ', 'g') || CASE"                                                 \
    " WHEN g.target_value > 0 AND g.current_value IS NOT NULL"                                                 \
    " THEN ': ' || least(greatest(round(100 * g.current_value / g.target_value), 0), 100) || '% complete'"     \
    " ELSE '' END"                                                                                             \
    " FROM goals AS g WHERE g.user_id = u.user_id AND g.status = 'active'"                                     \
    " ORDER BY g.deadline NULLS LAST, g.created_at LIMIT 5) AS lines"                                          \
    " FROM unnest($1) WITH ORDINALITY AS u (user_id, place) ORDER BY u.place"

/* An array of texts as lines; none when it is empty or NULL. */
EDGE_RETURNS_NONNULL const char *mail_lines(
    edge_ctx *ctx, const edge_rows *rows, size_t row, const char *column, const char *none);

/* "up", "down" or "flat". */
const char *mail_trend(int64_t before, int64_t after);

#endif
