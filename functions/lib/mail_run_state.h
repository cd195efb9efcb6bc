/*
 * A run while it goes on: what mail_run, its pages and its deliveries share.
 */
#ifndef LIB_MAIL_RUN_STATE_H
#define LIB_MAIL_RUN_STATE_H

#include "lib/mail_run.h"
#include "lib/resend.h"

enum {
    MAIL_LISTED_MAX = 50, /* failures and previews that are told */
};

struct mail_counts {
    int64_t sent, failed, skipped, already_sent, not_due, considered;
    json_t *skipped_reasons, *failures, *preview;
};

struct mail_run {
    edge_ctx *ctx;
    const struct mail_kind *kind;
    const json_t *in;
    struct mail_layout layout;
    struct resend_pace pace;
    const char *const *zones; /* that PostgreSQL knows and users have */
    size_t zones_count;
    const char **only; /* users it is for; NULL: all */
    size_t only_count;
    int64_t page_size;
    int64_t ends_us; /* no claim after it */
    bool force, dry, has_more;
    struct mail_counts counts;
    struct mail_page page;
    size_t next; /* of the page's people */
};

/* Counts a user who gets no mail now. */
void mail_skip(struct mail_run *run, const char *code);

/* Reads the page behind a user (NULL: the first). False when there are no more behind it; *last is its last. */
bool mail_page_read(struct mail_run *run, const char **last);

/* Sends the page's mails, four at a time; or lists them, in a dry run. */
void mail_page_deliver(struct mail_run *run);

#endif
