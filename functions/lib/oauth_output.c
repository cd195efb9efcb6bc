/*
 * Output tables of the functions that connect an account.
 */
#include "lib/oauth_output.h"

#include "lib/service.h"

const edge_field oauth_scope_output = { .type = EDGE_TEXT };

static const char *const warnings[] = { "profile_unavailable", "no_refresh_token", "no_page", NULL };

const edge_field oauth_warning_output = { .type = EDGE_ENUM, .values = warnings };

const edge_field oauth_begin_output[] = {
    { "service", EDGE_ENUM, .values = service_names, .required = true, .help = "What is being connected" },
    { "scopes", EDGE_ARRAY, .items = &oauth_scope_output, .required = true,
        .help = "Permissions that are asked for" },
    OAUTH_BEGIN_MEMBERS(true),
    { 0 },
};

const edge_field oauth_finish_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "service", EDGE_ENUM, .values = service_names, .required = true, .help = "What has been connected" },
    { "scopes", EDGE_ARRAY, .items = &oauth_scope_output, .required = true,
        .help = "Permissions that were given" },
    { "accountEmail", EDGE_TEXT, .help = "Address of the account" },
    OAUTH_FINISH_MEMBERS(true),
    { 0 },
};
