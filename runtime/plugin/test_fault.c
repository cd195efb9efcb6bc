/*
 * Allocations that are refused on purpose; see test_fault.h.
 */
#include "test_fault.h"

#include "http/exchange.h"
#include "worker/state.h"

#include <edge/log.h>

#include <context.h>

#include <stdlib.h>
#include <string.h>

static bool heard(const struct exchange *exchange)
{
    static int wanted = -1;
    if (wanted < 0) {
        const char *text = worker_of(exchange->server)->boot->sandbox ? getenv("EDGE_TEST_FAULTS") : NULL;
        wanted = text != NULL && strcmp(text, "1") == 0;
    }
    return wanted == 1;
}

void test_fault_arm(const struct exchange *exchange)
{
    const char *asked = heard(exchange) ? exchange_header(exchange, "x-test-fault") : NULL;
    if (asked == NULL)
        return;
    char *end;
    unsigned long nth = strtoul(asked, &end, 10);
    context_arm(&(const struct arena_fault){ .left = (uint32_t)nth, .lasting = *end == '-' });
}

void test_fault_report(edge_ctx *ctx)
{
    const struct arena_fault *fault = &ctx->arena.fault;
    if (fault->left > 0 || fault->happened)
        edge_log(ctx, EDGE_LOG_INFO, "test_fault", { "happened", edge_bool(fault->happened) });
}
