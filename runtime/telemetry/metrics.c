/*
 * metrics: the recording side, a handful of plain stores a request.
 */
#include "telemetry/metrics.h"

#include <context.h>
#include <db.h>
#include <fcntl.h>
#include <http.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "jobs/jobs.h"
#include "supervisor/slots.h"
#include "telemetry/buckets.h"

const uint16_t metrics_statuses[SLOT_STATUSES] = { 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400,
    401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 413, 414, 415, 416, 422, 425, 428, 429, 431, 499, 500,
    501, 502, 503, 504 };

const uint32_t metrics_bounds_us[SLOT_LATENCY_BUCKETS - 1] = { 500, 1000, 2500, 5000, 10000, 25000, 50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000 };

static int status_index(int status)
{
    int low = 0, high = STATUS_OTHER_4XX - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        if (metrics_statuses[middle] == status)
            return middle;
        if (metrics_statuses[middle] < status)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return status / 100 == 4 ? STATUS_OTHER_4XX : status / 100 == 5 ? STATUS_OTHER_5XX : STATUS_OTHER;
}

static int bucket_index(int64_t duration_us)
{
    int index = 0;
    while (index < SLOT_LATENCY_BUCKETS - 1 && duration_us > metrics_bounds_us[index])
        index++;
    return index;
}

void metrics_record(
    struct slot *slot, int function_index, int status, int64_t duration_us, const struct usage *usage)
{
    struct slot_function *counters = slot_function(slot, function_index);
    counter_add(&counters->statuses[status_index(status)], 1);
    counter_add(&counters->latency[bucket_index(duration_us)], 1);
    counter_add(&counters->duration_us, (uint64_t)duration_us);
    counter_add(&counters->cpu_us, (uint64_t)usage->cpu_ns / 1000);
    counter_add(&counters->db_us, (uint64_t)usage->db_us);
    counter_add(&counters->http_us, (uint64_t)usage->http_us);
    counter_add(&counters->queries, usage->query_count);
    counter_add(&counters->fetches, usage->fetch_count);
    counter_add(&counters->bytes_in, usage->bytes_in);
    counter_add(&counters->bytes_out, usage->bytes_out);
}

void metrics_defects(struct slot *slot, int function_index, uint32_t count)
{
    counter_add(&slot_function(slot, function_index)->defects, count);
}

/* The second number of /proc/self/statm, in pages; 0 where there is no /proc. */
static uint64_t resident_bytes(void)
{
    char text[128] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);

    unsigned long total, resident;
    if (length <= 0 || sscanf(text, "%lu %lu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t cpu_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

void metrics_sample(struct slot *slot, const struct worker_reading *reading)
{
    struct slot_gauges *gauges = &slot->gauges;
    struct slot_totals *totals = &slot->totals;
    gauge_set(&gauges->connections, reading->connections);
    gauge_set(&gauges->fibers, reading->fibers);
    gauge_set(&gauges->stacks, reading->stacks);
    gauge_set(&gauges->resident_bytes, resident_bytes());
    gauge_set(&gauges->cpu_us, cpu_us());
    gauge_set(&totals->accepted, reading->accepted);
    if (reading->db != NULL) {
        gauge_set(&gauges->db_open, (uint64_t)reading->db->open);
        gauge_set(&gauges->db_busy, (uint64_t)reading->db->busy);
        gauge_set(&gauges->db_waiting, (uint64_t)reading->db->waiting);
        gauge_set(&gauges->db_reachable, reading->db->reachable);
        gauge_set(&totals->db_queries, reading->db->queries);
        gauge_set(&totals->db_errors, reading->db->errors);
        gauge_set(&totals->db_reconnects, reading->db->reconnects);
    }
    if (reading->http != NULL) {
        gauge_set(&gauges->http_active, (uint64_t)reading->http->active);
        gauge_set(&gauges->http_queued, (uint64_t)reading->http->queued);
        gauge_set(&totals->http_calls, reading->http->calls);
        gauge_set(&totals->http_failures, reading->http->failures);
        gauge_set(&totals->http_retries, reading->http->retries);
    }
    if (reading->jobs != NULL) {
        gauge_set(&gauges->jobs_running, reading->jobs->running);
        gauge_set(&totals->jobs_claimed, reading->jobs->claimed);
        gauge_set(&totals->jobs_succeeded, reading->jobs->succeeded);
        gauge_set(&totals->jobs_retried, reading->jobs->retried);
        gauge_set(&totals->jobs_dead, reading->jobs->dead);
        gauge_set(&totals->jobs_lost, reading->jobs->lost);
        gauge_set(&totals->schedules_fired, reading->jobs->fired);
    }
}
