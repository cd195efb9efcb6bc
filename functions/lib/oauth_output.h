/*
 * Answers of the functions that connect an account, for output tables: as oauth_begin and oauth_finish make
 * them.
 */
#ifndef LIB_OAUTH_OUTPUT_H
#define LIB_OAUTH_OUTPUT_H

#include <edge/edge.h>

/* The consent URL; of every initiate function. */
extern const edge_field oauth_begin_output[];

/* The connection; of the callbacks of all services but Meta's. */
extern const edge_field oauth_finish_output[];

/* A permission, item of scopes and missingScopes. */
extern const edge_field oauth_scope_output;

/* What came out otherwise than hoped, item of warnings. */
extern const edge_field oauth_warning_output;

/*
 * Members of the two answers, for tables that have more to tell; always: every answer of the function has them.
 * "success" and "service" are left to the table.
 */
#define OAUTH_BEGIN_MEMBERS(always)                                                                            \
    { "authUrl", EDGE_URL, .required = (always), .help = "Where the user allows the access" },                 \
        { "redirectUri", EDGE_URL, .required = (always), .help = "Where the provider sends the user then" },   \
        { "expiresAt", EDGE_DATETIME, .required = (always), .help = "When the URL stops working" },            \
    {                                                                                                          \
        "alreadyConnected", EDGE_BOOL, .required = (always), .help = "Whether the service works already"       \
    }

#define OAUTH_FINISH_MEMBERS(always)                                                                           \
    { "accountName", EDGE_TEXT, .help = "Whose account it is" },                                               \
        { "missingScopes", EDGE_ARRAY, .items = &oauth_scope_output, .required = (always),                     \
            .help = "Permissions that were asked for and not given" },                                         \
        { "warnings", EDGE_ARRAY, .items = &oauth_warning_output, .required = (always),                        \
            .help = "What came out otherwise than hoped" },                                                    \
    {                                                                                                          \
        "redirectPath", EDGE_TEXT, .help = "Path in the application to go on at"                               \
    }

#endif
