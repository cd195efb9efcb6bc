/*
 * SkySlope's files API (spec crm.md S8): signed login, a session that is shared and renewed, and the two kinds
 * of file, of which a caller need not know which one it has.
 *
 *     struct skyslope *sky = skyslope_open(ctx, "Failed to fetch transaction");
 *     const struct skyslope_kind *kind = skyslope_kind_named(fileType);          NULL: not known
 *     json_t *value = skyslope_file(sky, guid, &kind);                           kind is the one that was found
 *
 * Functions that use it list SKYSLOPE_CLIENT_ID, SKYSLOPE_CLIENT_SECRET and CRM_TIMEOUT_MS in their env.
 *
 * Published at https://api.skyslope.com/docs; what was compared with it is in docs/providers.md.
 */
#ifndef LIB_SKYSLOPE_H
#define LIB_SKYSLOPE_H

#include <edge/edge.h>

#include "lib/crm_provider.h"

struct skyslope_kind {
    const char *name; /* "sale": as callers know it, and the member of an answer */
    const char *path; /* of its files */
    const char *list; /* member of a page */
    const char *guid; /* member of a file */
};

extern const struct skyslope_kind skyslope_sale, skyslope_listing;

/* Names of the kinds, NULL-terminated, for input tables. */
extern const char *const skyslope_kinds[];

/* The member "fileType" of an output table. */
#define SKYSLOPE_KIND_FIELD                                                                                    \
    {                                                                                                          \
        "fileType", EDGE_ENUM, .values = skyslope_kinds, .required = true, .help = "Kind of file"              \
    }

/* A kind by its name; NULL for NULL. */
const struct skyslope_kind *skyslope_kind_named(const char *name);

struct skyslope {
    struct crm *crm;
    const char *access_key, *access_secret, *client_id, *client_secret;
    const char *cache_key; /* of the session, in the worker's memory */
    const char *session;   /* NULL before the first login */
    bool is_fresh;         /* logged in by this invocation */
};

/*
 * The acting user's connection, with a session. As crm_open, and 503 "not_configured" when nobody has said
 * which integration logs in.
 */
EDGE_RETURNS_NONNULL struct skyslope *skyslope_open(edge_ctx *ctx, const char *prefix);

/*
 * A call with the session; one that has run out is renewed once. The first form returns whatever came back, the
 * second the answer's member "value" of a 2xx.
 */
#define skyslope_try_call(sky, ...) skyslope_try_call_with((sky), (edge_fetch_options){ __VA_ARGS__ })
#define skyslope_call(sky, ...) skyslope_call_with((sky), (edge_fetch_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_reply *skyslope_try_call_with(struct skyslope *sky, edge_fetch_options options);
json_t *skyslope_call_with(struct skyslope *sky, edge_fetch_options options);

/*
 * A call about one file: <path of the kind>/<guid><rest>. Without a kind it is tried on sales and then on
 * listings; *kind says where it succeeded. 404 "not_found" when neither has the file. Returns the reply, a 2xx.
 */
#define skyslope_file_call(sky, guid, kind, rest, ...)                                                         \
    skyslope_file_call_with((sky), (guid), (kind), (rest), (edge_fetch_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_reply *skyslope_file_call_with(struct skyslope *sky, const char *guid,
    const struct skyslope_kind **kind, const char *rest, edge_fetch_options options);

/* The file itself, an object; 502 when the answer has none. */
EDGE_RETURNS_NONNULL json_t *skyslope_file(
    struct skyslope *sky, const char *guid, const struct skyslope_kind **kind);

#endif
