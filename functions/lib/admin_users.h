/*
 * Users as administrators see them (data.md D8, AdminUser): one statement for any number of them. The system
 * profile is in no list and no count.
 *
 *     struct admin_users users = admin_users_read(ctx, &(struct admin_user_filter){ .search = "ann", .limit =
 * 50 });
 */
#ifndef LIB_ADMIN_USERS_H
#define LIB_ADMIN_USERS_H

#include <edge/edge.h>

/* The subscription within it, of a row of user_agent_subscriptions: SQL, with more members behind its own. */
#define ADMIN_SUBSCRIPTION(row, more)                                                                          \
    "json_build_object('id', " row ".id, 'userId', " row ".user_id, 'agentType', " row ".agent_type,"          \
    " 'planType', " row ".plan_type, 'subscriptionTier', " row ".subscription_tier, 'status', " row ".status," \
    " 'isActive', " row ".is_active, 'minutesAllocated', " row ".minutes_allocated,"                           \
    " 'minutesUsed', " row ".current_minutes_used, 'overageRate', " row ".overage_rate,"                       \
    " 'billingCycleStart', " row ".billing_cycle_start, 'billingCycleEnd', " row ".billing_cycle_end,"         \
    " 'expiresAt', " row ".expires_at" more ")"

/* Its members in an output table. */
#define ADMIN_SUBSCRIPTION_FIELDS                                                                              \
    { "id", EDGE_UUID, .required = true, .help = "The subscription" },                                         \
        { "userId", EDGE_TEXT, .required = true, .help = "Whose it is" },                                      \
        { "agentType", EDGE_TEXT, .required = true, .help = "For which agent" },                               \
        { "planType", EDGE_TEXT, .help = "As it was bought" },                                                 \
        { "subscriptionTier", EDGE_TEXT, .help = "How much it includes" },                                     \
        { "status", EDGE_TEXT, .help = "As active" }, { "isActive", EDGE_BOOL, .help = "Whether it counts" },  \
        { "minutesAllocated", EDGE_INT, .help = "Minutes of calls in a cycle" },                               \
        { "minutesUsed", EDGE_INT, .help = "Of them, in this cycle" },                                         \
        { "overageRate", EDGE_NUMBER, .help = "Price of a minute beyond them" },                               \
        { "billingCycleStart", EDGE_DATETIME, .help = "Begin of the cycle" },                                  \
        { "billingCycleEnd", EDGE_DATETIME, .help = "End of the cycle" },                                      \
    {                                                                                                          \
        "expiresAt", EDGE_DATETIME, .help = "When it ends"                                                     \
    }

/* An AdminUser, as an item in an output table. */
extern const edge_field admin_user_item;

/* Which users, newest first; NULL members do not restrict. */
struct admin_user_filter {
    const char *search; /* literal part of e-mail or full name, in any case */
    const char *role;   /* "admin" or "user" */
    const char *tier;   /* profiles.subscription_tier */
    const char *cursor; /* of an earlier read: what comes behind it */
    int64_t limit, offset;
};

struct admin_users {
    json_t *list;       /* array of AdminUser */
    int64_t total;      /* that search, role and tier fit, without paging */
    const char *cursor; /* of the last one, NULL when there are no more */
};

/* As the service: who may ask has been checked. A cursor that is none is 400 "invalid_input", field cursor. */
struct admin_users admin_users_read(edge_ctx *ctx, const struct admin_user_filter *filter);

/* The AdminUser of an id, NULL when there is no such profile. */
json_t *admin_user_read(edge_ctx *ctx, const char *id);
#endif
