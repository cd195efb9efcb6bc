/*
 * Metrics: what is recorded in the slots of several workers comes out as one valid exposition.
 */
#include "telemetry/metrics.h"

#include <context.h>
#include <db.h>
#include <http.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/registry.h"
#include "supervisor/slots.h"

static const char *const functions[] = { "computePulse", "odd\"\\\nname", "neverCalled" };
static struct registry *registry;

static char *render(const struct slots *slots)
{
    char *text;
    size_t length = metrics_render(slots, registry, &text);
    assert_non_null(text);
    assert_int_equal(length, strlen(text));
    return text;
}

static void has(const char *text, const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (strstr(text, wanted) == NULL)
        fail_msg("no line: %s\nin:\n%s", line, text);
}

static struct slots *recorded(void)
{
    registry_free(registry);
    registry = registry_create();
    for (int i = 0; i < 3; i++)
        assert_int_equal(registry_add(registry, functions[i]), i);
    struct slots *slots = slots_create(2);
    struct slot *first = slot_take(slots), *second = slot_take(slots);
    const struct usage usage = { .cpu_ns = 1500000,
        .db_us = 2,
        .http_us = 3,
        .query_count = 4,
        .fetch_count = 5,
        .bytes_in = 6,
        .bytes_out = 7 };
    metrics_record(first, 0, 200, 500, &usage);
    metrics_record(second, 0, 200, 501, &usage);
    metrics_record(first, 0, 504, 31000000, &usage);
    metrics_record(first, 0, 418, 1, &usage);
    metrics_record(first, 0, 599, 1, &usage);
    metrics_record(first, 0, 299, 1, &usage);
    metrics_record(first, 1, 499, 1, &usage);
    metrics_record(first, -1, 404, 1, &usage);
    metrics_defects(first, 0, 2);
    metrics_defects(second, 0, 1);
    const struct function_status serving = {
        .state = FUNCTION_SERVING, .serving = "b3", .canary = "b4", .previous = { "b2", "b1" }
    };
    const struct function_status refused = { .state = FUNCTION_NOT_LOADED };
    registry_write(registry, 0, &serving);
    registry_write(registry, 2, &refused);
    return slots;
}

static void requests_are_summed_over_workers(void **state)
{
    (void)state;
    struct slots *slots = recorded();
    char *text = render(slots);
    has(text, "# TYPE edge_requests_total counter");
    has(text, "edge_requests_total{function=\"computePulse\",status=\"200\"} 2");
    has(text, "edge_requests_total{function=\"computePulse\",status=\"504\"} 1");
    has(text, "edge_requests_total{function=\"computePulse\",status=\"4xx\"} 1");
    has(text, "edge_requests_total{function=\"computePulse\",status=\"5xx\"} 1");
    has(text, "edge_requests_total{function=\"computePulse\",status=\"other\"} 1");
    has(text, "edge_requests_total{function=\"odd\\\"\\\\\\nname\",status=\"499\"} 1");
    has(text, "edge_requests_total{function=\"neverCalled\",status=\"200\"} 0");
    has(text, "edge_requests_total{function=\"_host\",status=\"404\"} 1");
    has(text, "edge_request_cpu_seconds_total{function=\"computePulse\"} 0.009000");
    has(text, "edge_request_queries_total{function=\"computePulse\"} 24");
    has(text, "edge_function_defects_total{function=\"computePulse\"} 3");
    free(text);
    slots_free(slots);
}

static void generations_are_named(void **state)
{
    (void)state;
    struct slots *slots = recorded();
    char *text = render(slots);
    has(text, "# TYPE edge_function_info gauge");
    has(text, "edge_function_info{function=\"computePulse\",generation=\"b3\",state=\"serving\"} 1");
    has(text, "edge_function_info{function=\"computePulse\",generation=\"b4\",state=\"canary\"} 1");
    has(text, "edge_function_info{function=\"computePulse\",generation=\"b2\",state=\"previous\"} 1");
    has(text, "edge_function_info{function=\"computePulse\",generation=\"b1\",state=\"previous\"} 1");
    has(text, "edge_function_info{function=\"neverCalled\",generation=\"\",state=\"not_loaded\"} 1");
    /* Not in functions.toml, so there is nothing to say of it; nor of the host, which is no function. */
    assert_null(strstr(text, "edge_function_info{function=\"odd"));
    assert_null(strstr(text, "edge_function_info{function=\"_host"));

    const struct function_status quarantined = { .state = FUNCTION_QUARANTINED, .serving = "b3" };
    atomic_store(&registry->entries[0].blocked_until_us, 1);
    registry_write(registry, 0, &quarantined);
    free(text);
    text = render(slots);
    has(text, "edge_function_info{function=\"computePulse\",generation=\"b3\",state=\"quarantined\"} 1");
    assert_null(strstr(text, "state=\"canary\""));
    free(text);
    slots_free(slots);
}

