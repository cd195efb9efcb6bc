/*
 * The invocation from the host's side: what is in an edge_ctx, how one is made, run, cancelled and released.
 *
 *   context_create -> context_run -> (finished) -> background work ends -> (released)
 *
 * The main fiber runs ops->main. When it returns, or a fiber of the invocation fails, all its other fibers
 * (but background ones) are abandoned, defers run, and ops->finished is called on the loop's stack with
 * ctx->failure set or NULL. ops->released is called once the last background fiber has ended; the memory is
 * freed after it.
 */
#ifndef HOST_CONTEXT_H
#define HOST_CONTEXT_H

#include <edge/auth.h>
#include <edge/base.h>
#include <edge/function.h>
#include <edge/http.h>

#include "arena.h"
#include "fiber.h"

#include <sys/types.h>

/* The request as the SDK shows it. All memory lives as long as the invocation. */
struct request_view {
    const char *method, *path, *rest, *query; /* query: undecoded, without "?", "" when none */
    const edge_header *headers;               /* names in lower case, ended by { 0 } */
    const edge_header *params;                /* of the route pattern, decoded, ended by { 0 } */
    /* Each made by the first call that asks for it; NULL until then. */
    const edge_header *queries, *cookies;
    struct part_list *parts;
    const void *body;
    size_t body_length;
    bool body_spooled; /* body is the mapping of a file: body_fd, from its beginning */
    int body_fd;
    const char *ip, *origin;
    bool websocket;     /* came as a message of a WebSocket */
    json_t *message_id; /* the message's "id", NULL without one */
    bool internal;      /* called by another function or a job: the identity has been given, not proved */
    uint8_t depth;      /* of in-process calls: 0 for what came from outside */
};

struct identity {
    edge_caller caller;
    const char *user;        /* acting user, NULL when there is none */
    const char *claims_json; /* of the verified token, compact JSON without edge_admin; NULL without one */
    json_t *claims; /* made of claims_json by the first edge_auth_claims: read it through that call only */
    const char *session, *organisation, *org_role;
    bool admin; /* statements carry the claim edge_admin: the role has been checked */
};

/* What an invocation used, for its log line and the metrics. */
struct usage {
    int64_t cpu_ns;
    int64_t db_us, http_us; /* time parked in queries and provider calls */
    uint32_t query_count, fetch_count;
    uint64_t bytes_in, bytes_out;
    uint32_t messages_in, messages_out; /* of a WebSocket session */
    uint16_t close_code;                /* of one that has ended; 0 for all else */
    uint32_t defect_count;              /* what it left open, and the host had to close */
};

/* Why an invocation ended without an answer of the function. */
struct failure {
    int status;
    const char *code;
    edge_failure said;
    const char *detail; /* log only */
};

struct header_node {
    const char *name, *value;
    struct header_node *next;
};

/* What the function said about its answer before returning. */
struct response_draft {
    int status;
    struct header_node *headers;
    bool streaming, sent; /* streaming: head sent, body goes on; sent: answered in full */
    const char *media_type;
};

/* How answers reach the client; the host implements it once for HTTP and once for WebSocket messages. */
struct context_ops {
    void (*main)(edge_ctx *ctx);     /* on the main fiber */
    void (*finished)(edge_ctx *ctx); /* on the loop's stack */
    void (*released)(edge_ctx *ctx); /* on the loop's stack; ctx->host may be freed */
    /* Sends the head of an answer; length < 0 when more pieces follow until stream_end. */
    void (*begin)(edge_ctx *ctx, int status, const char *media_type, int64_t length);
    /* Sends a piece; returns the bytes still queued for this client (the SDK parks above a high-water mark). */
    size_t (*write)(edge_ctx *ctx, const void *data, size_t length);
    /* Breaks the client's connection off without an end. */
    void (*abort)(edge_ctx *ctx);
    /* Sends one event in the transport's own framing (SSE block, or a WebSocket message). Same result. */
    size_t (*event)(edge_ctx *ctx, const char *event, const char *json, size_t length);
    /*
     * Sends bytes of a file from the kernel's memory, after begin with a length. Returns how many were sent; 0
     * when the client takes no more now (context_writable says when it does), -ENOTSUP where only write will
     * do, another negative errno when the file cannot be read. May be NULL.
     */
    ssize_t (*file)(edge_ctx *ctx, int fd, int64_t offset, size_t length);
};

struct defer_node {
    void (*fn)(void *arg);
    void *arg;
    struct defer_node *next;
};

/* What is to be told that the client has left, in an invocation that finishes all the same. */
struct leave_watch {
    void (*left)(void *arg); /* on the loop's stack, once */
    void *arg;
    struct leave_watch *next;
};

/* A fiber that waits for a slow reader; several may write to one client. On its own stack. */
struct reader_wait {
    struct fiber_wait wait;
    struct reader_wait *next;
};

/* One fiber of an invocation: the main one, an edge_spawn or an edge_wait_until. */
struct task_node {
    struct fiber *fiber; /* NULL before it starts and after it ended */
    enum {
        TASK_MAIN,
        TASK_SPAWNED,
        TASK_BACKGROUND
    } kind;
    struct task_node *next;
    void *(*fn)(edge_ctx *ctx, void *arg);
    void (*background)(edge_ctx *ctx, void *arg);
    void *arg, *result;
    bool ended;
    struct fiber_wait *awaited_by;
};

