/*
 * A worker process: starts everything on its one loop, serves, drains; see worker.h.
 */
#include "worker.h"

#include "crash.h"
#include "deadline.h"
#include "dispatch.h"
#include "http/jwks.h"
#include "http/last_words.h"
#include "http/rate.h"
#include "http/token_system.h"
#include "http/websocket.h"
#include "jobs/jobs.h"
#include "log_batches.h"
#include "memory_limit.h"
#include "modules.h"
#include "plugin/descriptors.h"
#include "plugin/invoke.h"
#include "state.h"
#include "supervisor/control.h"
#include "supervisor/slots.h"
#include "telemetry/metrics.h"

#include <arena.h>
#include <context.h>
#include <db.h>
#include <http.h>
#include <log.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double SAMPLE_SECONDS = 1.0;
enum {
    JWKS_TIMEOUT_MS = 5000,
    /*
     * Of a worker that others have replaced: longer than clients of Node keep a connection that is not used
     * (undici: 4 s), so that they let go first and none is closed under a request.
     */
    LINGER_MS = 5000,
    LEAD_MAX = 4 /* connections more than another worker has, before that one is left the next */
};

/* The watchdog's and metrics' worker: fiber switches say in shared memory what runs. */
static struct worker *this_worker;

static void on_switch(edge_ctx *ctx, int64_t now_us)
{
    struct slot *slot = this_worker->boot->slot;
    if (ctx == NULL) {
        slot_leave(slot);
        return;
    }
    slot_enter(slot, ctx->function_index, ctx->name, ctx->generation, ctx->request_id, now_us);
}

static void on_release(edge_ctx *ctx)
{
    descriptors_end(ctx);
    if (ctx->usage.defect_count > 0)
        metrics_defects(this_worker->boot->slot, ctx->function_index, ctx->usage.defect_count);
}

static void stop_loop(struct http_server *server)
{
    ev_break(server->loop, EVBREAK_ALL);
}

static void drain_took_too_long(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct worker *worker = timer->data;
    log_event(EDGE_LOG_WARN, "drain_timeout",
        { "connections", edge_int((int64_t)worker->server.connection_count) },
        { "exchanges", edge_int((int64_t)worker->server.exchange_count) });
    ev_break(loop, EVBREAK_ALL);
}

static void limit_drain(struct worker *worker, int64_t milliseconds)
{
    ev_timer_stop(worker->server.loop, &worker->drain_limit);
    ev_timer_set(&worker->drain_limit, (double)milliseconds / 1000, 0);
    ev_timer_start(worker->server.loop, &worker->drain_limit);
}

static void drain(struct worker *worker)
{
    if (worker->server.draining)
        return;
    atomic_store(&worker->boot->slot->state, SLOT_DRAINING);
    limit_drain(worker, worker->boot->config->server.drain_timeout_ms);
    websocket_drain();
    jobs_drain();
    http_server_drain(&worker->server);
}

/* What functions have taken with malloc and not given back stays taken: another worker begins afresh. */
static void look_at_memory(struct worker *worker)
{
    size_t used = 0;
    if (worker->server.draining || !memory_is_short(&used))
        return;
    log_event(EDGE_LOG_WARN, "worker_memory", { "bytes", edge_int((int64_t)used) },
        { "limitBytes", edge_int((int64_t)worker->boot->memory_bytes) });
    control_send(worker->boot->control_fd, CONTROL_RETIRING);
    drain(worker);
}

/* A function has crashed: another worker is to take over, and this one ends before what was hurt does harm. */
static void retire(struct worker *worker)
{
    worker->crashed = true;
    worker->server.drain_linger_ms = CRASH_DRAIN_MS / 2;
    control_send(worker->boot->control_fd, CONTROL_RETIRING);
    drain(worker);
    limit_drain(worker, CRASH_DRAIN_MS);
}

/* Memory may be damaged: nothing is given back in order. Who still waits is told so. */
__attribute__((noreturn)) static void leave_crashed(struct worker *worker)
{
    last_words(&worker->server, NULL);
    log_event(EDGE_LOG_INFO, "worker_stopped", { "crashed", edge_bool(true) });
    log_flush();
    _exit(0);
}

static void on_terminate(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop, (void)events;
    drain(watcher->data);
}