static void histograms_cumulate(void **state)
{
    (void)state;
    struct slots *slots = recorded();
    char *text = render(slots);
    has(text, "# TYPE edge_request_duration_seconds histogram");
    has(text, "edge_request_duration_seconds_bucket{function=\"computePulse\",le=\"0.0005\"} 4");
    has(text, "edge_request_duration_seconds_bucket{function=\"computePulse\",le=\"0.001\"} 5");
    has(text, "edge_request_duration_seconds_bucket{function=\"computePulse\",le=\"10\"} 5");
    has(text, "edge_request_duration_seconds_bucket{function=\"computePulse\",le=\"30\"} 5");
    has(text, "edge_request_duration_seconds_bucket{function=\"computePulse\",le=\"+Inf\"} 6");
    has(text, "edge_request_duration_seconds_sum{function=\"computePulse\"} 31.001004");
    has(text, "edge_request_duration_seconds_count{function=\"computePulse\"} 6");
    free(text);
    slots_free(slots);
}

static void gauges_are_of_the_living(void **state)
{
    (void)state;
    struct slots *slots = slots_create(2);
    struct slot *first = slot_take(slots), *second = slot_take(slots);
    const struct db_stats db = { .open = 3, .busy = 2, .waiting = 1, .queries = 100, .reachable = true };
    const struct http_stats http = { .calls = 50, .active = 4 };
    const struct worker_reading reading = {
        .connections = 10, .accepted = 11, .fibers = 12, .stacks = 13, .db = &db, .http = &http
    };
    metrics_sample(first, &reading);
    metrics_sample(second, &reading);
    atomic_store(&first->state, SLOT_READY);
    slot_release(second);

    char *text = render(slots);
    has(text, "edge_workers{state=\"ready\"} 1");
    has(text, "edge_workers{state=\"starting\"} 0");
    has(text, "edge_connections{worker=\"0\"} 10");
    has(text, "edge_fibers{worker=\"0\"} 12");
    has(text, "edge_db_connections_busy{worker=\"0\"} 2");
    has(text, "edge_db_reachable{worker=\"0\"} 1");
    has(text, "edge_db_queries_total 200");
    has(text, "edge_provider_calls_total 100");
    has(text, "edge_connections_accepted_total 22");
    assert_null(strstr(text, "worker=\"1\""));
    assert_non_null(strstr(text, "edge_build_info{version=\""));
    free(text);

    assert_ptr_equal(slot_take(slots), second);
    metrics_sample(second, &reading);
    text = render(slots);
    has(text, "edge_db_queries_total 300");
    free(text);
    slots_free(slots);
}

/* Name of the family a sample belongs to, by the type announced last. */
static bool belongs(const char *sample, const char *family, const char *type)
{
    size_t length = strcspn(sample, "{ ");
    size_t stem = strlen(family);
    if (strncmp(sample, family, stem) != 0)
        return false;
    if (strcmp(type, "histogram") != 0)
        return length == stem;
    return strncmp(sample + stem, "_bucket", 7) == 0 || strncmp(sample + stem, "_sum", 4) == 0 ||
           strncmp(sample + stem, "_count", 6) == 0;
}

/* The rules promtool checks: HELP and TYPE before the samples, each family once, counters end in _total. */
static void keeps_the_rules_of_the_format(void **state)
{
    (void)state;
    struct slots *slots = recorded();
    char *text = render(slots), seen[8192] = "\n", family[128] = "", type[32] = "";
    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            char needle[160];
            assert_int_equal(sscanf(line, "# HELP %127s", family), 1);
            snprintf(needle, sizeof(needle), "\n%s\n", family);
            assert_null(strstr(seen, needle));
            strcat(strcat(seen, family), "\n");
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            char named[128];
            assert_int_equal(sscanf(line, "# TYPE %127s %31s", named, type), 2);
            assert_string_equal(named, family);
            size_t length = strlen(family);
            bool total = length > 6 && strcmp(family + length - 6, "_total") == 0;
            assert_int_equal(total, strcmp(type, "counter") == 0);
        } else {
            assert_true(belongs(line, family, type));
        }
    }
    free(text);
    slots_free(slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_summed_over_workers),
        cmocka_unit_test(generations_are_named),
        cmocka_unit_test(histograms_cumulate),
        cmocka_unit_test(gauges_are_of_the_living),
        cmocka_unit_test(keeps_the_rules_of_the_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
