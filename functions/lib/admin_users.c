/*
 * AdminUser. The page of profiles is cut first, what belongs to each is joined to it afterwards: otherwise the
 * newest subscription of every user there is would be looked up for a page of fifty.
 */
#include "lib/admin_users.h"

#include <string.h>

enum {
    ALL_MAX = 1000,
};

static const edge_field subscription_fields[] = { ADMIN_SUBSCRIPTION_FIELDS, { 0 } };

static const edge_field onboarding_fields[] = {
    { "onboardingCompleted", EDGE_BOOL, .required = true, .help = "The wizard" },
    { "agentOnboardingCompleted", EDGE_BOOL, .required = true, .help = "The agents" },
    { "callCenterOnboardingCompleted", EDGE_BOOL, .required = true, .help = "The call center" },
    { 0 },
};

static const char *const roles[] = { "user", "admin", NULL };

static const edge_field user_fields[] = {
    { "id", EDGE_TEXT, .required = true, .help = "The user" },
    { "email", EDGE_EMAIL, .help = "Mail address" },
    { "full_name", EDGE_TEXT, .help = "As the user writes it" },
    { "firstName", EDGE_TEXT, .required = true, .help = "First word of the name, or \"\"" },
    { "lastName", EDGE_TEXT, .required = true, .help = "The other words, or \"\"" },
    { "avatar", EDGE_TEXT, .help = "URL of the picture" },
    { "avatar_url", EDGE_TEXT, .help = "The same" },
    { "phone", EDGE_TEXT, .help = "As the user writes it" },
    { "brokerage", EDGE_TEXT, .help = "For whom the user works" },
    { "subscriptionTier", EDGE_TEXT, .required = true, .help = "As Free" },
    { "subscriptionStatus", EDGE_TEXT, .required = true, .help = "As active" },
    { "role", EDGE_ENUM, .values = roles, .required = true, .help = "What the user may" },
    { "created_date", EDGE_DATETIME, .help = "When the profile was made" },
    { "updated_date", EDGE_DATETIME, .help = "When it was changed last" },
    { "onboarding", EDGE_OBJECT, .fields = onboarding_fields, .required = true, .help = "What is finished" },
    { "userAgentSubscription", EDGE_OBJECT, .fields = subscription_fields, .help = "The newest one" },
    { "creditsRemaining", EDGE_INT, .required = true, .help = "Balance of credits" },
    { "autopilotPermissions", EDGE_TEXT, .help = "JSON text: permission -> true or false; null: none decided" },
    { 0 },
};

const edge_field admin_user_item = { .type = EDGE_OBJECT, .fields = user_fields };

/* Of profiles AS p: $1 search, $2 role, $3 tier. */
#define FITS                                                                                                   \
    " WHERE lower(coalesce(p.email, '')) <> 'system@pulse.ai'"                                                 \
    " AND ($1 IS NULL OR strpos(lower(p.email), lower($1)) > 0 OR strpos(lower(p.full_name), lower($1)) > 0)"  \
    " AND ($2 IS NULL OR ($2 = 'admin') = has_role(p.id, 'admin'))"                                            \
    " AND ($3 IS NULL OR coalesce(p.subscription_tier, 'Free') = $3)"

/* Of a page of profiles AS p. Names are split at the first white space: "Mary Ann  Smith" is Mary. */
#define ADMIN_USER                                                                                             \
    "json_build_object("                                                                                       \
    " 'id', p.id, 'email', p.email, 'full_name', p.full_name,"                                                 \
    " 'firstName', coalesce(substring(p.full_name FROM '^\\s*(\\S+)'), ''),"                                   \
    " 'lastName', coalesce(substring(p.full_name FROM '^\\s*\\S+\\s+(\\S(?:.*\\S)?)\\s*$'), ''),"              \
    " 'avatar', p.avatar_url, 'avatar_url', p.avatar_url, 'phone', p.phone, 'brokerage', p.brokerage,"         \
    " 'subscriptionTier', coalesce(p.subscription_tier, 'Free'),"                                              \
    " 'subscriptionStatus', coalesce(p.subscription_status, 'active'),"                                        \
    " 'role', CASE WHEN has_role(p.id, 'admin') THEN 'admin' ELSE 'user' END,"                                 \
    " 'created_date', p.created_at, 'updated_date', p.updated_at,"                                             \
    " 'onboarding', json_build_object("                                                                        \
    "  'onboardingCompleted', coalesce(o.onboarding_completed, false),"                                        \
    "  'agentOnboardingCompleted', coalesce(o.agent_onboarding_completed, false),"                             \
    "  'callCenterOnboardingCompleted', coalesce(o.call_center_onboarding_completed, false)),"                 \
    " 'userAgentSubscription', s.subscription,"                                                                \
    " 'creditsRemaining', coalesce(c.credits_available, 0),"                                                   \
    " 'autopilotPermissions', a.permissions) AS admin_user"

