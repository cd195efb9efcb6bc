/*
 * The log of mails (email_delivery_logs), which also decides that each goes out once: a mail's id is made of
 * what it is about, its row is claimed before it is sent (spec events.md S6 steps 6 and 8).
 */
#ifndef LIB_MAIL_LOG_H
#define LIB_MAIL_LOG_H

#include <edge/edge.h>

/* Whether a row d may be taken over: it failed in a way that may pass, or whoever had it is gone. */
#define MAIL_LOG_FREE_SQL                                                                                      \
    "(d.metadata ->> 'status' = 'failed' AND d.metadata ->> 'permanent' IS DISTINCT FROM 'true'"               \
    " AND coalesce((d.metadata ->> 'attempts')::integer, 1) < 5"                                               \
    " OR d.metadata ->> 'status' = 'sending'"                                                                  \
    " AND (d.metadata ->> 'claimedAt')::timestamptz < now() - interval '15 minutes')"

/*
 * Claims a mail, answering one row when it is this invocation's. $1 id, $2 user or NULL, $3 email_type,
 * $4 template_key or NULL, $5 further metadata.
 */
#define MAIL_LOG_CLAIM_SQL                                                                                     \
    "INSERT INTO email_delivery_logs AS d (id, user_id, email_type, template_key, sent_at, metadata)"          \
    " VALUES ($1, $2, $3, $4, NULL, $5 || jsonb_build_object('status', 'sending', 'attempts', 1,"              \
    " 'claimedAt', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')))"                   \
    " ON CONFLICT (id) DO UPDATE"                                                                              \
    " SET metadata = d.metadata || (EXCLUDED.metadata - 'attempts')"                                           \
    " || jsonb_build_object('attempts', coalesce((d.metadata ->> 'attempts')::integer, 1) + 1)"                \
    " WHERE " MAIL_LOG_FREE_SQL " RETURNING d.id"

/* The mail has gone out. id: the provider's, NULL when it is not known; more is merged into the metadata. */
void mail_log_sent(edge_ctx *ctx, const char *log_id, const char *id, const json_t *more);

/* It has not; permanent: the same again would fail again. */
void mail_log_failed(edge_ctx *ctx, const char *log_id, bool permanent, const char *error);

#endif
