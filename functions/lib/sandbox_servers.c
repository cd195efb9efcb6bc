/*
 * Authorization servers of two addresses.
 */
#include "lib/sandbox_servers.h"

const struct sandbox_oauth sandbox_google_server = {
    .provider = "google_oauth",
    .id_variable = "GOOGLE_WORKSPACE_CLIENT_ID",
    .secret_variable = "GOOGLE_WORKSPACE_CLIENT_SECRET",
    .denial = "access_denied",
    .pkce = true,
    .access_seconds = 3599,
};

const struct sandbox_oauth sandbox_meta_server = {
    .provider = "meta_graph",
    .id_variable = "META_APP_ID",
    .secret_variable = "META_APP_SECRET",
    .denial = "access_denied",
    .access_seconds = 3600,
    .no_refresh = true,
};
