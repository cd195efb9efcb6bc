/*
 * What a Meta tool acts on: the user's Facebook Page with its token, or the Instagram account behind a Page.
 * What is not in the request or in the connection's settings is asked of Meta, and kept in the settings when
 * there is no choice.
 */
#ifndef LIB_META_TARGET_H
#define LIB_META_TARGET_H

#include "lib/tool.h"

/* Refuses what is no id of Meta's: 1 to 32 digits. */
json_t *meta_check_id(edge_ctx *ctx, const edge_field *field, json_t *value);

/* "/v25.0" and a formatted rest, whose values are encoded. */
EDGE_PRINTF(2, 3) const char *meta_path(edge_ctx *ctx, const char *format, ...);

struct meta_target_page {
    const char *id, *token; /* token: the Page's own */
};

/*
 * The Page asked for, else the connected one, else the user's only one. 409 "no_page_connected",
 * "page_selection_required" with "pages"; 403 "provider_permission_denied" when Meta gives no token for it.
 */
struct meta_target_page meta_target_page(struct tool *tool, const char *asked);

/*
 * The Instagram account asked for, else the connected one, else the only one of the user's Pages. 409
 * "no_instagram_business_account", "account_selection_required" with "accounts".
 */
EDGE_RETURNS_NONNULL const char *meta_target_instagram(struct tool *tool, const char *asked);

#endif