#define BELONGINGS                                                                                             \
    " LEFT JOIN user_onboarding AS o ON o.user_id = p.id"                                                      \
    " LEFT JOIN user_credits AS c ON c.user_id = p.id"                                                         \
    " LEFT JOIN LATERAL ("                                                                                     \
    "  SELECT " ADMIN_SUBSCRIPTION(                                                                            \
        "u", "") " AS subscription"                                                                            \
                 "  FROM user_agent_subscriptions AS u WHERE u.user_id = p.id"                                 \
                 "  ORDER BY u.created_at DESC NULLS LAST, u.id DESC LIMIT 1"                                  \
                 " ) AS s ON true"                                                                             \
                 " LEFT JOIN LATERAL ("                                                                        \
                 "  SELECT json_object_agg(permission, allowed ORDER BY permission)::text AS permissions"      \
                 "  FROM autopilot_permissions AS u WHERE u.user_id = p.id"                                    \
                 " ) AS a ON true"

/* $4 and $5: time and id that the cursor names; a profile without a time sorts first. */
static const char list_sql[] = "WITH page AS ("
                               " SELECT p.* FROM profiles AS p" FITS " AND CASE WHEN $5::text IS NULL THEN true"
                               "  WHEN $4::timestamptz IS NULL THEN p.created_at IS NOT NULL OR p.id < $5"
                               "  ELSE (p.created_at, p.id) < ($4, $5) END"
                               " ORDER BY p.created_at DESC, p.id DESC LIMIT $6 OFFSET $7"
                               ")"
                               " SELECT p.id, p.created_at, " ADMIN_USER " FROM page AS p" BELONGINGS
                               " ORDER BY p.created_at DESC, p.id DESC";

static const char total_sql[] = "SELECT count(*) AS total FROM profiles AS p" FITS;

static const char one_sql[] = "SELECT " ADMIN_USER " FROM profiles AS p" BELONGINGS " WHERE p.id = $1";

struct position {
    const char *id; /* NULL: from the beginning */
    edge_arg at;
};

static const char *cursor_of(edge_ctx *ctx, const edge_rows *rows, size_t row)
{
    json_t *at = edge_rows_null(rows, row, "created_at")
                     ? json_null()
                     : json_integer((json_int_t)edge_rows_time(rows, row, "created_at"));
    size_t length;
    const char *text = edge_json_dump(ctx, json_pack("[o, s]", at, edge_rows_text(rows, row, "id")), &length);
    return edge_base64url(ctx, text, length);
}

static struct position read_cursor(edge_ctx *ctx, const char *cursor)
{
    if (cursor == NULL)
        return (struct position){ .at = edge_null() };
    size_t length = 0;
    const char *text = (const char *)edge_base64url_decode(ctx, cursor, &length);
    json_t *pair = text != NULL ? edge_json_parse(ctx, text, length) : NULL;
    const json_t *at = json_array_get(pair, 0), *id = json_array_get(pair, 1);
    /* Years 1970 to 9999: PostgreSQL has no instants for larger numbers. */
    bool fits = json_is_null(at) || (json_is_integer(at) && json_integer_value(at) >= 0 &&
                                        json_integer_value(at) < 253402300800000000LL);
    if (!fits || !json_is_string(id) || strlen(json_string_value(id)) != json_string_length(id))
        edge_fail_with(
            ctx, 400, "invalid_input", .message = "cursor is none that was handed out", .field = "cursor");
    return (struct position){ .id = json_string_value(id),
        .at = json_is_null(at) ? edge_null() : edge_time(json_integer_value(at)) };
}

struct admin_users admin_users_read(edge_ctx *ctx, const struct admin_user_filter *filter)
{
    struct position after = read_cursor(ctx, filter->cursor);
    int64_t limit = filter->limit > 0 ? filter->limit : ALL_MAX;
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL(list_sql, edge_text(filter->search), edge_text(filter->role), edge_text(filter->tier),
            after.at, edge_text(after.id), edge_int(limit + 1), edge_int(filter->offset)),
        EDGE_SQL(total_sql, edge_text(filter->search), edge_text(filter->role), edge_text(filter->tier)));

    size_t count = edge_rows_count(rows[0]);
    bool more = count > (size_t)limit;
    struct admin_users users = { .list = json_array(), .total = edge_rows_int(rows[1], 0, "total") };
    for (size_t i = 0; i < count - more; i++)
        json_array_append_new(users.list, edge_rows_value(rows[0], i, "admin_user"));
    users.cursor = more ? cursor_of(ctx, rows[0], (size_t)limit - 1) : NULL;
    return users;
}

json_t *admin_user_read(edge_ctx *ctx, const char *id)
{
    edge_rows *rows = edge_service_query(ctx, one_sql, edge_text(id));
    return edge_rows_count(rows) > 0 ? edge_rows_value(rows, 0, "admin_user") : NULL;
}
