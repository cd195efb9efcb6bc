/*
 * hot: a function in many builds. HOT_VERSION says which of them answers; HOT_<fault> makes it one that must
 * not be served.
 */
#include <edge/edge.h>

#ifdef HOT_WRONG_ABI
#undef EDGE_ABI_MAJOR
#define EDGE_ABI_MAJOR 99
#endif

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef HOT_SESSION
#define HOT_VERSION HOT_SESSION
#endif

#ifndef HOT_VERSION
#define HOT_VERSION 1
#endif

static const char *const ways[] = { "", "null", "loop", NULL };

static const edge_field input[] = {
    { "ms", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "How long to wait first" },
    { "events", EDGE_INT, .min = 0, .max = 100000, .fallback = "0", .help = "How many events to stream" },
    { "interval", EDGE_INT, .min = 0, .max = 60000, .fallback = "1", .help = "Milliseconds between two" },
    { "how", EDGE_ENUM, .values = ways, .fallback = "", .help = "How to crash" },
    { 0 },
};

static void misbehave(const char *how)
{
    if (strcmp(how, "null") == 0)
        raise(SIGSEGV);
    while (strcmp(how, "loop") == 0)
        continue;
}

static json_t *hot(edge_ctx *ctx, json_t *in)
{
    const int *made_by = edge_state(ctx);
    json_t *answer = json_pack("{s:i, s:i}", "version", HOT_VERSION, "state", *made_by);
    if (edge_json_int(in, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    misbehave(edge_json_text(in, "how"));
    for (int64_t i = 0; i < edge_json_int(in, "events", 0); i++) {
        edge_stream_event(ctx, NULL, answer);
        edge_sleep(ctx, edge_json_int(in, "interval", 1));
    }
    if (!edge_stream_started(ctx))
        return answer;
    edge_stream_event(ctx, "final", answer);
    return NULL;
}

#ifdef HOT_SESSION
/* Answers each message with its build, and says good-bye when it is asked to finish. */
static void converse(edge_ctx *ctx)
{
    edge_ws_watch_drain(ctx);
    while (edge_ws_recv(ctx, 0) != NULL)
        edge_ws_send_json(
            ctx, json_pack("{s:i, s:i}", "version", HOT_VERSION, "state", *(int *)edge_state(ctx)));
    if (edge_ws_draining(ctx) && edge_ws_open(ctx))
        edge_ws_send_json(ctx, json_pack("{s:i, s:b}", "version", HOT_VERSION, "bye", 1));
}
#endif

static int init(void **state)
{
    int *version = malloc(sizeof *version);
    *version = HOT_VERSION;
    *state = version;
#ifdef HOT_INIT_FAILS
    free(version);
    return -1;
#endif
#ifdef HOT_INIT_EXITS
    syscall(SYS_exit_group, 3);
#endif
#ifdef HOT_INIT_BLOCKS
    while (sleep(1) == 0)
        continue;
#endif
#ifdef HOT_INIT_SPINS
    for (volatile unsigned i = 0;; i++)
        continue;
#endif
    return 0;
}

static void leave(void *state)
{
    free(state);
}

#ifdef HOT_CONSTRUCTOR_CRASHES
__attribute__((constructor)) static void crash(void)
{
    raise(SIGSEGV);
}
#endif

#ifdef HOT_MISSING_SYMBOL
extern int nothing_has_this(void);
__attribute__((used)) static int call_it(void)
{
    return nothing_has_this();
}
#endif

#ifdef HOT_BANNED_IMPORT
__attribute__((used)) static void end_everything(void)
{
    exit(1);
}
#endif

#ifdef HOT_THREAD
/* As a library would that starts a thread behind one's back: no import tells of it. */
static int idle(void *arg)
{
    (void)arg;
    for (;;)
        syscall(SYS_pause);
    return 0;
}

extern int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
__attribute__((constructor)) static void start_thread(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    __clone(idle, stack + sizeof stack, 0x10f00 /* VM, FS, FILES, SIGHAND, THREAD */, NULL);
}
#endif

#ifdef HOT_SELF_TEST_FAILS
static int self_test(void)
{
    return 7;
}
#endif

#ifdef HOT_BAD_STATEMENT
static const char *const statements[] = { "SELECT no_such_column FROM profiles", NULL };
#endif

#ifdef HOT_WRONG_NAME
EDGE_FUNCTION(cold,
#else
EDGE_FUNCTION(hot,
#endif
    .summary = "Says which build it is",
    .input = input,
    .handle = hot,
    .streams = true,
#ifdef HOT_SESSION
    .session = converse,
#endif
    .init = init,
    .exit = leave,
#ifdef HOT_SELF_TEST_FAILS
    .self_test = self_test,
#endif
#ifdef HOT_BAD_STATEMENT
    .sql = statements,
#endif
);
