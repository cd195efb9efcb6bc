/*
 * Role-play calls: may this user, and the call. Sessions and credits are role_play_session.c.
 */
#include "lib/role_play.h"

#include "lib/plan.h"
#include "lib/role_play_session.h"
#include "lib/voice.h"

#include <string.h>

const edge_shape role_play_shape = { .success_false = true };

/* What is read before anything is decided, in one round trip. */
enum {
    SCENARIO,
    CONFIG,
    PROFILE,
    READS
};

static const char *first_text(const char *a, const char *b, const char *c)
{
    if (a != NULL && a[0] != '\0')
        return a;
    return b != NULL && b[0] != '\0' ? b : c;
}

static void read_rows(edge_ctx *ctx, edge_rows **rows, const char *user, const char *scenario_id)
{
    edge_query_batch(ctx, rows,
        EDGE_SQL("SELECT id, name, client_persona, initial_context, is_premium, eleven_labs_agent_id,"
                 " eleven_labs_phone_number_id, eleven_labs_voice_id, first_message_override"
                 " FROM role_play_scenarios WHERE id = $1 AND is_active",
            edge_uuid(scenario_id)),
        EDGE_SQL(VOICE_CONFIG_SQL, edge_text(user)),
        EDGE_SQL(
            "SELECT full_name, email, phone, subscription_tier FROM profiles WHERE id = $1", edge_text(user)));
}

static const char *profile_text(edge_rows *const *rows, const char *column)
{
    return edge_rows_count(rows[PROFILE]) > 0 ? edge_rows_text(rows[PROFILE], 0, column) : NULL;
}

/* The user's own number. No calls to others at our cost: what the page believes must be the same one. */
static const char *own_number(edge_ctx *ctx, const char *stored, const char *believed)
{
    const char *number = stored != NULL ? voice_number(ctx, stored) : NULL;
    const char *other = believed != NULL ? voice_number(ctx, believed) : NULL;
    if (number != NULL && other != NULL && strcmp(number, other) != 0)
        edge_fail(ctx, 403, "phone_mismatch", "The phone number is not the one of the profile");
    return number;
}

static struct role_play_call read_call(edge_ctx *ctx, const struct role_play_order *order)
{
    edge_rows *rows[READS];
    const char *user = edge_auth_user(ctx);
    read_rows(ctx, rows, user, order->scenario_id);

    const char *number = own_number(ctx, profile_text(rows, "phone"), order->phone);
    if (edge_rows_count(rows[SCENARIO]) == 0)
        edge_fail(ctx, 404, "scenario_not_found", "Scenario \"%s\" does not exist", order->scenario_id);
    bool paid = tier_is_paid(profile_text(rows, "subscription_tier"));
    if (edge_rows_bool(rows[SCENARIO], 0, "is_premium") && !paid)
        edge_fail(ctx, 402, "premium_required", "This scenario is for subscribers");
    if (number == NULL || !voice_is_allowed(ctx, number))
        edge_fail(ctx, 422, "phone_required", "The profile needs a phone number that can be called");

    const edge_rows *scenario = rows[SCENARIO];
    struct voice_config config = voice_config_of(rows[CONFIG]);
    struct role_play_call call = {
        .user = user,
        .scenario_id = order->scenario_id,
        .scenario_name = edge_rows_text(scenario, 0, "name"),
        .client_persona = edge_rows_text(scenario, 0, "client_persona"),
        .initial_context = edge_rows_text(scenario, 0, "initial_context"),
        .first_message = edge_rows_text(scenario, 0, "first_message_override"),
        .full_name = profile_text(rows, "full_name"),
        .email = profile_text(rows, "email"),
        .to = number,
        .is_paid_tier = paid,
        .line_id = first_text(edge_rows_text(scenario, 0, "eleven_labs_phone_number_id"), config.line_id, NULL),
        .agent_id = first_text(edge_rows_text(scenario, 0, "eleven_labs_agent_id"), config.agent_id,
            edge_env(ctx, "ELEVEN_LABS_DEFAULT_AGENT_ID")),
        .voice_id = first_text(edge_rows_text(scenario, 0, "eleven_labs_voice_id"), config.voice_id,
            edge_env(ctx, "ELEVEN_LABS_DEFAULT_VOICE_ID")),
    };
    if (call.line_id == NULL)
        edge_fail(ctx, 409, "voice_line_missing", "No phone line is set up for calls");
    if (call.agent_id == NULL)
        edge_fail(ctx, 409, "voice_agent_missing", "No agent is set up for calls");
    return call;
}

static json_t *variables_of(edge_ctx *ctx, const struct role_play_call *call, const char *session_id)
{
    json_t *variables = json_object();
    voice_set(variables, "user_id", call->user);
    voice_set(variables, "user_email", call->email);
    voice_set(variables, "session_id", session_id);
    voice_set(variables, "scenario_id", call->scenario_id);
    voice_set(variables, "scenario_name", call->scenario_name);
    voice_set(variables, "client_persona", call->client_persona);
    voice_set(variables, "initial_context", call->initial_context);
    voice_set(variables, "agent_full_name", call->full_name);
    voice_set(variables, "started_at", edge_iso_time(ctx, edge_now(ctx)));
    return variables;
}

static json_t *override_of(const struct role_play_call *call)
{
    json_t *override = json_pack("{s:{s:s}}", "agent", "language", "en");
    voice_set(json_object_get(override, "agent"), "first_message", call->first_message);
    if (call->voice_id != NULL)
        json_object_set_new(override, "tts", json_pack("{s:s}", "voice_id", call->voice_id));
    return override;
}

/* Ends the invocation for a call that ElevenLabs did not take; the session has been settled. */
EDGE_NORETURN static void fail_call(edge_ctx *ctx, const struct voice_call *call)
{
    edge_log(ctx, EDGE_LOG_WARN, "role_play_call_failed", { "status", edge_int(call->status) },
        { "error", edge_text(call->error) });
    if (call->timed_out)
        edge_fail(ctx, 504, "voice_provider_timeout", "The voice provider did not answer in time");
    if (call->status == 429)
        edge_fail_with(ctx, 429, "provider_rate_limited",
            .message = "The voice provider is asked too often, try again in a moment",
            .retry_after_seconds = call->retry_after_seconds);
    if (call->status == 401 || call->status == 403)
        edge_fail(
            ctx, 503, "voice_provider_unauthorized", "The voice provider does not accept this server's key");
    if (call->status >= 400 && call->status < 500)
        edge_fail(ctx, 422, "call_rejected", "The voice provider refused this call");
    edge_fail(ctx, 502, "voice_provider_failed", "The voice provider failed to start the call");
}

json_t *role_play_start(edge_ctx *ctx, const struct role_play_order *order)
{
    voice_require_key(ctx);
    struct role_play_call call = read_call(ctx, order);
    struct role_play_session session = role_play_open(ctx, &call, order);
    if (session.replay != NULL)
        return session.replay;

    json_t *variables = variables_of(ctx, &call, session.id), *override = override_of(&call);
    const struct voice_call *dialled = voice_dial(ctx, &(const struct voice_order){
                                                           .agent_id = call.agent_id,
                                                           .line_id = call.line_id,
                                                           .to = call.to,
                                                           .variables = variables,
                                                           .override = override,
                                                       });
    role_play_note(ctx, session.id, dialled,
        json_pack("{s:O, s:O}", "dynamic_variables", variables, "conversation_override", override));
    if (!dialled->started)
        fail_call(ctx, dialled);
    return role_play_answer(session.id, dialled->conversation_id, dialled->call_sid,
        dialled->message != NULL ? dialled->message : "The call has been started");
}
