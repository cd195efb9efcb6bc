/*
 * Batches of log lines; see log_batches.h.
 */
#include "log_batches.h"

#include <log.h>

#include <stdbool.h>

enum {
    BATCH_BYTES = 16 * 1024
};
static const double LONGEST_SECONDS = 0.005;
static const double STUCK_SECONDS = 1;

static ev_prepare turn;
static ev_timer late;
static bool stuck; /* nobody has read what was to be written last */

static void write_now(struct ev_loop *loop)
{
    ev_timer_stop(loop, &late);
    log_flush();
    stuck = log_waiting() > 0;
}

static void on_late(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    write_now(loop);
}

static void on_turn(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)watcher, (void)events;
    size_t waiting = log_waiting();
    if (waiting >= BATCH_BYTES)
        write_now(loop);
    else if (waiting > 0 && !ev_is_active(&late)) {
        ev_timer_set(&late, stuck ? STUCK_SECONDS : LONGEST_SECONDS, 0);
        ev_timer_start(loop, &late);
    }
}

void log_batches_start(struct ev_loop *loop)
{
    ev_timer_init(&late, on_late, LONGEST_SECONDS, 0);
    ev_prepare_init(&turn, on_turn);
    ev_set_priority(&turn, EV_MINPRI); /* after the fibers that this turn woke */
    ev_prepare_start(loop, &turn);
}
