/*
 * The outside services that users connect (spec oauth.md S1): how a service is named, where its row is, and how
 * its grant is asked for.
 *
 *     const struct service *service = service_find("google_calendar");
 *     service->name is "google_workspace"
 */
#ifndef LIB_SERVICE_H
#define LIB_SERVICE_H

#include <edge/edge.h>

enum service_provider {
    SERVICE_GOOGLE,
    SERVICE_MICROSOFT,
    SERVICE_META,
    SERVICE_LINKEDIN,
    SERVICE_ZOOM,
    SERVICE_KEY, /* the user's own API key, in crm_connections */
};

struct service {
    const char *name;  /* canonical: what is stored and answered */
    const char *label; /* for people: "Google Workspace" */
    const char *slug;  /* of its redirect URI; NULL for keys */
    enum service_provider provider;
    bool pkce;
    const char *const *scopes;  /* asked for, in order; NULL-terminated */
    const char *const *aliases; /* other names that callers use; NULL-terminated */
};

/* The canonical names, for output tables; NULL-terminated. */
extern const char *const service_names[];

/* A service by its canonical name or an alias; NULL when there is none. name may be NULL. */
const struct service *service_find(const char *name);

/* As service_find for a name that a function knows; an unknown one is its mistake: 500. */
EDGE_RETURNS_NONNULL const struct service *service_named(edge_ctx *ctx, const char *name);

/* True when the row is in crm_connections, else it is in external_service_connections. */
bool service_is_crm(const struct service *service);

/* What googleCalendarAuth asks for instead of the service's scopes, under a redirect URI of this slug. */
extern const char *const service_calendar_scopes[];
#define SERVICE_CALENDAR_SLUG "google"
#define SERVICE_CALENDAR_SCOPE "https://www.googleapis.com/auth/calendar"

#endif
