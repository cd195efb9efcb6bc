/*
 * A mail that a user sends from an own account, whichever service it goes through: one input for
 * sendGoogleEmailTool and sendOutlookEmailTool.
 */
#ifndef LIB_OUTGOING_MAIL_H
#define LIB_OUTGOING_MAIL_H

#include <edge/edge.h>

#include "lib/address.h"

/* Input and check of both functions. */
extern const edge_field outgoing_mail_input[];
json_t *outgoing_mail_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value);

/* What both functions say of the mail. */
#define OUTGOING_MAIL_FIELDS                                                                                   \
    { "to", EDGE_TEXT, .required = true, .help = "As asked for, separated by commas" },                        \
        { "subject", EDGE_TEXT, .required = true, .help = "As asked for" },                                    \
    {                                                                                                          \
        "dryRun", EDGE_BOOL, .help = "true: nothing was sent"                                                  \
    }

struct outgoing_mail {
    struct addresses to, cc, bcc;
    const char *to_text; /* as the request has it; an array joined */
    const char *subject, *body;
    bool html, dry_run;
    const char *key; /* idempotency key, NULL without one */
};

/* Reads what has been checked; 400 naming "to" when there are more than 100 addresses. */
struct outgoing_mail outgoing_mail_read(edge_ctx *ctx, json_t *in);

/* For the log: addresses, subject and the body's size. */
json_t *outgoing_mail_summary(const struct outgoing_mail *mail);

#endif
