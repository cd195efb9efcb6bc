/*
 * What ElevenLabs tells about a call (spec events.md, elevenLabsWebhook): the real service's events, and the
 * flat ones of older senders, whose top-level members go first.
 * https://elevenlabs.io/docs/eleven-agents/workflows/post-call-webhooks
 */
#ifndef LIB_CALL_EVENT_H
#define LIB_CALL_EVENT_H

#include <edge/edge.h>

enum call_event_kind {
    CALL_UNKNOWN, /* a type that is not acted on */
    CALL_TRANSCRIPTION,
    CALL_AUDIO,
    CALL_INITIATION_FAILURE,
    CALL_INITIATION_METADATA,
    CALL_UPDATE,
};

struct call_event {
    enum call_event_kind kind;
    json_t *event, *data; /* data may be NULL */
    const char *event_id;
    const char *conversation_id; /* NULL of an unknown kind only */
    const char *call_sid;        /* NULL: not told */
    json_t *variables;           /* dynamic_variables of the call, may be NULL */
    json_t *meta;                /* metadata, empty when there is none */
    int64_t seconds, minutes;    /* begun minutes */
};

/*
 * Reads the delivery; without updates "conversation_update" is unknown. 400 "invalid_json"; 400
 * "invalid_payload" without a type, or without a conversation where there has to be one.
 */
struct call_event call_event_read(edge_ctx *ctx, bool updates);

/* Whether the call itself failed. */
bool call_event_failed(const struct call_event *event);

/* The transcript, [] without one. */
EDGE_RETURNS_NONNULL json_t *call_event_transcript(const struct call_event *event);

/* When the call ended: its start and length, else now. Unix time in microseconds. */
int64_t call_event_end(edge_ctx *ctx, const struct call_event *event);

/* What initiation metadata and updates are kept as: data, else metadata. */
EDGE_RETURNS_NONNULL json_t *call_event_details(const struct call_event *event);

/* Why a call did not begin, and the details, as members of a row's metadata. */
EDGE_RETURNS_NONNULL json_t *call_event_failure(const struct call_event *event);

/*
 * Stores the recording as audio/mpeg at path of bucket audio-recordings. False when there is none. 400
 * "invalid_audio", 502 "storage_failed".
 */
bool call_event_keep_audio(edge_ctx *ctx, const struct call_event *event, const char *path);

/* SQL: whether a row is the event's. $1 conversation; $2 and $3 the id and the user that the call was started
 * with. */
#define CALL_EVENT_ROW                                                                                         \
    " WHERE conversation_id = $1"                                                                              \
    " OR (id = CASE WHEN $2 ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN $2::uuid END AND user_id = " \
    "$3)"                                                                                                      \
    " ORDER BY conversation_id = $1 DESC NULLS LAST LIMIT 1"

#endif
