/*
 * elevenLabsTTS: speech, as base64 in JSON or as the bytes themselves while they come. One round trip to the
 * database when the voice is an agent's.
 */
#include <edge/edge.h>

#include <string.h>
#include <strings.h>

#include "lib/persona_voice.h"
#include "lib/speech.h"

static const char *const agent_types[] = { "executive_assistant", "content_agent", "transaction_coordinator",
    "lead_concierge", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "text", EDGE_TEXT, .min = 1, .max = 5000, .required = true, .help = "What is said" },
    { "persona", EDGE_TEXT, .min = 0, .max = 4000, .help = "Who says it; chooses a voice" },
    { "voiceId", EDGE_TEXT, .help = "A voice of ElevenLabs, 10 to 40 letters and digits" },
    { "agentType", EDGE_ENUM, .values = agent_types, .help = "The user's agent whose voice it is" },
    { "stream", EDGE_BOOL, .help = "Answer with the bytes as they come" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "audioBase64", EDGE_TEXT, .required = true, .help = "The recording in base64" },
    { "audioData", EDGE_TEXT, .required = true, .help = "The same" },
    { "mimeType", EDGE_TEXT, .required = true, .help = "audio/mpeg" },
    { "voiceId", EDGE_TEXT, .required = true, .help = "Whose voice it is, at ElevenLabs" },
    { 0 },
};

/* Every failure that is not the caller's tells the page to go on in text. */
static const edge_shape shape = { .success_false = true };

static void check_voice(edge_ctx *ctx, const char *id)
{
    if (id != NULL && !persona_voice_is_id(id))
        edge_fail_with(ctx, 400, "invalid_input", .message = "voiceId must be 10 to 40 letters and digits",
            .field = "voiceId");
}

/* The voice that the user has given to the agent, NULL without one. */
static const char *agent_voice(edge_ctx *ctx, const char *agent_type)
{
    if (agent_type == NULL)
        return NULL;
    edge_rows *config =
        edge_query(ctx, "SELECT voice_id FROM agent_config WHERE agent_type = $1", edge_text(agent_type));
    const char *id = edge_rows_count(config) > 0 ? edge_rows_text(config, 0, "voice_id") : NULL;
    return id != NULL && persona_voice_is_id(id) ? id : NULL;
}

static const char *choose_voice(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "voiceId");
    if (id != NULL)
        return id;
    id = agent_voice(ctx, edge_json_text(in, "agentType"));
    return id != NULL ? id : persona_voice(ctx, edge_json_text(in, "persona"));
}

/* The bytes as they come. Supabase's client reads what it does not know as text, so the type is named on
 * demand. */
static json_t *pass_on(edge_ctx *ctx, edge_reply *reply, bool named)
{
    size_t length;
    const void *piece = edge_reply_read(ctx, reply, &length);
    if (piece == NULL)
        speech_fail(ctx, reply);
    edge_stream_begin(ctx, 200, named ? "audio/mpeg" : "application/octet-stream");
    for (; piece != NULL; piece = edge_reply_read(ctx, reply, &length))
        edge_stream_bytes(ctx, piece, length);
    if (reply->failure != EDGE_HTTP_OK)
        edge_stream_abort(ctx); /* a whole answer that is not whole would be played as if it were */
    return NULL;
}

static json_t *speak(edge_ctx *ctx, json_t *in)
{
    const char *accept = edge_request_header(ctx, "accept");
    bool named = accept != NULL && strcasestr(accept, "audio/mpeg") != NULL;
    bool stream = named || edge_json_bool(in, "stream", false);
    check_voice(ctx, edge_json_text(in, "voiceId"));
    speech_require_key(ctx);
    const char *voice = choose_voice(ctx, in);

    edge_reply *reply = speech_ask(ctx, voice, edge_json_text(in, "text"), stream);
    if (stream)
        return pass_on(ctx, reply, named);

    edge_reply_finish(ctx, reply);
    if (reply->failure != EDGE_HTTP_OK || reply->length == 0)
        speech_fail(ctx, reply);
    const char *audio = edge_base64(ctx, reply->body, reply->length);
    return json_pack("{s:b, s:s, s:s, s:s, s:s}", "success", 1, "audioBase64", audio, "audioData", audio,
        "mimeType", "audio/mpeg", "voiceId", voice);
}

EDGE_FUNCTION(elevenLabsTTS,
    .summary = "Speech for a text, whole or as a stream of audio",
    .input = input,
    .output = output,
    .handle = speak,
    .shape = &shape,
    .streams = true,
    .trims = true,
    .produces = "application/json audio/mpeg application/octet-stream");
