/*
 * render: the counters of all slots as Prometheus text, exposition format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 *
 * All samples of a family stand together under one HELP and TYPE. Functions that were never called have no
 * samples but their request count, so that a rate over it starts at zero.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/registry.h"
#include "supervisor/slots.h"
#include "telemetry/buckets.h"
#include "telemetry/metrics.h"

#define HOST_LABEL "_host" /* requests that belong to no function */

/* A slot's counters are read as rows of 64-bit cells, to be added up without naming each. */
#define CELLS (sizeof(struct slot_function) / sizeof(uint64_t))
#define CELL(member) (offsetof(struct slot_function, member) / sizeof(uint64_t))

enum unit {
    UNIT_COUNT,
    UNIT_MICROSECONDS
};

struct family {
    const char *name, *help;
    size_t offset;
    enum unit unit;
};

struct row {
    const char *function;
    uint64_t cells[CELLS];
};

struct rendering {
    FILE *to;
    const struct slots *slots;
    const struct registry *registry;
    struct row *rows; /* the functions by their numbers, then the host */
    size_t row_count;
};

/* --- collecting --- */

static void add_cells(struct row *row, const struct slot_function *counters)
{
    const _Atomic uint64_t *cells = counters->statuses;
    for (size_t i = 0; i < CELLS; i++)
        row->cells[i] += counter_read(&cells[i]);
}

static int collect(struct rendering *rendering)
{
    const struct registry *registry = rendering->registry;
    size_t functions = (size_t)atomic_load(&registry->count);
    rendering->row_count = functions + 1;
    rendering->rows = calloc(rendering->row_count, sizeof(struct row));
    if (rendering->rows == NULL)
        return -1;

    for (size_t i = 0; i <= functions; i++) {
        rendering->rows[i].function = i < functions ? registry->entries[i].name : HOST_LABEL;
        for (int s = 0; s < rendering->slots->count; s++) {
            const struct slot *slot = &rendering->slots->slots[s];
            add_cells(&rendering->rows[i], i < functions ? &slot->functions[i] : &slot->host);
        }
    }
    return 0;
}

/* --- writing --- */

static void put_family(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_value(FILE *to, uint64_t value, enum unit unit)
{
    if (unit == UNIT_COUNT)
        fprintf(to, " %" PRIu64 "\n", value);
    else
        fprintf(to, " %" PRIu64 ".%06u\n", value / 1000000, (unsigned)(value % 1000000));
}

static void put_label(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            fputs("\\n", to);
        else if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else
            fputc(*text, to);
    }
}

static void put_function(FILE *to, const char *name, const struct row *row)
{
    fprintf(to, "%s{function=\"", name);
    put_label(to, row->function);
    fputc('"', to);
}

/* --- families of functions --- */

static void put_status(FILE *to, int index)
{
    if (index < STATUS_OTHER_4XX)
        fprintf(to, ",status=\"%d\"}", metrics_statuses[index]);
    else
        fprintf(to, ",status=\"%s\"}",
            index == STATUS_OTHER_4XX   ? "4xx"
            : index == STATUS_OTHER_5XX ? "5xx"
                                        : "other");
}

static void render_requests(struct rendering *rendering)
{
    static const char name[] = "edge_requests_total";
    put_family(rendering->to, name, "counter", "Ended invocations by function and status.");
    for (size_t r = 0; r < rendering->row_count; r++) {
        const struct row *row = &rendering->rows[r];
        for (int i = 0; i < SLOT_STATUSES; i++) {
            uint64_t count = row->cells[CELL(statuses) + (size_t)i];
            if (count == 0 && i > 0)
                continue;
            put_function(rendering->to, name, row);
            put_status(rendering->to, i);
            put_value(rendering->to, count, UNIT_COUNT);
        }
    }
}

