/*
 * status: the registry and the counters as JSON; see status.h.
 */
#include "supervisor/status.h"

#include "config/config.h"
#include "supervisor/deployment.h"
#include "supervisor/slots.h"
#include "supervisor/workers.h"
#include "telemetry/buckets.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static json_t *time_json(int64_t unix_us)
{
    char text[32], whole[40];
    struct tm utc;
    time_t seconds = (time_t)(unix_us / 1000000);
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(whole, sizeof whole, "%s.%03dZ", text, (int)(unix_us / 1000 % 1000));
    return json_string(whole);
}

/*
 * Milliseconds that a share of the calls took at most, as far as buckets tell: between a bucket's bounds it is
 * taken to be even. Beyond the last bound there is only that bound.
 */
static double percentile_ms(const uint64_t buckets[SLOT_LATENCY_BUCKETS], uint64_t calls, double share)
{
    double rank = share * (double)calls, below = 0;
    for (int i = 0; i < SLOT_LATENCY_BUCKETS - 1; i++) {
        double low = i == 0 ? 0 : metrics_bounds_us[i - 1], high = metrics_bounds_us[i];
        if (buckets[i] > 0 && below + (double)buckets[i] >= rank)
            return (low + (high - low) * (rank - below) / (double)buckets[i]) / 1000;
        below += (double)buckets[i];
    }
    return metrics_bounds_us[SLOT_LATENCY_BUCKETS - 2] / 1000.0;
}

static void add_latency(json_t *object, const struct slots *slots, int index)
{
    uint64_t buckets[SLOT_LATENCY_BUCKETS] = { 0 }, calls = 0;
    for (int s = 0; s < slots->count; s++)
        for (int i = 0; i < SLOT_LATENCY_BUCKETS; i++)
            buckets[i] += counter_read(&slots->slots[s].functions[index].latency[i]);
    for (int i = 0; i < SLOT_LATENCY_BUCKETS; i++)
        calls += buckets[i];
    json_t *p50 = calls > 0 ? json_real(percentile_ms(buckets, calls, 0.5)) : json_null();
    json_t *p99 = calls > 0 ? json_real(percentile_ms(buckets, calls, 0.99)) : json_null();
    json_object_set_new(object, "p50Ms", p50);
    json_object_set_new(object, "p99Ms", p99);
}

static void add_counts(json_t *object, const struct slots *slots, int index)
{
    uint64_t calls = 0, errors = 0, crashes = 0;
    for (int s = 0; s < slots->count; s++) {
        const struct slot_function *function = &slots->slots[s].functions[index];
        for (int i = 0; i < SLOT_STATUSES; i++) {
            uint64_t count = counter_read(&function->statuses[i]);
            calls += count;
            errors += i == STATUS_OTHER_5XX || metrics_statuses[i] >= 500 ? count : 0;
        }
        crashes += counter_read(&function->crashes);
    }
    json_object_set_new(object, "calls", json_integer((json_int_t)calls));
    json_object_set_new(object, "errors", json_integer((json_int_t)errors));
    json_object_set_new(object, "crashes", json_integer((json_int_t)crashes));
}

static json_t *function_json(
    const struct registry *registry, const struct slots *slots, int index, const struct function_status *status)
{
    json_t *previous = json_array();
    for (int i = 0; i < REGISTRY_PREVIOUS_MAX; i++)
        if (status->previous[i][0] != '\0')
            json_array_append_new(previous, json_string(status->previous[i]));
    json_t *object = json_pack("{s:s, s:s, s:s?, s:o}", "name", registry->entries[index].name, "state",
        function_state_name(status->state), "generation", status->serving[0] != '\0' ? status->serving : NULL,
        "previous", previous);
    if (status->canary[0] != '\0')
        json_object_set_new(object, "canary", json_string(status->canary));
    if (status->serving[0] != '\0')
        json_object_set_new(object, "since", time_json(status->since_us));
    if (status->problem[0] != '\0')
        json_object_set_new(object, "problem",
            json_pack("{s:s, s:o}", "reason", status->problem, "at", time_json(status->problem_at_us)));
    if (registry_is_stale(registry, index))
        json_object_set_new(object, "stale", json_true());
    add_counts(object, slots, index);
    add_latency(object, slots, index);
    return object;
}

json_t *status_functions(const struct registry *registry, const struct slots *slots)
{
    json_t *functions = json_array();
    int count = atomic_load(&registry->count);
    for (int i = 0; i < count; i++) {
        struct function_status status;
        registry_read(registry, i, &status);
        if (status.state != FUNCTION_ABSENT)
            json_array_append_new(functions, function_json(registry, slots, i, &status));
    }
    return functions;
}

json_t *status_json(const struct supervisor *supervisor)
{
    return json_pack("{s:b, s:i, s:I, s:s, s:b, s:i, s:o}", "ok", 1, "pid", (int)getpid(), "revision",
        (json_int_t)supervisor->deployment->number, "address", supervisor->listener.address, "tls",
        supervisor->config->server.tls_cert != NULL, "workers", workers_count(supervisor, PROCESS_READY),
        "functions", status_functions(supervisor->registry, supervisor->slots));
}
