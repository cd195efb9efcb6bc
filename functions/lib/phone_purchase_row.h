/*
 * The rows of a purchase: the audit row in ai_actions_log, whose key makes it happen once, and the voice
 * config. Written as the service, always for one user.
 */
#ifndef LIB_PHONE_PURCHASE_ROW_H
#define LIB_PHONE_PURCHASE_ROW_H

#include "lib/phone_purchase.h"

/* What is to be done for a row that this invocation has taken. */
enum phone_step {
    PHONE_BUY,
    PHONE_SETTLE, /* an earlier attempt was cut off: it may have bought the number */
    PHONE_IMPORT, /* bought, not imported */
    PHONE_REPLAY, /* nothing: answer what is stored */
};

struct phone_purchase {
    edge_ctx *ctx;
    const char *function, *user;
    const char *id; /* of the audit row */
    const char *number;
    const char *sid;        /* Twilio's, once it is known */
    const char *line_id;    /* ElevenLabs's, once it is known */
    const char *agent_id;   /* that answers the number; may be NULL */
    const json_t *response; /* stored */
    enum phone_step step;
    bool tried;  /* an earlier attempt asked Twilio */
    bool others; /* a row of another key, to be settled before this one's can be opened */
};

/* Takes the row of the wish, or one that is in its way, or ends the invocation. */
struct phone_purchase phone_purchase_open(edge_ctx *ctx, const char *user, const struct phone_wish *wish);

/* Notes what Twilio sold. Helps the next attempt only, so a failure is no matter. */
void phone_purchase_note(const struct phone_purchase *purchase);

/* Nothing was bought. */
void phone_purchase_fail(const struct phone_purchase *purchase, const char *reason);

/* Writes config and answer together. When that fails again and again: 500 "config_write_failed". */
void phone_purchase_finish(const struct phone_purchase *purchase, const json_t *response);

#endif
