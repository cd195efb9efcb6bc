/*
 * Phone calls that ElevenLabs makes for us.
 */
#include "lib/voice.h"

#include "lib/text.h"

#include <string.h>

enum {
    DIAL_MS = 20000,
    DIGITS_MIN = 10,
    DIGITS_MAX = 15,
    ERROR_MAX = 500,
};

void voice_require_key(edge_ctx *ctx)
{
    if (edge_env(ctx, "ELEVEN_LABS_API_KEY") == NULL)
        edge_env_required(ctx, "ELEVENLABS_API_KEY");
}

const char *voice_number(edge_ctx *ctx, const char *raw)
{
    char digits[DIGITS_MAX + 2];
    size_t count = 0;
    raw += strspn(raw, " \t\r\n");
    for (const char *c = raw; *c != '\0' && count <= DIGITS_MAX; c++)
        if (*c >= '0' && *c <= '9')
            digits[count++] = *c;
    digits[count] = '\0';
    if (count == DIGITS_MIN && raw[0] != '+')
        return edge_format(ctx, "+1%s", digits);
    if (count == DIGITS_MIN + 1 && digits[0] == '1')
        return edge_format(ctx, "+%s", digits);
    bool international = raw[0] == '+' && count >= DIGITS_MIN && count <= DIGITS_MAX;
    return international ? edge_format(ctx, "+%s", digits) : NULL;
}

bool voice_is_allowed(edge_ctx *ctx, const char *number)
{
    const char *codes = edge_env(ctx, "OUTBOUND_ALLOWED_COUNTRY_CODES");
    if (codes == NULL)
        codes = "1";
    for (size_t length; *codes != '\0'; codes += length) {
        codes += strspn(codes, ", +");
        length = strspn(codes, "0123456789");
        if (length > 0 && strncmp(number + 1, codes, length) == 0)
            return true;
        length = strcspn(codes, ",");
    }
    return false;
}

struct voice_config voice_config_of(const edge_rows *row)
{
    return (struct voice_config){
        .line_id = edge_rows_text(row, 0, "line_id"),
        .agent_id = edge_rows_text(row, 0, "agent_id"),
        .voice_id = edge_rows_text(row, 0, "voice_id"),
        .phone_number = edge_rows_text(row, 0, "phone_number"),
        .twilio_sid = edge_rows_text(row, 0, "twilio_sid"),
    };
}

void voice_set(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, name, json_string(text));
}

/* {"detail":{"message"}}, {"detail":[{"msg"}]}, {"detail":"…"}, or {"message"} of an answer that is no error.
 */
static const char *provider_words(const json_t *answer)
{
    const json_t *detail = json_object_get(answer, "detail");
    const char *words = edge_json_text(detail, "message");
    if (words == NULL)
        words = edge_json_text(json_array_get(detail, 0), "msg");
    if (words == NULL)
        words = json_string_value(detail);
    return words != NULL ? words : edge_json_text(answer, "message");
}

static const char *describe(edge_ctx *ctx, const edge_reply *reply)
{
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        return "ElevenLabs did not answer in time";
    if (reply->failure != EDGE_HTTP_OK)
        return "ElevenLabs could not be reached";
    const char *words = provider_words(reply->json);
    if (reply->status >= 200 && reply->status <= 299)
        return text_cut(ctx, words != NULL ? words : "ElevenLabs named no conversation", ERROR_MAX);
    return text_cut(ctx,
        edge_format(ctx, "HTTP %d%s%s", reply->status, words != NULL ? ": " : "", words != NULL ? words : ""),
        ERROR_MAX);
}

const struct voice_call *voice_dial(edge_ctx *ctx, const struct voice_order *order)
{
    edge_reply *reply = edge_try_fetch(ctx, VOICE_PROVIDER, .method = "POST",
        .path = "/v1/convai/twilio/outbound-call",
        .json = json_pack("{s:s, s:s, s:s, s:{s:O, s:O}}", "agent_id", order->agent_id, "agent_phone_number_id",
            order->line_id, "to_number", order->to, "conversation_initiation_client_data", "dynamic_variables",
            order->variables, "conversation_config_override", order->override),
        .timeout_ms = DIAL_MS, .retries = -1);

    struct voice_call *call = edge_alloc(ctx, sizeof *call);
    bool answered = reply->failure == EDGE_HTTP_OK, accepted = answered && reply->status / 100 == 2;
    const char *conversation = edge_json_text(reply->json, "conversation_id");
    call->started = accepted && edge_json_bool(reply->json, "success", true) && conversation != NULL &&
                    conversation[0] != '\0';
    call->conversation_id = conversation;
    call->call_sid = edge_json_text(reply->json, "callSid");
    call->message = edge_json_text(reply->json, "message");
    call->timed_out = reply->failure == EDGE_HTTP_TIMEOUT;
    call->status = answered ? reply->status : 0;
    call->retry_after_seconds = reply->retry_after_seconds;
    call->error = call->started ? NULL : describe(ctx, reply);
    return call;
}

const char *voice_call_focus(const char *call_type)
{
    static const struct {
        const char *word, *focus;
    } words[] = {
        { "seller", "seller_lead" },
        { "buyer", "buyer_lead" },
        { "expired", "expired_listing" },
        { "fsbo", "for_sale_by_owner" },
        { "for sale by owner", "for_sale_by_owner" },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasestr(call_type, words[i].word) != NULL)
            return words[i].focus;
    return NULL;
}
