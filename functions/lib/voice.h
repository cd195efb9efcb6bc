/*
 * Phone calls that ElevenLabs makes for us (spec events.md S4, S8 step 3, S10): numbers, a user's phone line,
 * and one outbound call.
 */
#ifndef LIB_VOICE_H
#define LIB_VOICE_H

#include <edge/edge.h>

#define VOICE_PROVIDER "elevenlabs"

/* Ends the invocation with 503 "not_configured" unless ElevenLabs's key is set, under either of its names. */
void voice_require_key(edge_ctx *ctx);

/* A number as E.164; NULL when raw cannot be one. Ten digits are North American. */
const char *voice_number(edge_ctx *ctx, const char *raw);

/* Whether a number's country may be called: OUTBOUND_ALLOWED_COUNTRY_CODES, separated by commas, default 1. */
bool voice_is_allowed(edge_ctx *ctx, const char *number);

/* A user's line and defaults; each may be NULL. */
struct voice_config {
    const char *line_id; /* ElevenLabs's id of the number that calls */
    const char *agent_id, *voice_id;
    const char *phone_number, *twilio_sid;
};

/* Statement that reads them in one row; $1 is the user. Every value is looked for in the row of sales_agent
 * first. */
#define VOICE_CONFIG_SQL                                                                                       \
    "SELECT coalesce((array_agg(line ORDER BY place, updated_at DESC) FILTER (WHERE line <> ''))[1],"          \
    " (array_agg(old_line ORDER BY place, updated_at DESC) FILTER (WHERE old_line <> ''))[1]) AS line_id,"     \
    " (array_agg(agent ORDER BY place, updated_at DESC) FILTER (WHERE agent <> ''))[1] AS agent_id,"           \
    " coalesce((array_agg(voice ORDER BY place, updated_at DESC) FILTER (WHERE voice <> ''))[1],"              \
    " max(own_voice) FILTER (WHERE own_voice <> '')) AS voice_id,"                                             \
    " (array_agg(number ORDER BY place, updated_at DESC) FILTER (WHERE number <> ''))[1] AS phone_number,"     \
    " (array_agg(sid ORDER BY place, updated_at DESC) FILTER (WHERE sid <> ''))[1] AS twilio_sid"              \
    " FROM (SELECT agent_type <> 'sales_agent' AS place, updated_at, eleven_labs_phone_number_id AS line,"     \
    " settings ->> 'eleven_labs_twilio_number_id' AS old_line, eleven_labs_agent_id AS agent,"                 \
    " eleven_labs_voice_id AS voice, CASE WHEN agent_type = 'sales_agent' THEN voice_id END AS own_voice,"     \
    " settings ->> 'twilio_phone_number' AS number, settings ->> 'twilio_sid' AS sid"                          \
    " FROM agent_config WHERE user_id = $1) AS c"
struct voice_config voice_config_of(const edge_rows *row);

/* One call; the objects are sent as they are, so variables hold scalars only. */
struct voice_order {
    const char *agent_id, *line_id, *to;
    const json_t *variables, *override;
};

struct voice_call {
    bool started;
    const char *conversation_id, *call_sid, *message; /* of a call that was started; the last two may be NULL */
    bool timed_out;                                   /* no answer in time: the phone may be ringing */
    int status;                                       /* of an answer that started nothing, else 0 */
    int retry_after_seconds;
    const char *error; /* of a call that was not started: the provider's words, or what broke; for us */
};

/* Orders a call and waits for ElevenLabs to take it, 20 s at most. Whatever goes wrong is in the result. */
EDGE_RETURNS_NONNULL const struct voice_call *voice_dial(edge_ctx *ctx, const struct voice_order *order);

/* What a sales call is about by its type in people's words: "seller_lead", "buyer_lead", … or NULL. */
const char *voice_call_focus(const char *call_type);

/* Adds a member unless the text is NULL or empty. */
void voice_set(json_t *object, const char *name, const char *text);

#endif
