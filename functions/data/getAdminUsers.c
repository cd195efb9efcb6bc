/*
 * getAdminUsers: the administrators' list of users. One round trip.
 */
#include <edge/edge.h>

#include "lib/admin_users.h"

static const char *const roles[] = { "user", "admin", NULL };

static const edge_field input[] = {
    { "search", EDGE_TEXT, .max = 200, .help = "Literal part of e-mail or full name, in any case" },
    { "role", EDGE_ENUM, .values = roles, .help = "Only these" },
    { "limit", EDGE_INT, .min = 1, .max = 1000, .fallback = "1000", .help = "How many at most" },
    { "cursor", EDGE_TEXT, .max = 2000, .help = "nextCursor of an earlier answer: what comes behind it" },
    { 0 },
};

static const edge_field output[] = {
    { "users", EDGE_ARRAY, .items = &admin_user_item, .required = true, .help = "A page, newest first" },
    { "total", EDGE_INT, .required = true, .help = "How many there are without paging" },
    { "nextCursor", EDGE_TEXT, .help = "cursor of the next page; null: this is the last" },
    { 0 },
};

static json_t *get_admin_users(edge_ctx *ctx, json_t *in)
{
    struct admin_users users = admin_users_read(ctx, &(struct admin_user_filter){
                                                         .search = edge_json_text(in, "search"),
                                                         .role = edge_json_text(in, "role"),
                                                         .cursor = edge_json_text(in, "cursor"),
                                                         .limit = edge_json_int(in, "limit", 0),
                                                     });
    return json_pack(
        "{s:o, s:I, s:s?}", "users", users.list, "total", (json_int_t)users.total, "nextCursor", users.cursor);
}

EDGE_FUNCTION(getAdminUsers,
    .summary = "Lists users for administrators",
    .input = input,
    .output = output,
    .handle = get_admin_users);