/* A client that has just sent its next request is answered, and told to go. */
static void leave(struct worker *worker, int64_t linger_ms)
{
    int64_t half_ms = worker->boot->config->server.drain_timeout_ms / 2;
    bool hurry = worker->server.draining && linger_ms < worker->server.drain_linger_ms;
    worker->server.drain_linger_ms = half_ms < linger_ms ? half_ms : linger_ms;
    if (hurry)
        http_server_drain_idle(&worker->server);
    drain(worker);
}

static void go(struct worker *worker)
{
    if (worker->server.draining)
        return;
    http_server_accept(&worker->server);
    jobs_start(worker);
    atomic_store(&worker->boot->slot->state, SLOT_READY);
}

static void prepare(struct worker *worker, const struct control_message *message)
{
    struct load_error error = { "" };
    int result = revision_prepare(worker, message->text, &error);
    if (result == 0)
        control_say(worker->boot->control_fd, CONTROL_PREPARED, message->number, NULL);
    else
        control_say(worker->boot->control_fd, CONTROL_REFUSED, message->number, error.text);
}

static void on_control(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct worker *worker = watcher->data;
    struct control_message message;
    switch (control_hear(watcher->fd, &message)) {
    case CONTROL_GO:
        go(worker);
        break;
    case CONTROL_PREPARE:
        prepare(worker, &message);
        break;
    case CONTROL_FOLLOW:
        revision_follow(worker);
        break;
    case CONTROL_ABANDON:
        revision_abandon(worker);
        break;
    case CONTROL_LEAVE:
        leave(worker, LINGER_MS);
        break;
    case CONTROL_CLOSED:
        ev_io_stop(loop, watcher);
        drain(worker);
        break;
    case CONTROL_DRAIN:
        http_server_accept_queue(&worker->server);
        leave(worker, worker->boot->config->server.drain_linger_ms);
        break;
    default:
        break;
    }
}

static void on_sample(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct worker *worker = timer->data;
    size_t fibers = 0, stacks = 0;
    struct db_stats db = { 0 };
    struct http_stats http = { 0 };
    fiber_counts(&fibers, &stacks);
    db_get_stats(&db);
    http_get_stats(&http);
    metrics_sample(worker->boot->slot, &(struct worker_reading){
                                           .connections = worker->server.connection_count,
                                           .accepted = worker->server.accepted,
                                           .fibers = fibers,
                                           .stacks = stacks,
                                           .db = worker->boot->config->database.url != NULL ? &db : NULL,
                                           .http = &http,
                                           .jobs = jobs_get_stats(),
                                       });
    look_at_memory(worker);
}

/* Sampled counts are up to a second old; this one is as of the last connection that was accepted. */
static bool others_have_fewer(const struct http_server *server)
{
    const struct worker *worker = worker_of((struct http_server *)server);
    const struct slots *slots = worker->boot->slots;
    struct slot *own = worker->boot->slot;
    bool fewer = false;
    atomic_store_explicit(&own->gauges.connections, server->connection_count, memory_order_relaxed);
    for (int i = 0; i < slots->count; i++) {
        const struct slot *slot = &slots->slots[i];
        if (slot != own && atomic_load_explicit(&slot->state, memory_order_relaxed) == SLOT_READY)
            fewer = fewer || atomic_load_explicit(&slot->gauges.connections, memory_order_relaxed) + LEAD_MAX <
                                 server->connection_count;
    }
    return fewer;
}

static int start_database(struct worker *worker)
{
    const struct database_config *database = &worker->boot->config->database;
    if (database->url == NULL)
        return 0;
    return db_start(worker->server.loop, &(struct db_settings){
                                             .url = database->url,
                                             .pool_max = database->pool,
                                             .acquire_timeout_ms = database->acquire_timeout_ms,
                                             .statement_timeout_ms = database->statement_timeout_ms,
                                             .pgbouncer = database->pgbouncer,
                                         });
}

