/*
 * Slots.
 */
#include "lib/slots.h"

#include <stdlib.h>

#include "lib/timestamp.h"

enum {
    DAY_SECONDS = 86400,
    MINUTE = 60,
};

/* Of a day counted from 1970-01-01, which was a Thursday. */
static int iso_weekday(int64_t day)
{
    return (int)(((day + 3) % 7 + 7) % 7) + 1;
}

static int64_t day_of(int64_t wall)
{
    return wall / DAY_SECONDS - (wall % DAY_SECONDS < 0);
}

struct intervals slot_windows(
    edge_ctx *ctx, const char *zone, struct interval range, const struct business_hours *hours)
{
    struct intervals windows = { .items = edge_alloc(ctx, sizeof *windows.items), .count = 1 };
    windows.items[0] = range;
    if (hours->always)
        return windows;

    const int64_t ends[] = { range.start, range.end - 1 };
    const int64_t *offsets = zone_offsets(ctx, zone, ends, 2);
    int64_t first = day_of(ends[0] + offsets[0]), last = day_of(ends[1] + offsets[1]);
    int64_t *walls = edge_alloc(ctx, (size_t)(last - first + 1) * 2 * sizeof *walls);
    size_t count = 0;
    for (int64_t day = first; day <= last; day++) {
        if (!hours->days[iso_weekday(day)])
            continue;
        walls[count++] = day * DAY_SECONDS + hours->start * MINUTE;
        walls[count++] = day * DAY_SECONDS + hours->end * MINUTE;
    }
    const int64_t *instants = zone_instants(ctx, zone, walls, count);
    windows = (struct intervals){ edge_alloc(ctx, (count + 1) * sizeof *windows.items), count / 2 };
    for (size_t i = 0; i < windows.count; i++)
        windows.items[i] = (struct interval){ instants[2 * i], instants[2 * i + 1] };
    return windows;
}

static int by_start(const void *a, const void *b)
{
    const struct interval *one = a, *other = b;
    return (one->start > other->start) - (one->start < other->start);
}

struct intervals intervals_merge(edge_ctx *ctx, struct intervals intervals)
{
    struct intervals merged = { edge_alloc(ctx, (intervals.count + 1) * sizeof *merged.items), 0 };
    qsort(intervals.items, intervals.count, sizeof *intervals.items, by_start);
    for (size_t i = 0; i < intervals.count; i++) {
        struct interval next = intervals.items[i];
        struct interval *last = merged.count > 0 ? &merged.items[merged.count - 1] : NULL;
        if (next.end <= next.start)
            continue;
        if (last == NULL || next.start > last->end)
            merged.items[merged.count++] = next;
        else if (next.end > last->end)
            last->end = next.end;
    }
    return merged;
}

/*
 * The first busy interval, widened, that ends after an instant. Candidates come in order, so the place is kept;
 * windows may overlap where an evening's and the next morning's meet a change of clocks, so each begins anew.
 */
static const struct interval *busy_after(const struct slot_search *search, size_t *place, int64_t instant)
{
    const struct intervals *busy = &search->busy;
    while (*place < busy->count && busy->items[*place].end + search->buffer <= instant)
        ++*place;
    return *place < busy->count ? &busy->items[*place] : NULL;
}

static bool is_free(const struct slot_search *search, size_t *place, struct interval slot)
{
    if (slot.start < search->range.start || slot.start < search->now)
        return false;
    const struct interval *busy = busy_after(search, place, slot.start);
    return busy == NULL || slot.end <= busy->start - search->buffer;
}

struct intervals slots_find(edge_ctx *ctx, const struct slot_search *search, size_t max, bool *truncated)
{
    struct intervals found = { edge_alloc(ctx, (max + 1) * sizeof *found.items), 0 };
    *truncated = false;
    for (size_t i = 0; i < search->windows.count; i++) {
        struct interval window = search->windows.items[i];
        int64_t last = window.end < search->range.end ? window.end : search->range.end;
        size_t place = 0;
        for (int64_t start = window.start; start + search->duration <= last; start += search->step) {
            struct interval slot = { start, start + search->duration };
            if (!is_free(search, &place, slot))
                continue;
            if (found.count == max) {
                *truncated = true;
                return found;
            }
            found.items[found.count++] = slot;
        }
    }
    return found;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void add_piece(const struct slot_search *search, struct intervals *pieces, int64_t start, int64_t end)
{
    if (end - start >= search->duration)
        pieces->items[pieces->count++] = (struct interval){ start, end };
}

struct intervals slots_free(edge_ctx *ctx, const struct slot_search *search)
{
    /* A window makes at most one piece more than there are busy intervals in it. */
    size_t most = search->windows.count * (search->busy.count + 1);
    struct intervals pieces = { edge_alloc(ctx, (most + 1) * sizeof *pieces.items), 0 };
    for (size_t i = 0; i < search->windows.count; i++) {
        struct interval window = search->windows.items[i];
        int64_t start = later(later(window.start, search->range.start), search->now);
        int64_t end = window.end < search->range.end ? window.end : search->range.end;
        for (size_t j = 0; j < search->busy.count; j++) {
            struct interval busy = search->busy.items[j];
            if (busy.end + search->buffer <= start || busy.start - search->buffer >= end)
                continue;
            add_piece(search, &pieces, start, busy.start - search->buffer);
            start = later(start, busy.end + search->buffer);
        }
        add_piece(search, &pieces, start, end);
    }
    return pieces;
}
