/*
 * The AI gateway (provider lovable_ai, OpenAI chat completions; spec ai.md S2): one call, read as it arrives.
 *
 *     struct gateway_call *call = gateway_open(ctx, &(struct gateway_ask){ .messages = messages, .stream = true
 * }); for (const char *delta; (delta = gateway_next(call)) != NULL;)
 *         ...
 *     const struct gateway_answer *answer = gateway_answer(call);
 *
 * A plain answer comes as one delta. What goes wrong at the gateway is in answer->failure and ends nothing: who
 * asked may hold a turn to give back, or have a partial answer to send.
 */
#ifndef LIB_GATEWAY_H
#define LIB_GATEWAY_H

#include <edge/edge.h>

#define GATEWAY_TEXT_MODEL "google/gemini-2.5-flash"

struct gateway_ask {
    const char *model;       /* default GATEWAY_TEXT_MODEL */
    json_t *messages;        /* stolen: gone once they are sent, because thousands of turns wait at once */
    json_t *tools;           /* NULL: none offered */
    const char *tool_choice; /* with tools */
    bool stream;             /* ask for deltas; the call is given up when the client leaves */
    const json_t *settings;  /* more members of the request (max_tokens, response_format); NULL: none */
    int64_t timeout_ms;      /* of the whole call, default 90 s */
    bool once;               /* never sent again, not even when the connection broke before an answer */
};

/* An error answer in the making: gateway_fail ends the invocation with it. */
struct gateway_failure {
    int status;
    const char *code;
    edge_failure said;
};

struct gateway_answer {
    const struct gateway_failure *failure; /* NULL: the gateway answered in full */
    const char *content;                   /* "" when it said nothing */
    json_t *tool_calls;                    /* array, NULL when it asked for none */
    json_t *images;                        /* array of an image model, else NULL */
    const char *finish_reason, *model;
    json_t *usage; /* NULL when not told */
    bool left;     /* the client of a stream left, and the call was given up for it */
};

struct gateway_call;

/* Ends the invocation with 503 "not_configured" unless the gateway's key is set. */
void gateway_require_key(edge_ctx *ctx);

/* Sends the question and parks until the answer's head is here. */
EDGE_RETURNS_NONNULL struct gateway_call *gateway_open(edge_ctx *ctx, const struct gateway_ask *ask);

/* Next piece of the answer's text, never empty; NULL at the end and on failure. Parks. */
const char *gateway_next(struct gateway_call *call);

/* The model that answers, as far as it is known: the one asked for until the gateway names another. */
EDGE_RETURNS_NONNULL const char *gateway_model(const struct gateway_call *call);

/* What has come so far; complete once gateway_next has returned NULL. */
EDGE_RETURNS_NONNULL const struct gateway_answer *gateway_answer(struct gateway_call *call);

/*
 * One question, asked once and without a stream, where an answer is welcome and not needed: its text without
 * white space around it, or NULL when there is none, whatever the reason (a missing key, too).
 */
const char *gateway_try_text(edge_ctx *ctx, const struct gateway_ask *ask);

/* The failure of an answer that cannot be used: 502 "bad_provider_output". */
extern const struct gateway_failure gateway_unusable;

/* What a reply of the gateway, or of a provider like it, is as a failure; NULL when it is a 2xx one. */
const struct gateway_failure *gateway_reply_failure(edge_ctx *ctx, const edge_reply *reply);

EDGE_NORETURN void gateway_fail(edge_ctx *ctx, const struct gateway_failure *failure);

#endif
