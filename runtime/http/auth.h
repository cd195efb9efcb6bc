/*
 * Who calls: from a request's credentials to the invocation's identity, by the function's auth mode.
 *
 * A credential is looked for in x-clerk-auth first, then in Authorization, each with or without "Bearer ".
 * Anon and publishable keys are no credential: the search goes on behind them.
 *
 *   mode              nobody  bad token  user                      service key
 *   public            nobody is asked: the caller stays nobody
 *   optional          passes  401        passes                    passes
 *   user              401     401        passes                    403 forbidden
 *   user_or_service   401     401        passes                    passes
 *   service           401     401        403 forbidden             passes
 *   admin             401     401        403 admin_required, or    403 admin_required
 *                                        passes with the role
 *   webhook:<scheme>  the scheme's verifier decides on headers and body (webhook.h)
 */
#ifndef HTTP_AUTH_H
#define HTTP_AUTH_H

#include <config/config.h>
#include <context.h>

/*
 * Fills ctx->identity, or fails the invocation: the above, 503 "not_configured" when no key is configured to
 * verify a token with, 502 "provider_unreachable" when the keys cannot be fetched. Main fiber only; parks.
 * Under the service key the acting user is left to the body (EDGE_USER).
 */
void auth_identify(edge_ctx *ctx, const struct function_config *function);

/*
 * For a call from within the process: holds the identity that ctx has been given against the mode, with the
 * same answers. A webhook's mode refuses, since there is no signed event.
 */
void auth_require(edge_ctx *ctx, const struct function_config *function);

#endif