/* The providers of functions.toml, and the key set's server under a name that no function can give. */
static int start_providers(struct worker *worker)
{
    const struct config *config = worker->boot->config;
    struct provider_settings *settings = calloc(config->provider_count + 2, sizeof *settings);
    if (settings == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->provider_count; i++) {
        const struct provider_config *provider = &config->providers[i];
        settings[i] = (struct provider_settings){
            .name = provider->name,
            .base_url = provider->base_url,
            .key = provider->key,
            .key_header = provider->key_header,
            .key_variable = provider->key_variable,
            .url_host = provider->url_host,
            .public_urls = provider->public_urls,
            .http_urls = provider->http_urls,
            .timeout_ms = provider->timeout_ms,
            .connect_timeout_ms = provider->connect_timeout_ms,
            .first_byte_timeout_ms = provider->first_byte_timeout_ms,
            .silence_timeout_ms = provider->silence_timeout_ms,
            .max_concurrency = provider->max_concurrency,
            .retries = provider->retries,
        };
    }
    size_t count = config->provider_count;
    if (config->auth.jwks_url != NULL)
        settings[count++] = (struct provider_settings){
            .name = JWKS_PROVIDER,
            .base_url = config->auth.jwks_url,
            .timeout_ms = JWKS_TIMEOUT_MS,
            .connect_timeout_ms = JWKS_TIMEOUT_MS,
        };
    modules_add_provider(settings, &count);
    int result = http_start(worker->server.loop, settings, count);
    free(settings);
    return result;
}

static void read_test_clock(struct worker *worker)
{
    const char *text = worker->boot->sandbox ? getenv("EDGE_TEST_CLOCK") : NULL;
    worker->test_clock_us = text != NULL ? strtoll(text, NULL, 10) * 1000000 : 0;
}

static int start(struct worker *worker)
{
    const struct config *config = worker->boot->config;
    struct ev_loop *loop = worker->server.loop;
    memory_limit_start(worker->boot->memory_bytes);
    fiber_system_start(loop, config->server.fiber_stack_bytes);
    fiber_on_switch(on_switch);
    context_on_release(on_release);
    deadline_system_start(loop);
    read_test_clock(worker);
    invoke_check_answers(config->auth.development_key != NULL);
    rate_use(worker->boot->rates);
    int result = start_database(worker);
    if (result == 0)
        result = start_providers(worker);
    if (result == 0)
        result = modules_start(worker);
    if (result == 0)
        result = token_system_start(&config->auth);
    if (result == 0)
        result = revision_start(worker);
    if (result == 0)
        result = websocket_start(loop);
    if (result == 0)
        result = http_server_start(&worker->server, loop, config, worker->boot->listen_fd);
    if (result == 0)
        invoke_internal_start(worker);
    if (result < 0)
        log_event(EDGE_LOG_ERROR, "worker_start_failed", { "reason", edge_text(strerror(-result)) });
    return result;
}

static void watch(struct worker *worker)
{
    struct ev_loop *loop = worker->server.loop;
    ev_io_init(&worker->control, on_control, worker->boot->control_fd, EV_READ);
    ev_signal_init(&worker->terminate, on_terminate, SIGTERM);
    ev_timer_init(&worker->sample, on_sample, 0, SAMPLE_SECONDS);
    ev_timer_init(&worker->drain_limit, drain_took_too_long, 0, 0);
    worker->control.data = worker->terminate.data = worker->sample.data = worker->drain_limit.data = worker;
    ev_io_start(loop, &worker->control);
    ev_signal_start(loop, &worker->terminate);
    ev_timer_start(loop, &worker->sample);
}

static void stop(struct worker *worker)
{
    jobs_stop();
    websocket_stop();
    http_server_stop(&worker->server);
    revision_stop(worker);
    modules_stop();
    http_stop();
    if (worker->boot->config->database.url != NULL)
        db_stop();
    token_system_stop();
    deadline_system_stop();
    fiber_system_stop();
}

int worker_run(const struct worker_boot *boot)
{
    char name[32];
    snprintf(name, sizeof name, "worker %d", boot->index);
    log_set_source(name);
    arena_attach_jansson();
    struct worker *worker = calloc(1, sizeof *worker);
    struct ev_loop *loop = worker != NULL ? ev_default_loop(EVFLAG_AUTO) : NULL;
    if (loop == NULL)
        return 1;
    this_worker = worker;
    worker->boot = boot;
    worker->server.loop = loop;
    worker->server.head = dispatch_head;
    worker->server.dispatch = dispatch_request;
    worker->server.others_have_fewer = others_have_fewer;
    worker->server.drained = stop_loop;
    if (start(worker) < 0)
        return 1;
    crash_install(worker, retire);

    watch(worker);
    log_batches_start(loop);
    control_say(boot->control_fd, CONTROL_READY, worker->revision->number, NULL);
    ev_run(loop, 0);

    if (worker->crashed)
        leave_crashed(worker);
    stop(worker);
    log_event(EDGE_LOG_INFO, "worker_stopped");
    log_flush();
    free(worker);
    return 0;
}