/* Seconds of a bound without trailing zeros: "0.0005", "30". */
static void put_bound(FILE *to, uint32_t bound_us)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%u.%06u", bound_us / 1000000, bound_us % 1000000);
    while (text[length - 1] == '0')
        length--;
    if (text[length - 1] == '.')
        length--;
    fprintf(to, "%.*s", length, text);
}

static void render_histogram(FILE *to, const char *name, const struct row *row)
{
    uint64_t cumulated = 0;
    for (int i = 0; i < SLOT_LATENCY_BUCKETS; i++) {
        cumulated += row->cells[CELL(latency) + (size_t)i];
        fprintf(to, "%s_bucket{function=\"", name);
        put_label(to, row->function);
        fputs("\",le=\"", to);
        if (i < SLOT_LATENCY_BUCKETS - 1)
            put_bound(to, metrics_bounds_us[i]);
        else
            fputs("+Inf", to);
        fprintf(to, "\"} %" PRIu64 "\n", cumulated);
    }
    fprintf(to, "%s_sum{function=\"", name);
    put_label(to, row->function);
    fputs("\"}", to);
    put_value(to, row->cells[CELL(duration_us)], UNIT_MICROSECONDS);
    fprintf(to, "%s_count{function=\"", name);
    put_label(to, row->function);
    fprintf(to, "\"} %" PRIu64 "\n", cumulated);
}

static bool was_called(const struct row *row)
{
    for (size_t i = 0; i < SLOT_LATENCY_BUCKETS; i++)
        if (row->cells[CELL(latency) + i] != 0)
            return true;
    return false;
}

static void render_latency(struct rendering *rendering)
{
    static const char name[] = "edge_request_duration_seconds";
    put_family(rendering->to, name, "histogram", "Time from the request's arrival to the end of its answer.");
    for (size_t r = 0; r < rendering->row_count; r++)
        if (was_called(&rendering->rows[r]))
            render_histogram(rendering->to, name, &rendering->rows[r]);
}

static void render_functions(struct rendering *rendering)
{
    static const struct family families[] = {
        { "edge_request_cpu_seconds_total", "Processor time of invocations.", CELL(cpu_us), UNIT_MICROSECONDS },
        { "edge_request_db_seconds_total", "Time parked in queries.", CELL(db_us), UNIT_MICROSECONDS },
        { "edge_request_provider_seconds_total", "Time parked in provider calls.", CELL(http_us),
            UNIT_MICROSECONDS },
        { "edge_request_queries_total", "Statements sent by invocations.", CELL(queries), UNIT_COUNT },
        { "edge_request_fetches_total", "Provider calls made by invocations.", CELL(fetches), UNIT_COUNT },
        { "edge_request_received_bytes_total", "Bytes of requests.", CELL(bytes_in), UNIT_COUNT },
        { "edge_request_sent_bytes_total", "Bytes of answers.", CELL(bytes_out), UNIT_COUNT },
        { "edge_function_defects_total", "Descriptors and transactions that the function left open.",
            CELL(defects), UNIT_COUNT },
        { "edge_function_crashes_total", "Workers lost while the function ran.", CELL(crashes), UNIT_COUNT },
    };
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        put_family(rendering->to, families[f].name, "counter", families[f].help);
        for (size_t r = 0; r < rendering->row_count; r++) {
            const struct row *row = &rendering->rows[r];
            if (!was_called(row) && row->cells[families[f].offset] == 0)
                continue;
            put_function(rendering->to, families[f].name, row);
            fputc('}', rendering->to);
            put_value(rendering->to, row->cells[families[f].offset], families[f].unit);
        }
    }
}

static void put_info(FILE *to, const struct row *row, const char *generation, const char *state)
{
    if (generation[0] == '\0' && strcmp(state, "canary") == 0)
        return;
    put_function(to, "edge_function_info", row);
    fprintf(to, ",generation=\"%s\",state=\"%s\"} 1\n", generation, state);
}

