/*
 * Probes.
 *
 *   Resend      https://resend.com/docs/api-reference/domains/list-domains, .../errors (restricted_api_key)
 *   ElevenLabs  https://elevenlabs.io/docs/api-reference/voices/get-all
 *   Twilio      https://www.twilio.com/docs/iam/api/account
 *   OpenAI      https://platform.openai.com/docs/api-reference/models/list
 */
#include "lib/probe.h"

#include <string.h>

#include "lib/oauth_client.h"

enum {
    PROBE_MS = 5000,
    SLOW_MS = 2000,
};

const char *const integration_statuses[] = { "healthy", "degraded", "error", NULL };

static const struct probe {
    const char *key, *path;
    const char *variables[2]; /* without a value of which there is no call; for ElevenLabs either will do */
    const char *list;         /* member of the answer that is counted */
    const char *counted_as;   /* member of metadata */
} probes[] = {
    { "resend", "/domains", { "RESEND_API_KEY" }, "data", "domains" },
    { "elevenlabs", "/v1/voices", { "ELEVENLABS_API_KEY" }, "voices", "voices" },
    { "twilio", "/2010-04-01/Accounts.json?PageSize=1", { "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN" }, NULL,
        NULL },
    { "openai", "/v1/models", { "OPENAI_API_KEY" }, "data", "models" },
};

static const struct probe *find(const char *key)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
        if (strcmp(probes[i].key, key) == 0)
            return &probes[i];
    return NULL;
}

bool probe_is_live(const char *key)
{
    return find(key) != NULL;
}

static bool is_configured(edge_ctx *ctx, const struct probe *probe)
{
    if (strcmp(probe->key, "elevenlabs") == 0 && edge_env(ctx, "ELEVEN_LABS_API_KEY") != NULL)
        return true;
    for (size_t i = 0; i < 2 && probe->variables[i] != NULL; i++)
        if (edge_env(ctx, probe->variables[i]) == NULL)
            return false;
    return true;
}

static edge_reply *call(edge_ctx *ctx, const struct probe *probe)
{
    const char *basic = NULL;
    if (strcmp(probe->key, "twilio") == 0)
        basic = oauth_basic(ctx, edge_env(ctx, "TWILIO_ACCOUNT_SID"), edge_env(ctx, "TWILIO_AUTH_TOKEN"));
    const edge_header headers[] = { { "Accept", "application/json" },
        { basic != NULL ? "Authorization" : NULL, basic }, { 0 } };
    return edge_try_fetch(ctx, probe->key, .path = probe->path, .headers = headers,
        .timeout_ms = oauth_timeout_ms(ctx, PROBE_MS), .retries = -1);
}

/* A key that may only send answers 401 to everything else: it works. */
static bool is_send_only(const struct probe *probe, const edge_reply *reply)
{
    const char *name = edge_json_text(reply->json, "name");
    return strcmp(probe->key, "resend") == 0 && reply->status == 401 && name != NULL &&
           strcmp(name, "restricted_api_key") == 0;
}

static void read_answer(
    edge_ctx *ctx, const struct probe *probe, const edge_reply *reply, struct integration_state *state)
{
    bool send_only = is_send_only(probe, reply);
    if (reply->failure != EDGE_HTTP_OK) {
        state->error = reply->failure == EDGE_HTTP_TIMEOUT ? "Timed out" : "Connection failed";
        return;
    }
    if ((reply->status < 200 || reply->status >= 300) && !send_only) {
        state->error = edge_format(ctx, "HTTP %d", reply->status);
        return;
    }
    state->status = state->response_ms <= SLOW_MS ? "healthy" : "degraded";
    if (send_only)
        json_object_set_new(state->metadata, "restrictedKey", json_true());
    else if (probe->list != NULL)
        json_object_set_new(state->metadata, probe->counted_as,
            json_integer((json_int_t)json_array_size(json_object_get(reply->json, probe->list))));
}

/* The account's list also holds its key: its status is all that is looked at. */
static void read_account(edge_ctx *ctx, const edge_reply *reply, struct integration_state *state)
{
    const char *status = edge_json_text(json_array_get(json_object_get(reply->json, "accounts"), 0), "status");
    if (status == NULL)
        return;
    json_object_set_new(state->metadata, "accountStatus", json_string(status));
    if (strcmp(status, "active") != 0) {
        state->status = "degraded";
        state->error = edge_format(ctx, "Account %s", status);
    }
}

static void *run(edge_ctx *ctx, void *arg)
{
    const struct probe *probe = arg;
    bool twilio = strcmp(probe->key, "twilio") == 0;
    struct integration_state *state = edge_alloc(ctx, sizeof *state);
    *state = (struct integration_state){ .status = "error", .response_ms = -1, .metadata = json_object() };
    if (!is_configured(ctx, probe)) {
        state->error = twilio ? "Credentials not configured" : "API key not configured";
    } else {
        int64_t begun = edge_now_exact();
        edge_reply *reply = call(ctx, probe);
        state->response_ms = (edge_now_exact() - begun) / 1000;
        read_answer(ctx, probe, reply, state);
        if (twilio && strcmp(state->status, "error") != 0)
            read_account(ctx, reply, state);
    }
    state->last_checked = edge_iso_time(ctx, edge_now_exact());
    return state;
}

edge_task *probe_begin(edge_ctx *ctx, const char *key)
{
    return edge_spawn(ctx, run, (void *)find(key));
}
