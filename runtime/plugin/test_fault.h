/*
 * Faults that a test asks for in a request: its invocation's n-th allocation is refused.
 *
 *     x-test-fault: 7       the seventh
 *     x-test-fault: 7-      the seventh and all after it
 *
 * Heard only by a host with the sandbox and EDGE_TEST_FAULTS=1, so nobody can ask it of one that serves users.
 * The log event "test_fault" says, once the invocation has been released, whether it has come to that
 * allocation.
 */
#ifndef PLUGIN_TEST_FAULT_H
#define PLUGIN_TEST_FAULT_H

#include <edge/base.h>

struct exchange;

/* Arms the next context with what the request asks for. */
void test_fault_arm(const struct exchange *exchange);

/* The invocation is over. */
void test_fault_report(edge_ctx *ctx);

#endif
