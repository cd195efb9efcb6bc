/*
 * Application roles (user_roles). What the database said is remembered for half a minute, so that a page of
 * admin calls asks once; row security asks again for every statement, so a role that was taken away opens
 * nothing in between.
 */
#include <context.h>

#include <edge/auth.h>
#include <edge/crypto.h>
#include <edge/db.h>

#include <string.h>

enum {
    REMEMBERED_COUNT = 1024
};
static const int64_t remembered_us = 30 * 1000000;

/* An answer, at the place that its question's hash gives it; another one there replaces it. */
struct remembered {
    uint8_t question[32]; /* SHA-256 of user and role */
    int64_t until_us;     /* monotonic */
    bool granted;
};

static struct remembered answers[REMEMBERED_COUNT];

static struct remembered *place_of(const uint8_t question[32])
{
    uint32_t bits = 0;
    memcpy(&bits, question, sizeof bits);
    return &answers[bits % REMEMBERED_COUNT];
}

static bool ask(edge_ctx *ctx, const char *user, const char *role)
{
    edge_error error;
    edge_rows *rows = edge_try_service_query(ctx, &error,
        "SELECT public.has_role($1, $2::public.app_role) AS granted", edge_text(user), edge_text(role));
    if (rows == NULL)
        edge_fail_error(ctx, &error);
    return edge_rows_bool(rows, 0, "granted");
}

static bool has_role(edge_ctx *ctx, const char *user, const char *role)
{
    uint8_t question[32];
    const char *text = edge_format(ctx, "%s\n%s", role, user);
    edge_sha256(text, strlen(text), question);

    struct remembered *place = place_of(question);
    if (place->until_us > clock_us() && memcmp(place->question, question, sizeof question) == 0)
        return place->granted;

    bool granted = ask(ctx, user, role);
    *place = (struct remembered){ .until_us = clock_us() + remembered_us, .granted = granted };
    memcpy(place->question, question, sizeof question);
    return granted;
}

void edge_require_role(edge_ctx *ctx, const char *role)
{
    struct identity *identity = &ctx->identity;
    if (identity->user == NULL || !has_role(ctx, identity->user, role))
        edge_fail(ctx, 403, "admin_required", "This needs the role \"%s\"", role);
    if (strcmp(role, "admin") == 0)
        identity->admin = true;
}