/* Joined with the counters by function, a change of the generation shows beside what it did to them. */
static void render_generations(struct rendering *rendering)
{
    put_family(rendering->to, "edge_function_info", "gauge",
        "1; which build of a function is served, tried out as a canary, or kept to go back to.");
    for (size_t r = 0; r + 1 < rendering->row_count; r++) {
        const struct row *row = &rendering->rows[r];
        struct function_status status;
        registry_read(rendering->registry, (int)r, &status);
        if (status.state == FUNCTION_ABSENT)
            continue;
        put_info(rendering->to, row, status.serving, function_state_name(status.state));
        put_info(rendering->to, row, status.canary, "canary");
        for (size_t i = 0; i < REGISTRY_PREVIOUS_MAX && status.previous[i][0] != '\0'; i++)
            put_info(rendering->to, row, status.previous[i], "previous");
    }
}

/* --- families of workers --- */

static uint64_t gauge_at(const struct slot_gauges *gauges, size_t offset)
{
    return counter_read((const _Atomic uint64_t *)((const char *)gauges + offset));
}

static void render_gauges(struct rendering *rendering)
{
#define GAUGE(member) offsetof(struct slot_gauges, member)
    static const struct family families[] = {
        { "edge_connections", "Client connections open.", GAUGE(connections), UNIT_COUNT },
        { "edge_fibers", "Fibers alive.", GAUGE(fibers), UNIT_COUNT },
        { "edge_fiber_stacks", "Fiber stacks mapped, in use or pooled.", GAUGE(stacks), UNIT_COUNT },
        { "edge_db_connections", "Database connections open.", GAUGE(db_open), UNIT_COUNT },
        { "edge_db_connections_busy", "Database connections in use.", GAUGE(db_busy), UNIT_COUNT },
        { "edge_db_waiting", "Fibers waiting for a database connection.", GAUGE(db_waiting), UNIT_COUNT },
        { "edge_db_reachable", "1 while the database answers.", GAUGE(db_reachable), UNIT_COUNT },
        { "edge_provider_active", "Provider calls under way.", GAUGE(http_active), UNIT_COUNT },
        { "edge_provider_queued", "Provider calls waiting for their turn.", GAUGE(http_queued), UNIT_COUNT },
        { "edge_jobs_running", "Durable jobs under way.", GAUGE(jobs_running), UNIT_COUNT },
        { "edge_worker_resident_bytes", "Resident memory.", GAUGE(resident_bytes), UNIT_COUNT },
        { "edge_worker_cpu_seconds_total", "Processor time.", GAUGE(cpu_us), UNIT_MICROSECONDS },
    };
#undef GAUGE
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++) {
        const struct family *family = &families[f];
        put_family(rendering->to, family->name, family->unit == UNIT_COUNT ? "gauge" : "counter", family->help);
        for (int s = 0; s < rendering->slots->count; s++) {
            const struct slot *slot = &rendering->slots->slots[s];
            if (atomic_load(&slot->state) == SLOT_FREE)
                continue;
            fprintf(rendering->to, "%s{worker=\"%d\"}", family->name, s);
            put_value(rendering->to, gauge_at(&slot->gauges, family->offset), family->unit);
        }
    }
}

static uint64_t total_at(const struct slots *slots, size_t offset)
{
    uint64_t sum = 0;
    for (int s = 0; s < slots->count; s++) {
        const struct slot *slot = &slots->slots[s];
        sum += counter_read((const _Atomic uint64_t *)((const char *)&slot->totals + offset));
        sum += counter_read((const _Atomic uint64_t *)((const char *)&slot->totals_before + offset));
    }
    return sum;
}

static void put_counter(FILE *to, const char *name, const char *help, uint64_t value)
{
    put_family(to, name, "counter", help);
    fprintf(to, "%s %" PRIu64 "\n", name, value);
}

