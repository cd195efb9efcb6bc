/*
 * The log of mails.
 */
#include "lib/mail_log.h"

void mail_log_sent(edge_ctx *ctx, const char *log_id, const char *id, const json_t *more)
{
    json_t *patch = json_pack("{s:s, s:s?}", "status", "sent", "providerMessageId", id);
    json_object_update(patch, (json_t *)more);
    edge_service_query(ctx,
        "UPDATE email_delivery_logs SET sent_at = now(), metadata = metadata - 'lastError' || $2 WHERE id = $1",
        edge_uuid(log_id), edge_json(patch));
    json_decref(patch);
}

void mail_log_failed(edge_ctx *ctx, const char *log_id, bool permanent, const char *error)
{
    json_t *patch =
        json_pack("{s:s, s:b, s:s}", "status", "failed", "permanent", permanent, "lastError", error);
    edge_service_query(ctx, "UPDATE email_delivery_logs SET metadata = metadata || $2 WHERE id = $1",
        edge_uuid(log_id), edge_json(patch));
    json_decref(patch);
}
