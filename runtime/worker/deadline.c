/*
 * The timer wheel; see deadline.h. Entries further away than one turn stay in their slot and are passed over.
 */
#include "deadline.h"

#include <stddef.h>

enum {
    TICK_MS = 250,
    SLOT_COUNT = 512
};

static struct {
    struct ev_loop *loop;
    ev_timer timer; /* runs only while an entry is set */
    struct deadline rings[SLOT_COUNT];
    uint64_t now;
    double started;
    size_t count;
} wheel;

static uint64_t current_tick(void)
{
    return (uint64_t)((ev_now(wheel.loop) - wheel.started) * 1000 / TICK_MS);
}

static void ring_remove(struct deadline *deadline)
{
    deadline->previous->next = deadline->next;
    deadline->next->previous = deadline->previous;
    deadline->previous = deadline->next = NULL;
    wheel.count--;
}

static void fire_slot(struct deadline *ring, uint64_t now)
{
    /* What fires may set and clear others of this ring: begin anew after each. */
    struct deadline *at = ring->next;
    while (at != ring) {
        if (at->tick > now) {
            at = at->next;
            continue;
        }
        ring_remove(at);
        at->passed(at);
        at = ring->next;
    }
}

static void turn(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    uint64_t now = current_tick();
    uint64_t first = now - wheel.now > SLOT_COUNT ? now - SLOT_COUNT : wheel.now;
    for (uint64_t tick = first + 1; tick <= now; tick++)
        fire_slot(&wheel.rings[tick % SLOT_COUNT], now);
    wheel.now = now;
    if (wheel.count == 0)
        ev_timer_stop(loop, timer);
}

void deadline_system_start(struct ev_loop *loop)
{
    wheel.loop = loop;
    wheel.started = ev_now(loop);
    for (size_t i = 0; i < SLOT_COUNT; i++)
        wheel.rings[i].previous = wheel.rings[i].next = &wheel.rings[i];
    ev_timer_init(&wheel.timer, turn, TICK_MS / 1000.0, TICK_MS / 1000.0);
}

void deadline_system_stop(void)
{
    ev_timer_stop(wheel.loop, &wheel.timer);
}

void deadline_set(struct deadline *deadline, int64_t milliseconds)
{
    /* One tick more than asked for, as this tick has begun already: late, never early. */
    uint64_t tick = current_tick() + (uint64_t)(milliseconds + TICK_MS - 1) / TICK_MS + 1;
    if (deadline->next != NULL) {
        if (deadline->tick == tick)
            return;
        ring_remove(deadline);
    }

    struct deadline *ring = &wheel.rings[tick % SLOT_COUNT];
    deadline->tick = tick;
    deadline->next = ring;
    deadline->previous = ring->previous;
    ring->previous->next = deadline;
    ring->previous = deadline;
    if (wheel.count++ == 0) {
        wheel.now = current_tick();
        ev_timer_again(wheel.loop, &wheel.timer);
    }
}

void deadline_clear(struct deadline *deadline)
{
    if (deadline->next != NULL)
        ring_remove(deadline);
}
