/*
 * wsx_talk: a session that does what each message says: {"do": one of the names below, ...}.
 */
#include <edge/edge.h>

#include <string.h>

static void say(edge_ctx *ctx, json_t *value)
{
    edge_ws_send_json(ctx, value);
    json_decref(value);
}

static void who(edge_ctx *ctx, json_t *in)
{
    (void)in;
    say(ctx, json_pack("{s:s?, s:s, s:s?, s:s?, s:s?, s:b}", "user", edge_auth_try_user(ctx), "method",
                 edge_request_method(ctx), "q", edge_request_query(ctx, "q"), "header",
                 edge_request_header(ctx, "x-test"), "subprotocol", edge_ws_subprotocol(ctx), "websocket",
                 edge_request_websocket(ctx)));
}

static void flood(edge_ctx *ctx, json_t *in)
{
    size_t bytes = (size_t)edge_json_int(in, "bytes", 1);
    int64_t messages = edge_json_int(in, "messages", 1);
    char *data = edge_alloc(ctx, bytes + 1);
    for (int64_t i = 0; i < messages; i++) {
        memset(data, 'a' + (int)(i % 26), bytes);
        edge_ws_send_bytes(ctx, data, bytes);
    }
    edge_log(ctx, EDGE_LOG_INFO, "flooded", { "messages", edge_int(messages) });
}

static void *speak(edge_ctx *ctx, void *arg)
{
    const char *name = arg;
    for (int i = 0; i < 20; i++)
        edge_ws_send_text(ctx, name);
    return NULL;
}

/* Senders beside the fiber that receives. */
static void choir(edge_ctx *ctx, json_t *in)
{
    for (int64_t i = 0; i < edge_json_int(in, "voices", 2); i++)
        edge_spawn(ctx, speak, edge_format(ctx, "%lld%s", (long long)i, edge_json_text(in, "pad")));
}

static void *hear(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_ws_recv(ctx, 0);
    return NULL;
}

static void rival(edge_ctx *ctx, json_t *in)
{
    (void)in;
    edge_spawn(ctx, hear, NULL);
    edge_sleep(ctx, 1);
    edge_ws_recv(ctx, 0);
}

static void wait_for(edge_ctx *ctx, json_t *in)
{
    edge_ws_message *next = edge_ws_recv(ctx, edge_json_int(in, "ms", 0));
    say(ctx, json_pack("{s:s?, s:b}", "heard", next != NULL ? next->data : NULL, "open", edge_ws_open(ctx)));
}

static void nap(edge_ctx *ctx, json_t *in)
{
    edge_sleep(ctx, edge_json_int(in, "ms", 0));
    edge_ws_send_text(ctx, "\"awake\"");
}

static void close_it(edge_ctx *ctx, json_t *in)
{
    edge_ws_close(ctx, (int)edge_json_int(in, "code", 1000), edge_json_text(in, "reason"));
    edge_ws_send_text(ctx, "\"behind the close\"");
    edge_sleep(ctx, edge_json_int(in, "linger", 0));
}

static void fail(edge_ctx *ctx, json_t *in)
{
    edge_fail(ctx, (int)edge_json_int(in, "status", 500), "told_to", "The client has asked for it");
}

static void mumble(edge_ctx *ctx, json_t *in)
{
    (void)in;
    edge_ws_send_text(ctx, "\xff\xfe");
}

static void answer(edge_ctx *ctx, json_t *in)
{
    edge_stream_event(ctx, NULL, in);
}

static void crash(edge_ctx *ctx, json_t *in)
{
    (void)ctx, (void)in;
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
}

static const struct {
    const char *name;
    void (*act)(edge_ctx *ctx, json_t *in);
} acts[] = {
    { "who", who },
    { "flood", flood },
    { "choir", choir },
    { "rival", rival },
    { "wait", wait_for },
    { "nap", nap },
    { "close", close_it },
    { "fail", fail },
    { "mumble", mumble },
    { "answer", answer },
    { "crash", crash },
};

/* Acts that receive give the message back, and its name with it. */
static void act(edge_ctx *ctx, json_t *in)
{
    const char *name = edge_json_text(in, "do");
    for (size_t i = 0; name != NULL && i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(name, acts[i].name) != 0)
            continue;
        acts[i].act(ctx, in);
        return;
    }
}

static void talk(edge_ctx *ctx)
{
    while (edge_ws_recv(ctx, 0) != NULL) {
        json_t *in = edge_ws_json(ctx);
        if (edge_json_text(in, "do") != NULL && strcmp(edge_json_text(in, "do"), "return") == 0)
            break;
        act(ctx, in);
    }
    edge_log(ctx, EDGE_LOG_INFO, "talk_over", { "close", edge_int(edge_ws_close_code(ctx)) },
        { "reason", edge_text(edge_ws_close_reason(ctx)) });
    edge_sleep(ctx, edge_request_query(ctx, "linger") != NULL ? 60000 : 0);
}

static json_t *post(edge_ctx *ctx, json_t *in)
{
    edge_ws_send_json(ctx, in);
    return NULL;
}

EDGE_FUNCTION(wsx_talk, .summary = "Does what it is told", .session = talk, .handle = post);
