/*
 * identify: answers "who is this?" for requests given as JSON lines on stdin, one JSON line each on stdout,
 * with the host's own code and without a host. The conformance tests of tokens and webhooks drive it.
 *
 * In:  { "auth": { "issuer", "jwksUrl", "jwtKey", "authorizedParties", "clockSkewMs", "serviceKey" },
 *        "mode": "user", "secretVariable": "…", "env": {…}, "headers": {…}, "body": "…", "nowMs": 1773144000000
 * } auth stays in force until a line brings another one; nowMs defaults to the real time. Out: { "status": 200,
 * "caller", "user", "session", "organisation", "orgRole", "claims" }, or { "status", "code", "message",
 * "detail" }.
 */
#include <http/auth.h>
#include <http/jwks.h>
#include <http/token_system.h>

#include <http.h>

#include <edge/auth.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAIRS_MAX = 32
};

static struct ev_loop *loop;
static struct function_config function;
static json_t *answer;
static json_t *current_auth;

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static enum auth_mode mode_of(const char *name)
{
    static const char *const names[] = { "public", "user", "optional", "admin", "service", "user_or_service" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum auth_mode)i;
    return AUTH_WEBHOOK;
}

static void pairs_of(const json_t *object, edge_header pairs[PAIRS_MAX + 1])
{
    size_t count = 0;
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach((json_t *)object, key, value) if (count < PAIRS_MAX) pairs[count++] =
        (edge_header){ key, json_string_value(value) };
    pairs[count] = (edge_header){ 0 };
}

static void identify_main(edge_ctx *ctx)
{
    static const char *const callers[] = { "nobody", "user", "service", "webhook" };
    auth_identify(ctx, &function);
    json_t *claims = json_deep_copy(edge_auth_claims(ctx));
    json_t *found = json_pack("{s:i, s:s, s:s?, s:s?, s:s?, s:s?, s:o}", "status", 200, "caller",
        callers[edge_auth_caller(ctx)], "user", edge_auth_try_user(ctx), "session", edge_auth_session(ctx),
        "organisation", edge_auth_organisation(ctx), "orgRole", edge_auth_org_role(ctx), "claims", claims);

    /* The answer outlives the invocation. */
    struct arena *arena = arena_enter(NULL);
    answer = json_deep_copy(found);
    arena_enter(arena);
}

static void identify_finished(edge_ctx *ctx)
{
    const struct failure *failure = ctx->failure;
    if (failure != NULL)
        answer = json_pack("{s:i, s:s, s:s?, s:s?}", "status", failure->status, "code", failure->code,
            "message", failure->said.message, "detail", failure->detail);
    ev_break(loop, EVBREAK_ONE);
}

static void identify(const json_t *line)
{
    static const struct context_ops ops = { .main = identify_main, .finished = identify_finished };
    static edge_header headers[PAIRS_MAX + 1], env[PAIRS_MAX + 1];
    pairs_of(json_object_get(line, "headers"), headers);
    pairs_of(json_object_get(line, "env"), env);
    const char *mode = text_of(line, "mode");
    function = (struct function_config){ .name = "identify", .auth = mode_of(mode) };
    function.webhook_scheme = strncmp(mode, "webhook:", 8) == 0 ? mode + 8 : NULL;
    function.webhook_secret = text_of(line, "secretVariable");
    function.webhook_secret_fallback = text_of(line, "fallbackVariable");

    edge_ctx *ctx = context_create(&(const struct context_setup){ .ops = &ops,
        .name = "identify",
        .generation = "",
        .env = env,
        .memory_bytes = 4 << 20,
        .timeout_ms = 20000 });
    const json_t *now_ms = json_object_get(line, "nowMs"), *body = json_object_get(line, "body");
    if (now_ms != NULL)
        ctx->now_us = json_integer_value(now_ms) * 1000;
    ctx->request = (struct request_view){ .method = "POST",
        .path = "/",
        .headers = headers,
        .body = json_string_value(body),
        .body_length = json_string_length(body) };

    answer = NULL;
    context_run(ctx);
    while (answer == NULL)
        ev_run(loop, 0);
}

static void configure(const json_t *auth)
{
    static const char *parties[PAIRS_MAX + 1];
    size_t i = 0;
    const json_t *party = NULL;
    json_array_foreach(json_object_get(auth, "authorizedParties"), i, party) parties[i] =
        json_string_value(party);
    parties[i] = NULL;

    const json_t *skew = json_object_get(auth, "clockSkewMs");
    const struct auth_config config = {
        .issuer = text_of(auth, "issuer"),
        .jwks_url = text_of(auth, "jwksUrl"),
        .jwt_key = text_of(auth, "jwtKey"),
        .authorized_parties = parties,
        .clock_skew_ms = skew != NULL ? json_integer_value(skew) : 5000,
        .service_key = text_of(auth, "serviceKey"),
    };
    const struct provider_settings provider = {
        .name = JWKS_PROVIDER, .base_url = config.jwks_url, .timeout_ms = 5000, .connect_timeout_ms = 2000
    };
    http_stop();
    if (http_start(loop, &provider, 1) < 0 || token_system_start(&config) < 0) {
        fprintf(stderr, "the auth configuration is refused\n");
        exit(1);
    }
}

int main(void)
{
    arena_attach_jansson();
    loop = ev_default_loop(0);
    fiber_system_start(loop, 256 * 1024);
    const struct provider_settings none = { .name = JWKS_PROVIDER };
    if (http_start(loop, &none, 1) < 0)
        return 1;

    char *text = NULL;
    size_t size = 0;
    ssize_t length = 0;
    while ((length = getline(&text, &size, stdin)) > 0) {
        json_t *line = json_loadb(text, (size_t)length, 0, NULL);
        json_t *auth = json_object_get(line, "auth");
        if (auth != NULL) {
            json_decref(current_auth);
            current_auth = json_incref(auth);
            configure(auth);
        }
        identify(line);
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(answer);
        json_decref(line);
    }
    free(text);
    json_decref(current_auth);
    token_system_stop();
    http_stop();
    fiber_system_stop();
    ev_loop_destroy(loop);
    return 0;
}
