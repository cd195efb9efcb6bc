/*
 * Probes of the platform's own integrations (spec oauth.md, checkIntegrationStatus): one cheap call each that
 * shows whether a provider is there and takes our key. Of what a provider says only a count or a status is
 * read.
 */
#ifndef LIB_PROBE_H
#define LIB_PROBE_H

#include <edge/edge.h>

/* What an integration's status may be, for output tables; NULL-terminated. */
extern const char *const integration_statuses[];

/* What is known of an integration: a row of integration_status in the making. */
struct integration_state {
    const char *status;       /* healthy, degraded, error */
    int64_t response_ms;      /* -1: no call was made */
    const char *error;        /* for people, NULL: nothing to say */
    json_t *metadata;         /* an object */
    const char *last_checked; /* ISO; NULL: never */
    bool cached;              /* as it was stored */
};

/* True for a service that is probed by a call: resend, elevenlabs, twilio, openai. */
bool probe_is_live(const char *key);

/* Begins a probe beside the caller; edge_await gives its struct integration_state. */
EDGE_RETURNS_NONNULL edge_task *probe_begin(edge_ctx *ctx, const char *key);

#endif
