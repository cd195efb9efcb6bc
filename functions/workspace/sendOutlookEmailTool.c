/*
 * sendOutlookEmailTool: sends a mail from the user's Microsoft 365 mailbox
 * (https://learn.microsoft.com/en-us/graph/api/user-sendmail).
 *
 * Three round trips to the database: the connection, the log's row, how it ended. A dry run is the first alone.
 */
#include <edge/edge.h>

#include "lib/outgoing_mail.h"
#include "lib/tool.h"

static const edge_field data_fields[] = {
    OUTGOING_MAIL_FIELDS,
    { "wouldSend", EDGE_OBJECT, .help = "With dryRun only: the message as Graph takes it" },
    TOOL_MESSAGE_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static void set_recipients(json_t *message, const char *member, const struct addresses *list)
{
    json_t *recipients = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_t *address = json_pack("{s:s}", "address", list->items[i].address);
        if (list->items[i].name != NULL)
            json_object_set_new(address, "name", json_string(list->items[i].name));
        json_array_append_new(recipients, json_pack("{s:o}", "emailAddress", address));
    }
    if (list->count > 0)
        json_object_set_new(message, member, recipients);
}

static json_t *request_body(const struct outgoing_mail *mail)
{
    json_t *message = json_pack("{s:s, s:{s:s, s:s}}", "subject", mail->subject, "body", "contentType",
        mail->html ? "HTML" : "Text", "content", mail->body);
    set_recipients(message, "toRecipients", &mail->to);
    set_recipients(message, "ccRecipients", &mail->cc);
    set_recipients(message, "bccRecipients", &mail->bcc);
    return json_pack("{s:o, s:b}", "message", message, "saveToSentItems", 1);
}

static json_t *preview(const struct outgoing_mail *mail, json_t *request)
{
    return tool_answer(json_pack("{s:b, s:s, s:s, s:o, s:s}", "dryRun", 1, "to", mail->to_text, "subject",
        mail->subject, "wouldSend", request, "message", "Nothing was sent: this is a preview"));
}

static json_t *send_outlook_email(edge_ctx *ctx, json_t *in)
{
    struct outgoing_mail mail = outgoing_mail_read(ctx, in);
    json_t *request = request_body(&mail);

    struct tool *tool = tool_begin(ctx, "microsoft_365");
    if (mail.dry_run)
        return preview(&mail, request);
    json_t *done = tool_log(tool, &(const struct tool_work){ "sendOutlookEmail", mail.key, outgoing_mail_input,
                                      in, outgoing_mail_summary(&mail) });
    if (done != NULL)
        return tool_answer(done);

    /* 202 without a body: Graph gives no message id. */
    tool_call(tool, .provider = "microsoft_graph", .method = "POST", .path = "/v1.0/me/sendMail",
        .what = "Sending the mail", .json = request, .any_answer = true);
    return tool_succeed(tool,
        json_pack("{s:s, s:s, s:s}", "message", edge_format(ctx, "Sent the mail \"%s\"", mail.subject), "to",
            mail.to_text, "subject", mail.subject),
        NULL);
}

EDGE_FUNCTION(sendOutlookEmailTool,
    .summary = "Sends a mail from the user's Microsoft 365 mailbox",
    .input = outgoing_mail_input,
    .check = outgoing_mail_check,
    .output = output,
    .shape = &tool_shape,
    .handle = send_outlook_email);
