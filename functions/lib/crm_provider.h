/*
 * Calls to a user's CRM (spec crm.md S3 to S5): the connection and its key, the call within a tool's time, and
 * what the CRM's failures become.
 *
 *     struct crm *crm = crm_open(ctx, &crm_lofty, "Failed to create task");
 *     const char *key = crm_credential(crm, "api_key");
 *     crm->headers = …;
 *     edge_reply *reply = crm_call(crm, .method = "POST", .path = "/v2.0/tasks", .json = task);
 *
 * A failure ends the invocation with "<prefix>: <the provider's own words>"; a refused key makes the connection
 * "error" and an audit row that is open (crm->action) is closed as failed. The crm_try_ form leaves that to the
 * caller.
 */
#ifndef LIB_CRM_PROVIDER_H
#define LIB_CRM_PROVIDER_H

#include <edge/edge.h>

#include "lib/action.h"
#include "lib/connection.h"

struct crm_provider {
    const char *name;    /* in functions.toml */
    const char *service; /* of the connection (lib/service) */
    const char *label;
    const char *missing; /* what is said when there is no connection; the tool loop looks for "not connected" */
    const char *suggestion; /* what then helps */
};

extern const struct crm_provider crm_lofty, crm_followupboss, crm_skyslope;

enum {
    CRM_TOOL_MS = 25000, /* the agents' tool loop gives up at 30 s */
    CRM_CALL_MS = 15000,
};

struct crm {
    edge_ctx *ctx;
    const struct crm_provider *provider;
    const struct connection *connection;
    const char *prefix;         /* of what is said of failures */
    const edge_header *headers; /* go with every call, ended by { 0 } */
    struct action *action;      /* open audit row, NULL without one */
    int64_t ends_at_us;         /* when the tool has to be done */
    int64_t call_ms;
    size_t max_bytes;
    bool addressed; /* a 404 means that what the caller named does not exist */
};

/* A call's failure as it is answered. */
struct crm_failure {
    int status;
    const char *code, *message, *suggestion;
    int retry_after_seconds;
};

/*
 * The acting user's usable connection: 404 "user_not_found" under the service key, 409 "not_connected" and
 * "reconnect_required" with the provider's texts, 503 "encryption_not_configured".
 */
EDGE_RETURNS_NONNULL struct crm *crm_open(
    edge_ctx *ctx, const struct crm_provider *provider, const char *prefix);

/* A text of the stored credentials that can go into a header; else the row becomes error: 409
 * "reconnect_required". */
EDGE_RETURNS_NONNULL const char *crm_credential(struct crm *crm, const char *name);

/* As CRM_CALL_MS, or the variable CRM_TIMEOUT_MS. */
int64_t crm_call_limit(edge_ctx *ctx);

/*
 * One call; a 429 that asks for at most 5 s is waited for and repeated once, since it was not processed.
 * headers, timeout and cap are the crm's.
 */
#define crm_try_call(crm, ...) crm_try_call_with((crm), (edge_fetch_options){ __VA_ARGS__ })
#define crm_call(crm, ...) crm_call_with((crm), (edge_fetch_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_reply *crm_try_call_with(struct crm *crm, edge_fetch_options options);
EDGE_RETURNS_NONNULL edge_reply *crm_call_with(struct crm *crm, edge_fetch_options options);

/* The crm's headers and those of every call: Lofty refuses libraries' own user agents. For calls made by
 * oneself. */
EDGE_RETURNS_NONNULL const edge_header *crm_headers(const struct crm *crm);

/* What a reply's failure is answered with; NULL for a 2xx. */
const struct crm_failure *crm_failure_of(struct crm *crm, const edge_reply *reply);

/* The answer was a 2xx, but not what was expected: 502 "provider_bad_response". */
EDGE_RETURNS_NONNULL const struct crm_failure *crm_unusable(struct crm *crm, const char *what);

/* Ends the invocation with a failure, closing the audit row; a refused key makes the connection "error". */
EDGE_NORETURN void crm_fail(struct crm *crm, const struct crm_failure *failure);

/* A reply's body as JSON: without a byte order mark, and with blanks for raw control bytes, which SkySlope
 * sends. */
json_t *crm_json(struct crm *crm, const edge_reply *reply);

/*
 * Opens the audit row of a write, as action_begin: type, the input table, the validated body, and what is kept
 * of the request (NULL: all that the table names). Returns what this key was answered before, NULL when there
 * is to be a call.
 */
json_t *crm_begin(struct crm *crm, const char *type, const edge_field *fields, json_t *in, json_t *summary);

/* After the work has been done: the audit row's result, and credentials of the old system sealed. */
void crm_done(struct crm *crm, json_t *data);

#endif