struct edge_ctx {
    struct arena arena;
    const struct context_ops *ops;
    void *host; /* the runtime's own record of this invocation */

    const edge_function *function;
    void *state;            /* the plugin's, from init */
    int function_index;     /* of the configuration, for metrics; -1: the host's own */
    const char *name;       /* function name, also for host-made contexts: "_edge/ready" */
    const char *generation; /* build id */
    const edge_header *env; /* the variables this function may see, ended by { 0 }; owned by the generation */
    char request_id[40];

    struct request_view request;
    struct identity identity;
    struct response_draft response;
    struct failure *failure;
    struct usage usage;

    int64_t started_us;  /* monotonic */
    int64_t now_us;      /* Unix time, read once */
    int64_t deadline_us; /* monotonic; 0 none */
    ev_timer deadline;

    struct defer_node *defers;
    struct defer_node *finishers; /* as defers, but run before background work starts: open transactions */
    struct task_node *tasks;      /* every fiber of the invocation */
    struct fiber *main_fiber;
    struct leave_watch *leave_watches;
    struct reader_wait *reader_waits;
    struct ws_channel *ws;          /* of a WebSocket session (host/ws.h); else NULL */
    struct descriptor *descriptors; /* that its plugin has opened (runtime/plugin/descriptors.h) */
    bool finished, client_gone, finish_on_disconnect;
    bool cut_short; /* some of its work was: by a failure, or from outside */
    bool
        cancelled; /* client_gone by its own wish, over a WebSocket that stays: the last event still goes out */
    uint32_t background_count; /* started or waiting to be */
    int64_t timeout_ms;
};

struct context_setup {
    const struct context_ops *ops;
    void *host;
    const edge_function *function;
    void *state;
    int function_index; /* -1: the host's own */
    const char *name, *generation;
    const char *request_id; /* NULL: one is made */
    const edge_header *env;
    size_t memory_bytes;
    int64_t timeout_ms; /* 0: no deadline */
    bool finish_on_disconnect;
};

/* Tests only: the next context that is created gets this fault; its own memory is the first allocation. */
void context_arm(const struct arena_fault *fault);

/* NULL when memory is short. */
edge_ctx *context_create(const struct context_setup *setup);

/* Starts the main fiber at once (loop's stack only); it has run to its first wait, or to its end, on return. */
void context_run(edge_ctx *ctx);

/*
 * Called for every invocation that is about to be released: its defers have run, its memory is still there. For
 * what a function has left open.
 */
void context_on_release(void (*releasing)(edge_ctx *ctx));

/*
 * Ends an invocation from outside (deadline, drain, lost worker): as if the function had called edge_fail.
 * Does nothing once it has finished. Loop's stack only.
 */
void context_cancel(edge_ctx *ctx, int status, const char *code, const char *message);

/* The client has left: cancels (499 "client_gone" in the log) unless the function finishes on disconnect. */
void context_client_gone(edge_ctx *ctx);

/* The client's queue has drained below the low-water mark: wakes a parked writer. */
void context_writable(edge_ctx *ctx);

/* Parks the running fiber until context_writable; returns at once when the client has left. */
void context_await_writable(edge_ctx *ctx);

/* Bytes queued for one client above which a writer is parked, and below which it goes on. */
#define STREAM_HIGH_WATER (64 * 1024)
#define STREAM_LOW_WATER (16 * 1024)

/* Starts background work that was asked for after the answer had gone out. */
void context_start_background(edge_ctx *ctx, struct task_node *task);

/* As edge_defer, but run when the answer is decided, before background work: to roll back what is open. */
void context_at_finish(edge_ctx *ctx, void (*fn)(void *arg), void *arg);

/* Calls fn(arg) when the client leaves; at once when it has left already. For the rest of the invocation. */
void context_at_leave(edge_ctx *ctx, void (*fn)(void *arg), void *arg);

/* Records a failure; the first one of an invocation counts. detail may be NULL. */
void context_fail(edge_ctx *ctx, int status, const char *code, const edge_failure *said, const char *detail);

/* Fails the running fiber's invocation with a detail for the log; for SDK calls. Never returns. */
EDGE_NORETURN void context_fail_detail(
    edge_ctx *ctx, int status, const char *code, const char *message, const char *detail);

/* Fails with 500 "memory_limit": the arena refused size bytes. Never returns. */
EDGE_NORETURN void context_memory_limit(edge_ctx *ctx, size_t size);
/* Counts the time an invocation may take, 0 for any, anew from now on; of background work once it has finished.
 */
void context_limit(edge_ctx *ctx, int64_t timeout_ms);

/* Milliseconds until the deadline, at least 1; INT64_MAX without one. */
int64_t context_remaining_ms(const edge_ctx *ctx);

/* Checks a JSON body against an input table and returns it with fallbacks filled in; fails with 400. */
json_t *context_validate(edge_ctx *ctx, const edge_field *fields, json_t *body);

/* How an answer differs from its output table first ("metrics.score is no number"), NULL: not at all. */
const char *context_answer_mismatch(edge_ctx *ctx, const edge_field *fields, const json_t *answer);

/* A new request id: a UUID of version 4. */
void context_make_request_id(char out[40]);

/* Microseconds on the monotonic clock. */
int64_t clock_us(void);

#endif
