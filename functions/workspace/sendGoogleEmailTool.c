/*
 * sendGoogleEmailTool: sends a mail from the user's Gmail account
 * (https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send).
 *
 * Three round trips to the database: the connection, the log's row, how it ended. A dry run is the first alone.
 */
#include <edge/edge.h>

#include "lib/mime.h"
#include "lib/outgoing_mail.h"
#include "lib/tool.h"

static const edge_field preview_fields[] = {
    { "raw", EDGE_TEXT, .required = true, .help = "The message in base64url, as Gmail takes it" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "messageId", EDGE_TEXT, .help = "Gmail's id; none with dryRun" },
    { "threadId", EDGE_TEXT, .help = "Gmail's conversation; none with dryRun" },
    { "wouldSend", EDGE_OBJECT, .fields = preview_fields, .help = "With dryRun only" },
    OUTGOING_MAIL_FIELDS,
    TOOL_MESSAGE_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static const char *raw_message(edge_ctx *ctx, const struct outgoing_mail *mail)
{
    struct text message = mime_write(ctx, &(const struct mime_message){
                                              .to = &mail->to,
                                              .cc = &mail->cc,
                                              .bcc = &mail->bcc,
                                              .subject = mail->subject,
                                              .body = mail->body,
                                              .html = mail->html,
                                          });
    return edge_base64url(ctx, text_value(&message), message.length);
}

static json_t *preview(const struct outgoing_mail *mail, const char *raw)
{
    return tool_answer(json_pack("{s:b, s:s, s:s, s:{s:s}, s:s}", "dryRun", 1, "to", mail->to_text, "subject",
        mail->subject, "wouldSend", "raw", raw, "message", "Nothing was sent: this is a preview"));
}

static json_t *send_google_email(edge_ctx *ctx, json_t *in)
{
    struct outgoing_mail mail = outgoing_mail_read(ctx, in);
    const char *raw = raw_message(ctx, &mail);

    struct tool *tool = tool_begin(ctx, "google_workspace");
    if (mail.dry_run)
        return preview(&mail, raw);
    json_t *done = tool_log(tool, &(const struct tool_work){ "sendGoogleEmail", mail.key, outgoing_mail_input,
                                      in, outgoing_mail_summary(&mail) });
    if (done != NULL)
        return tool_answer(done);

    json_t *sent =
        tool_call(tool, .provider = "gmail", .method = "POST", .path = "/gmail/v1/users/me/messages/send",
            .what = "Sending the mail", .json = json_pack("{s:s}", "raw", raw), .id = "id");
    const char *thread = edge_json_text(sent, "threadId");
    return tool_succeed(tool,
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "messageId", edge_json_text(sent, "id"), "threadId",
            thread != NULL ? thread : edge_json_text(sent, "id"), "to", mail.to_text, "subject", mail.subject,
            "message", edge_format(ctx, "Sent the mail \"%s\"", mail.subject)),
        NULL);
}

EDGE_FUNCTION(sendGoogleEmailTool,
    .summary = "Sends a mail from the user's Gmail account",
    .input = outgoing_mail_input,
    .check = outgoing_mail_check,
    .output = output,
    .shape = &tool_shape,
    .handle = send_google_email);