static void render_totals(struct rendering *rendering)
{
#define TOTAL(member) offsetof(struct slot_totals, member)
    static const struct family families[] = {
        { "edge_connections_accepted_total", "Client connections accepted.", TOTAL(accepted), UNIT_COUNT },
        { "edge_db_queries_total", "Statements sent.", TOTAL(db_queries), UNIT_COUNT },
        { "edge_db_errors_total", "Statements that failed.", TOTAL(db_errors), UNIT_COUNT },
        { "edge_db_reconnects_total", "Lost connections made anew.", TOTAL(db_reconnects), UNIT_COUNT },
        { "edge_provider_calls_total", "Provider calls.", TOTAL(http_calls), UNIT_COUNT },
        { "edge_provider_failures_total", "Provider calls that failed.", TOTAL(http_failures), UNIT_COUNT },
        { "edge_provider_retries_total", "Provider calls repeated.", TOTAL(http_retries), UNIT_COUNT },
        { "edge_jobs_claimed_total", "Durable jobs begun.", TOTAL(jobs_claimed), UNIT_COUNT },
        { "edge_jobs_succeeded_total", "Durable jobs done.", TOTAL(jobs_succeeded), UNIT_COUNT },
        { "edge_jobs_retried_total", "Attempts of jobs that failed and are repeated.", TOTAL(jobs_retried),
            UNIT_COUNT },
        { "edge_jobs_dead_total", "Jobs given up.", TOTAL(jobs_dead), UNIT_COUNT },
        { "edge_jobs_lost_total", "Jobs cancelled since their lease ran out.", TOTAL(jobs_lost), UNIT_COUNT },
        { "edge_schedules_fired_total", "Scheduled minutes turned into jobs.", TOTAL(schedules_fired),
            UNIT_COUNT },
    };
#undef TOTAL
    for (size_t f = 0; f < sizeof(families) / sizeof(*families); f++)
        put_counter(
            rendering->to, families[f].name, families[f].help, total_at(rendering->slots, families[f].offset));
}

static void render_states(struct rendering *rendering)
{
    static const char *const names[] = {
        [SLOT_STARTING] = "starting", [SLOT_READY] = "ready", [SLOT_DRAINING] = "draining"
    };
    put_family(rendering->to, "edge_workers", "gauge", "Workers by state.");
    for (int state = SLOT_STARTING; state <= SLOT_DRAINING; state++) {
        int count = 0;
        for (int s = 0; s < rendering->slots->count; s++)
            count += atomic_load(&rendering->slots->slots[s].state) == state;
        fprintf(rendering->to, "edge_workers{state=\"%s\"} %d\n", names[state], count);
    }
}

static void render_process(struct rendering *rendering)
{
    FILE *to = rendering->to;
    put_family(to, "edge_build_info", "gauge", "1; the version is in the label.");
    fprintf(to, "edge_build_info{version=\"%s\"} 1\n", EDGE_VERSION);
    put_family(to, "process_start_time_seconds", "gauge", "Start of the supervisor, Unix time.");
    fputs("process_start_time_seconds", to);
    put_value(to, (uint64_t)rendering->slots->started_at_us, UNIT_MICROSECONDS);
    put_counter(to, "edge_worker_restarts_total", "Workers that died and were replaced.",
        counter_read(&rendering->slots->restarts));
    put_counter(to, "edge_worker_kills_total", "Workers killed because they stood still.",
        counter_read(&rendering->slots->kills));
}

size_t metrics_render(const struct slots *slots, const struct registry *registry, char **out)
{
    size_t length = 0;
    struct rendering rendering = { .slots = slots, .registry = registry };
    *out = NULL;
    if (collect(&rendering) < 0)
        return 0;

    rendering.to = open_memstream(out, &length);
    if (rendering.to != NULL) {
        render_process(&rendering);
        render_states(&rendering);
        render_gauges(&rendering);
        render_totals(&rendering);
        render_requests(&rendering);
        render_latency(&rendering);
        render_functions(&rendering);
        render_generations(&rendering);
        bool whole = ferror(rendering.to) == 0;
        if (fclose(rendering.to) != 0 || !whole) {
            free(*out);
            *out = NULL;
            length = 0;
        }
    }
    free(rendering.rows);
    return length;
}
